use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;

use super::{Account, Credentials, Tokens, missing};
use crate::context::{Context, Environment};
use crate::error::Result;
use crate::publish::Secret;

/// The tokens of accounts in environment variables.
///
/// For the account `main` on YouTube: `CLIPKIT_YOUTUBE_MAIN_REFRESH_TOKEN`, `..._ACCESS_TOKEN` and
/// `..._USER`. The app is `CLIPKIT_YOUTUBE_MAIN_CLIENT_ID` and `..._CLIENT_SECRET`, else
/// `CLIPKIT_YOUTUBE_CLIENT_ID` and `CLIPKIT_YOUTUBE_CLIENT_SECRET` for all accounts. In an
/// account's name, letters become upper case and everything but letters and digits becomes `_`.
///
/// New tokens are kept until the process ends. So accounts whose refresh token changes at each use
/// (TikTok) cannot be used with it.
#[derive(Debug, Default)]
pub struct EnvironmentCredentials {
    renewed: Mutex<BTreeMap<Account, Tokens>>,
}

impl EnvironmentCredentials {
    /// Reads the variables of the context's environment.
    pub fn new() -> Self {
        EnvironmentCredentials::default()
    }

    /// Whether the environment has a token for the account.
    pub(super) fn has(environment: &Environment, account: &Account) -> bool {
        ["REFRESH_TOKEN", "ACCESS_TOKEN"].iter().any(|what| value(environment, account, what).is_some())
    }
}

fn upper(text: &str) -> String {
    text.chars().map(|letter| if letter.is_ascii_alphanumeric() { letter.to_ascii_uppercase() } else { '_' }).collect()
}

fn value(environment: &Environment, account: &Account, what: &str) -> Option<String> {
    let name = format!("CLIPKIT_{}_{}_{what}", upper(&account.platform), upper(&account.name));
    environment.publishers.get(&name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

fn value_of_all(environment: &Environment, account: &Account, what: &str) -> Option<String> {
    let name = format!("CLIPKIT_{}_{what}", upper(&account.platform));
    let of_all = || environment.publishers.get(&name).map(|text| text.trim().to_owned()).filter(|text| !text.is_empty());
    value(environment, account, what).or_else(of_all)
}

#[async_trait]
impl Credentials for EnvironmentCredentials {
    async fn load(&self, cx: &Context, account: &Account) -> Result<Tokens> {
        if let Some(renewed) = self.renewed.lock().unwrap_or_else(PoisonError::into_inner).get(account) {
            return Ok(renewed.clone());
        }
        let environment = cx.environment();
        if !EnvironmentCredentials::has(environment, account) {
            let (platform, name) = (upper(&account.platform), upper(&account.name));
            return Err(missing(account, format!("set CLIPKIT_{platform}_{name}_REFRESH_TOKEN, or log in: clipkit login")));
        }
        let mut tokens = Tokens::new();
        tokens.access = value(environment, account, "ACCESS_TOKEN").map(Secret::new);
        tokens.refresh = value(environment, account, "REFRESH_TOKEN").map(Secret::new);
        tokens.user = value(environment, account, "USER");
        tokens.client_id = value_of_all(environment, account, "CLIENT_ID");
        tokens.client_secret = value_of_all(environment, account, "CLIENT_SECRET").map(Secret::new);
        Ok(tokens)
    }

    async fn store(&self, _cx: &Context, account: &Account, tokens: &Tokens) -> Result<()> {
        self.renewed.lock().unwrap_or_else(PoisonError::into_inner).insert(account.clone(), tokens.clone());
        Ok(())
    }

    fn keeps(&self) -> bool {
        false
    }
}
