use std::fmt;

use async_trait::async_trait;

use super::{Account, Credentials, Tokens};
use crate::context::Context;
use crate::error::Result;

/// The tokens of accounts in the system's keyring: Keychain on macOS, the Credential Manager on
/// Windows, the Secret Service (GNOME Keyring, KWallet) elsewhere.
///
/// An entry has the service `clipkit` and the account (`youtube:main`) as its user. The keyring
/// may ask the user to unlock it. Without the feature `keyring`, every call fails with
/// [`ErrorKind::Unavailable`](crate::ErrorKind::Unavailable).
#[derive(Clone)]
pub struct KeyringCredentials {
    service: String,
    #[cfg(feature = "keyring")]
    store: Option<system::Store>,
}

impl KeyringCredentials {
    /// Entries of the service `clipkit`.
    pub fn new() -> Self {
        KeyringCredentials::of_service("clipkit")
    }

    /// Entries of another service, for a program that keeps accounts of its own.
    pub fn of_service(service: impl Into<String>) -> Self {
        KeyringCredentials {
            service: service.into(),
            #[cfg(feature = "keyring")]
            store: None,
        }
    }
}

impl Default for KeyringCredentials {
    fn default() -> Self {
        KeyringCredentials::new()
    }
}

impl fmt::Debug for KeyringCredentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyringCredentials").field("service", &self.service).finish_non_exhaustive()
    }
}

#[cfg(feature = "keyring")]
#[async_trait]
impl Credentials for KeyringCredentials {
    async fn load(&self, cx: &Context, account: &Account) -> Result<Tokens> {
        let (keyring, account) = (self.clone(), account.clone());
        // A person who is asked to unlock the keyring takes their time.
        cx.or_cancelled(cx.blocking(move |_| keyring.read(&account))).await
    }

    async fn store(&self, cx: &Context, account: &Account, tokens: &Tokens) -> Result<()> {
        let (keyring, account, tokens) = (self.clone(), account.clone(), tokens.clone());
        // Not cancelled: a token that the platform has replaced is lost if it is not stored.
        cx.blocking(move |_| keyring.write(&account, &tokens)).await
    }

    fn place(&self, _account: &Account) -> String {
        "the system's keyring".into()
    }
}

#[cfg(feature = "keyring")]
mod system {
    use std::sync::Arc;

    use keyring_core::{CredentialStore, Entry, Error as Fault};

    use super::super::{Account, Tokens, missing};
    use super::KeyringCredentials;
    use crate::error::{Error, ErrorKind, Result};

    pub(super) type Store = Arc<CredentialStore>;

    /// The store of this system. It is opened without becoming the process's default one.
    fn open() -> std::result::Result<Store, Fault> {
        #[cfg(target_os = "macos")]
        return apple_native_keyring_store::keychain::Store::new().map(|store| store as Store);
        #[cfg(target_os = "windows")]
        return windows_native_keyring_store::Store::new().map(|store| store as Store);
        #[cfg(not(any(target_os = "macos", target_os = "windows")))]
        return zbus_secret_service_keyring_store::Store::new().map(|store| store as Store);
    }

    /// The error of the keyring. Those about an entry's content do not show it.
    fn failed(account: &Account, fault: Fault) -> Error {
        match fault {
            Fault::NoEntry => {
                let login = format!("CLIPKIT_CREDENTIALS=keyring clipkit login {} --account {}", account.platform, account.name);
                missing(account, format!("log in: {login}"))
            }
            Fault::BadEncoding(_) | Fault::BadDataFormat(..) | Fault::Ambiguous(_) => unreadable(account),
            Fault::TooLong(..) => {
                Error::new(ErrorKind::Unavailable, format!("the system's keyring does not take as much as {account} has"))
                    .with_advice("keep the credentials in files")
            }
            other => Error::new(ErrorKind::Unavailable, format!("the system's keyring cannot be used: {other}"))
                .with_advice("unlock it, or keep credentials in files: unset CLIPKIT_CREDENTIALS"),
        }
    }

    fn unreadable(account: &Account) -> Error {
        Error::new(ErrorKind::InvalidInput, format!("the credentials of {account} in the system's keyring cannot be read"))
            .with_advice("log in again: clipkit login")
    }

    impl KeyringCredentials {
        fn entry(&self, account: &Account) -> Result<Entry> {
            let store = self.store.clone().map_or_else(open, Ok);
            let entry = store.and_then(|store| Entry::new_in_store(&store, &self.service, &account.to_string()));
            entry.map_err(|fault| failed(account, fault))
        }

        pub(super) fn read(&self, account: &Account) -> Result<Tokens> {
            let bytes = self.entry(account)?.get_secret().map_err(|fault| failed(account, fault))?;
            Tokens::from_json(&bytes).map_err(|_| unreadable(account))
        }

        pub(super) fn write(&self, account: &Account, tokens: &Tokens) -> Result<()> {
            let content = tokens.to_json().map_err(|_| Error::new(ErrorKind::Contract, "the credentials cannot be written"))?;
            self.entry(account)?.set_secret(&content).map_err(|fault| failed(account, fault))
        }
    }

    #[cfg(test)]
    mod tests {
        use super::super::super::tests::{context, tokens};
        use super::*;
        use crate::publish::Credentials;

        fn keyring() -> KeyringCredentials {
            let store = keyring_core::mock::Store::new().unwrap();
            KeyringCredentials { service: "clipkit".into(), store: Some(store) }
        }

        #[tokio::test]
        async fn a_keyring_keeps_the_tokens_of_each_account() {
            let (cx, keyring) = (context(|_| {}), keyring());
            let [main, other] = ["main", "other"].map(|name| Account::new("youtube", name).unwrap());
            let error = keyring.load(&cx, &main).await.unwrap_err();
            assert!(error.kind() == ErrorKind::Denied && error.to_string().contains("clipkit login youtube --account main"), "{error}");
            keyring.store(&cx, &main, &tokens()).await.unwrap();
            assert_eq!(keyring.load(&cx, &main).await.unwrap(), tokens());
            assert_eq!(keyring.load(&cx, &other).await.unwrap_err().kind(), ErrorKind::Denied);
            assert!(keyring.keeps() && !format!("{keyring:?}").contains("hunter2"));
        }

        #[tokio::test]
        async fn errors_of_a_keyring_show_no_secret() {
            let (cx, keyring) = (context(|_| {}), keyring());
            let account = Account::new("youtube", "main").unwrap();
            keyring.entry(&account).unwrap().set_secret(br#"{"access_token": "hunter2"#).unwrap();
            let error = keyring.load(&cx, &account).await.unwrap_err();
            assert!(error.kind() == ErrorKind::InvalidInput && !format!("{error:?}").contains("hunter2"), "{error:?}");
            for (fault, kind) in [
                (Fault::BadEncoding(b"hunter2".to_vec()), ErrorKind::InvalidInput),
                (Fault::NoStorageAccess("locked".into()), ErrorKind::Unavailable),
                (Fault::TooLong("password".into(), 2560), ErrorKind::Unavailable),
            ] {
                let error = failed(&account, fault);
                assert!(error.kind() == kind && error.advice().is_some() && !format!("{error:?}").contains("hunter2"), "{error:?}");
            }
        }
    }
}

#[cfg(not(feature = "keyring"))]
#[async_trait]
impl Credentials for KeyringCredentials {
    async fn load(&self, _cx: &Context, _account: &Account) -> Result<Tokens> {
        Err(unavailable())
    }

    async fn store(&self, _cx: &Context, _account: &Account, _tokens: &Tokens) -> Result<()> {
        Err(unavailable())
    }
}

#[cfg(not(feature = "keyring"))]
fn unavailable() -> crate::error::Error {
    crate::features::missing("the system's keyring", "keyring")
}
