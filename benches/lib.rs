//! Benches of clipkit.
