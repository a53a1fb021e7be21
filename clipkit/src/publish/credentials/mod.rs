//! The credentials of accounts on platforms: where they are kept, and how they are renewed.

mod environment;
mod file;
mod keyring;
#[cfg(feature = "publish")]
mod renewal;
mod tokens;

pub use environment::EnvironmentCredentials;
pub use file::FileCredentials;
pub use keyring::KeyringCredentials;
#[cfg(feature = "publish")]
pub(super) use renewal::{Grant, Renewal, TokenServer, with_query};
pub use tokens::Tokens;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use async_trait::async_trait;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::context::{Context, Environment};
use crate::error::{Error, ErrorKind, Result};

/// An account on a platform, by a name of the user's choice.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub struct Account {
    /// The platform: `youtube`, `tiktok`, `instagram`.
    pub platform: String,
    /// The account's name: letters, digits, `-`, `_` and `.`, at most 64.
    pub name: String,
}

impl Account {
    /// Makes the name of an account.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a name has other characters.
    pub fn new(platform: impl Into<String>, name: impl Into<String>) -> Result<Self> {
        let account = Account { platform: platform.into(), name: name.into() };
        for name in [&account.platform, &account.name] {
            let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
            if name.is_empty() || name.len() > 64 || name.starts_with('.') || !name.bytes().all(is_plain) {
                return Err(Error::new(ErrorKind::Config, format!("{name:?} is no account's name"))
                    .with_advice("use letters, digits, hyphens, underscores and dots"));
            }
        }
        Ok(account)
    }
}

impl fmt::Display for Account {
    /// `youtube:main`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.platform, self.name)
    }
}

/// Keeps the tokens of accounts: in files, in the system's keyring, in the environment, or in a
/// store of the host's own.
///
/// For implementers:
/// - [`store`](Credentials::store) returns when the tokens survive a loss of power. Some platforms
///   invalidate a refresh token at its first use, so a new one that is lost locks the account out.
/// - clipkit renews tokens under a lock between the processes of a user on this machine. A store
///   that several machines share needs a lock of its own inside `store`.
/// - Tokens are written to no log and no error.
#[async_trait]
pub trait Credentials: Send + Sync + fmt::Debug {
    /// The tokens of an account.
    ///
    /// Fails with [`ErrorKind::Denied`] if there are none, with what to do as the advice.
    async fn load(&self, cx: &Context, account: &Account) -> Result<Tokens>;

    /// Replaces the tokens of an account.
    async fn store(&self, cx: &Context, account: &Account, tokens: &Tokens) -> Result<()>;

    /// Where the tokens of an account are, for people. Default: `a store of its own`.
    fn place(&self, account: &Account) -> String {
        let _ = account;
        "a store of its own".into()
    }

    /// Whether stored tokens outlive the process. An account whose refresh token changes at each
    /// use is refused where they do not. Default: `true`.
    fn keeps(&self) -> bool {
        true
    }
}

/// Where the tokens of an account are.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
#[non_exhaustive]
pub enum CredentialsConfig {
    /// The environment if it has tokens for the account; else the system's keyring, if
    /// `CLIPKIT_CREDENTIALS` is `keyring`; else a file.
    #[default]
    Auto,
    /// The environment: [`EnvironmentCredentials`].
    Environment,
    /// Files: [`FileCredentials`].
    File {
        /// The folder. Default: `CLIPKIT_CREDENTIALS`, else `clipkit/credentials` in the user's
        /// folder for settings.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        folder: Option<PathBuf>,
    },
    /// The system's keyring: [`KeyringCredentials`].
    Keyring,
    /// A store of the host's own. It has no written form.
    #[serde(skip)]
    Given(GivenCredentials),
}

/// A store of the host's own. Two are equal if they are the same store.
#[derive(Clone, Debug)]
pub struct GivenCredentials(Arc<dyn Credentials>);

impl PartialEq for GivenCredentials {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

impl Eq for GivenCredentials {}

impl<C: Credentials + 'static> From<C> for CredentialsConfig {
    fn from(store: C) -> Self {
        CredentialsConfig::Given(GivenCredentials(Arc::new(store)))
    }
}

impl CredentialsConfig {
    /// The store for an account.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Unavailable`] if there is no folder for files.
    pub(super) fn open(&self, environment: &Environment, account: &Account) -> Result<Arc<dyn Credentials>> {
        Ok(match self {
            CredentialsConfig::Given(given) => given.0.clone(),
            CredentialsConfig::Environment => Arc::new(EnvironmentCredentials::new()),
            CredentialsConfig::Auto if EnvironmentCredentials::has(environment, account) => Arc::new(EnvironmentCredentials::new()),
            CredentialsConfig::Keyring => Arc::new(KeyringCredentials::new()),
            CredentialsConfig::Auto => credentials_of_the_user(environment)?,
            CredentialsConfig::File { folder: Some(folder) } => Arc::new(FileCredentials::new(folder)),
            CredentialsConfig::File { folder: None } => Arc::new(FileCredentials::of_the_user(environment)?),
        })
    }
}

/// The store that a login fills and that publishers read: the system's keyring if
/// `CLIPKIT_CREDENTIALS` is `keyring`, else files ([`FileCredentials::of_the_user`]).
///
/// # Errors
///
/// [`ErrorKind::Unavailable`] if there is no folder for files.
pub fn credentials_of_the_user(environment: &Environment) -> Result<Arc<dyn Credentials>> {
    match &environment.credentials {
        Some(name) if name.as_os_str() == "keyring" => Ok(Arc::new(KeyringCredentials::new())),
        _ => Ok(Arc::new(FileCredentials::of_the_user(environment)?)),
    }
}

/// The error for an account without tokens.
fn missing(account: &Account, advice: String) -> Error {
    Error::new(ErrorKind::Denied, format!("there are no credentials for {account}")).with_advice(advice)
}

#[cfg(test)]
mod tests;
