//! Where results and media are kept.
//!
//! - [`ArtifactStore`] keeps the documents that steps answer (transcripts, candidates, tracks,
//!   plans, receipts), in a folder or in an object store.
//! - [`MediaStore`] keeps fetched media files, in a folder with a size limit.
//! - [`identify`] and [`verify`] answer whether a local file still is what it was.
//! - [`write_file`] and [`move_file`] put a file, complete or not at all, where a user wants it.

mod address;
mod artifact;
mod bucket;
mod document;
mod eviction;
mod identity;
mod key;
mod media;
mod media_files;
mod output_file;
mod partial;

pub(crate) use address::{check as check_address, open_object};
pub use artifact::ArtifactStore;
pub(crate) use artifact::Note;
pub(crate) use bucket::{Bucket, check_link};
pub use document::{ArtifactKind, Document};
pub use identity::{Identity, identify, stamp, verify, verify_content};
pub use key::ArtifactKey;
pub use media::{Lease, MediaLimits, MediaStore, MediaWriter};
#[cfg(any(test, fuzzing))]
pub(crate) use media_files::safe_extension;
pub use output_file::{move_file, write_file};
pub(crate) use partial::Partial;

pub use object_store;
