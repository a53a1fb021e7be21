use serde::{Deserialize, Serialize};

/// What fixes the names of a clip's objects: `.clipkit/<idempotency key>.json`.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Record {
    pub(super) version: u32,
    /// The key of the clip below the prefix, without extension.
    pub(super) stem: String,
}

/// The version of the record's format.
const VERSION: u32 = 1;
/// The longest record that is read.
pub(super) const SIZE_LIMIT: u64 = 16 << 10;

impl Record {
    pub(super) fn new(stem: String) -> Self {
        Record { version: VERSION, stem }
    }

    /// The key of the record of a publication.
    pub(super) fn key(publication: &str) -> String {
        format!(".clipkit/{publication}.json")
    }

    /// Reads a record. `None` if it is damaged, of another version, or names the records' folder.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let record: Record = serde_json::from_slice(bytes).ok()?;
        (record.version == VERSION && !record.stem.starts_with('.')).then_some(record)
    }
}
