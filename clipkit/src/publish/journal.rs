//! What is known about publications to servers: kept in the artifact store, so that a crash between
//! a request and its answer does not lead to a second publication.

use std::time::{Duration, SystemTime};

use serde::{Deserialize, Serialize};

use super::named_lock::NamedLock;
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::model::{Receipt, moment};
use crate::store::{ArtifactKey, ArtifactKind, ArtifactStore};

/// The version of an entry's format.
const VERSION: u32 = 1;

/// The entry of one publication. Only the holder of this value works on the publication on this
/// machine.
pub(super) struct Journal {
    store: ArtifactStore,
    key: ArtifactKey,
    _lock: NamedLock,
}

/// What is known about a publication.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
pub(super) enum Entry {
    /// It was begun. `session` says how to go on with it.
    Begun {
        #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
        at: Option<SystemTime>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<serde_json::Value>,
    },
    /// It is done.
    Done { receipt: Box<Receipt> },
    /// Nobody can say whether it was done. `session` says whom to ask again.
    Unknown {
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        session: Option<serde_json::Value>,
    },
}

/// The artifact store of the environment.
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if this machine has no place for one.
pub(super) async fn artifacts(cx: &Context) -> Result<ArtifactStore> {
    let address = cx.environment().artifacts().ok_or_else(|| {
        Error::new(ErrorKind::Unavailable, "there is no place to note what is published")
            .with_advice("name a folder or bucket in CLIPKIT_CACHE")
    })?;
    cx.or_cancelled(ArtifactStore::open_with(&address, cx.environment())).await
}

impl Entry {
    /// A publication that begins now.
    pub(super) fn begun(session: Option<serde_json::Value>) -> Self {
        Entry::Begun { at: Some(moment::now()), session }
    }

    /// A publication whose outcome is not known.
    pub(super) fn unknown(reason: &str, session: Option<serde_json::Value>) -> Self {
        Entry::Unknown { reason: reason.to_owned(), session }
    }
}

impl Journal {
    /// Opens the entry of a publication. Waits while another task or process works on it.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if this machine has no place for the journal.
    pub(super) async fn open(cx: &Context, publication: &str) -> Result<Self> {
        let store = artifacts(cx).await?;
        let lock = NamedLock::acquire(cx, &format!("publication {publication}"), "the same clip is being published already").await?;
        let key = ArtifactKey::new(ArtifactKind::Publication, VERSION).text("key", publication);
        Ok(Journal { store, key, _lock: lock })
    }

    /// What is known. `None` means that nothing was begun.
    pub(super) async fn read(&self) -> Result<Option<Entry>> {
        Ok(self.store.read::<Entry>(&self.key).await?.map(|(entry, _)| entry))
    }

    /// Replaces what is known.
    pub(super) async fn write(&self, entry: &Entry) -> Result<()> {
        self.store.write(&self.key, entry, &[]).await
    }

    /// Notes the receipt of a publication. If that fails, the receipt is returned with a warning,
    /// since the clip is published.
    pub(super) async fn finish(&self, cx: &Context, receipt: Receipt) -> Receipt {
        let entry = Entry::Done { receipt: Box::new(receipt.clone()) };
        let mut noted = self.write(&entry).await;
        for _ in 0..2 {
            if noted.is_ok() {
                break;
            }
            tokio::time::sleep(Duration::from_millis(200)).await;
            noted = self.write(&entry).await;
        }
        if let Err(error) = noted {
            cx.warn_of(crate::model::WarningKind::Publish, format!("the clip is published, but its receipt cannot be noted: {error}"));
        }
        receipt
    }
}
