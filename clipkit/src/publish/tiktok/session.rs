use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::model::moment;
use crate::publish::identity::Identity;

/// An upload, as it is noted before each step that matters.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Session {
    /// TikTok's id of the upload and its post.
    pub(super) publish_id: String,
    /// Where the chunks go. Who has it can send them, so it is only in the journal.
    pub(super) upload_url: String,
    /// The file that is uploaded.
    pub(super) file: Identity,
    pub(super) chunks: Chunks,
    /// The account's name on TikTok, for the post's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<String>,
    /// When the last chunk was about to be sent. From then on, the post may exist.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    pub(super) finishing: Option<SystemTime>,
    /// How often TikTok was asked without a clear answer.
    #[serde(default)]
    pub(super) lookups: u32,
}

/// How a file is cut: `floor(size / chunk)` chunks, of which the last takes what is left over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Chunks {
    /// The size of the file.
    pub(super) total: u64,
    /// The size of all chunks but the last.
    pub(super) size: u64,
}

impl Chunks {
    pub(super) fn new(total: u64, size: u64) -> Self {
        Chunks { total, size: size.min(total).max(1) }
    }

    pub(super) fn count(self) -> u64 {
        (self.total / self.size).max(1)
    }

    /// The end of the chunk that begins at `from`.
    pub(super) fn end(self, from: u64) -> u64 {
        if from / self.size + 1 >= self.count() { self.total } else { from + self.size }
    }

    /// The start of the first chunk that is not whole if TikTok has `bytes`.
    pub(super) fn next(self, bytes: u64) -> u64 {
        if bytes >= self.total { self.total } else { (bytes / self.size).min(self.count() - 1) * self.size }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_documented_example_is_cut_as_documented() {
        let chunks = Chunks::new(50_000_123, 10_000_000);
        assert_eq!((chunks.count(), chunks.end(0), chunks.end(40_000_000)), (5, 10_000_000, 50_000_123));
        let small = Chunks::new(4_000_000, 10_000_000);
        assert_eq!((small.size, small.count(), small.end(0)), (4_000_000, 1, 4_000_000));
        assert_eq!(
            (chunks.next(0), chunks.next(10_000_001), chunks.next(50_000_100), chunks.next(50_000_123)),
            (0, 10_000_000, 40_000_000, 50_000_123)
        );
    }

    proptest! {
        #[test]
        fn chunks_keep_the_rules(total in 1_u64..4_000_000_000, size in super::super::CHUNKS.0..=super::super::CHUNKS.1) {
            let chunks = Chunks::new(total, size);
            let (mut at, mut count) = (0, 0);
            while at < total {
                let end = chunks.end(at);
                let length = end - at;
                prop_assert!(chunks.count() == 1 || length >= 5 << 20, "too small");
                let is_right = if end == total { length <= 128_000_000 } else { length == chunks.size };
                prop_assert!(is_right, "{length} of {chunks:?}");
                prop_assert_eq!(chunks.next(end - 1), at);
                prop_assert_eq!(chunks.next(end), end);
                (at, count) = (end, count + 1);
            }
            prop_assert_eq!(count, chunks.count());
            prop_assert_eq!(count, (total / chunks.size).max(1));
            prop_assert!(count <= 1000);
        }
    }
}
