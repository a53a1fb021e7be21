use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{ClipId, Receipt};

/// The target of a publisher: a platform or kind of place, and the account there.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Target {
    /// The platform or kind of place: `folder`, `s3`, `youtube`.
    pub name: String,
    /// The account, bucket or folder. `None` if there is only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account: Option<String>,
}

impl Target {
    /// A target without an account.
    pub fn new(name: impl Into<String>) -> Self {
        Target { name: name.into(), account: None }
    }

    /// Sets the account.
    #[must_use]
    pub fn with_account(mut self, account: impl Into<String>) -> Self {
        self.account = Some(account.into());
        self
    }

    /// Whether a receipt is of this target.
    pub(crate) fn wrote(&self, receipt: &Receipt) -> bool {
        receipt.target == self.name && receipt.account == self.account
    }

    /// The key of one publication: 32 hexadecimal digits of the BLAKE3 hash of clip, target and
    /// account.
    pub fn idempotency_key(&self, clip: &ClipId) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in [clip.as_str(), &self.name, self.account.as_deref().unwrap_or_default()] {
            // The length prefix keeps different lists of parts from giving the same bytes.
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part.as_bytes());
        }
        let mut key = hasher.finalize().to_hex().to_string();
        key.truncate(32);
        key
    }
}

impl fmt::Display for Target {
    /// `folder:clips`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.account {
            Some(account) => write!(f, "{}:{account}", self.name),
            None => f.write_str(&self.name),
        }
    }
}
