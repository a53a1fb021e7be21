use std::time::SystemTime;

use serde::{Deserialize, Serialize};

use crate::model::moment;
use crate::publish::Secret;

/// The tokens of an account. `Debug` does not print them.
#[derive(Clone, Debug, Default, PartialEq)]
#[non_exhaustive]
pub struct Tokens {
    /// The token that requests carry. `None` means that it must be obtained first.
    pub access: Option<Secret>,
    /// When the access token stops to be valid. `None` means that it is not known.
    pub expires_at: Option<SystemTime>,
    /// The token with which a new access token is obtained.
    pub refresh: Option<Secret>,
    /// The id of the app that the user allowed to post.
    pub client_id: Option<String>,
    /// The app's secret. Some platforms give none to apps on a user's machine.
    pub client_secret: Option<Secret>,
    /// What the user allowed, as the platform names it.
    pub scopes: Vec<String>,
    /// The platform's id of the account, where requests name it.
    pub user: Option<String>,
}

impl Tokens {
    /// Tokens of which nothing is known.
    pub fn new() -> Self {
        Tokens::default()
    }

    /// Reads the content of a file.
    pub(super) fn from_json(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let Kept { access_token, expires_at, refresh_token, client_id, client_secret, scopes, user, .. } = serde_json::from_slice(bytes)?;
        let secret = |text: Option<String>| text.filter(|text| !text.is_empty()).map(Secret::new);
        Ok(Tokens {
            access: secret(access_token),
            expires_at,
            refresh: secret(refresh_token),
            client_id,
            client_secret: secret(client_secret),
            scopes,
            user,
        })
    }

    /// The content of a file, with the secrets. Only stores of credentials write it.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        let text = |secret: &Option<Secret>| secret.as_ref().map(|secret| secret.reveal().to_owned());
        serde_json::to_vec_pretty(&Kept {
            version: VERSION,
            access_token: text(&self.access),
            expires_at: self.expires_at,
            refresh_token: text(&self.refresh),
            client_id: self.client_id.clone(),
            client_secret: text(&self.client_secret),
            scopes: self.scopes.clone(),
            user: self.user.clone(),
        })
    }
}

/// The version of the file's format.
const VERSION: u32 = 1;

#[derive(Serialize, Deserialize)]
struct Kept {
    #[serde(default)]
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    access_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none", with = "moment::option")]
    expires_at: Option<SystemTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    client_secret: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    scopes: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<String>,
}
