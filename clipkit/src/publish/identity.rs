use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::context::Context;
use crate::error::{Error, Result};

/// The content of a file. An upload goes on only with the same content.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Identity {
    pub(super) bytes: u64,
    /// The BLAKE3 hash.
    pub(super) hash: String,
}

impl Identity {
    pub(super) async fn of(cx: &Context, path: &Path) -> Result<Self> {
        let path: PathBuf = path.to_owned();
        cx.blocking(move |cx| {
            let unreadable = |error| Error::io(&path, "read the file", error);
            let mut file = std::fs::File::open(&path).map_err(unreadable)?;
            let (mut hasher, mut bytes) = (blake3::Hasher::new(), 0);
            let mut buffer = vec![0; 1 << 20];
            loop {
                cx.check()?;
                let read = std::io::Read::read(&mut file, &mut buffer).map_err(unreadable)?;
                if read == 0 {
                    return Ok(Identity { bytes, hash: hasher.finalize().to_hex().to_string() });
                }
                hasher.update(&buffer[..read]);
                bytes += read as u64;
            }
        })
        .await
    }
}
