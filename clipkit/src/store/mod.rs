//! Where results and media are kept.

pub use object_store;
