//! What follows the code of a login with Meta: a token that lasts, and the account of Instagram.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use url::Url;

use super::{Login, denied};
use crate::context::Context;
use crate::error::{Error, ErrorKind, Result};
use crate::publish::credentials::with_query;
use crate::publish::refusal::Server;
use crate::publish::{Secret, Tokens};

/// Exchanges the code, and then the token of an hour for one of 60 days.
pub(super) async fn tokens(login: &Login, cx: &Context, code: &str, redirect: &str) -> Result<Tokens> {
    let secret = login.client_secret.as_ref().ok_or_else(|| {
        Error::new(ErrorKind::Config, "the login needs the app's secret").with_advice("set CLIPKIT_INSTAGRAM_CLIENT_SECRET")
    })?;
    let app = [("client_id", login.client_id.as_str()), ("client_secret", secret.reveal())];
    let first = [app[0], app[1], ("redirect_uri", redirect), ("code", code)];
    let (short, _) = access(&login.answer(cx, |client| Ok(client.get(with_query(&login.token_url, &first)?))).await?)?;
    let second = [app[0], app[1], ("grant_type", "fb_exchange_token"), ("fb_exchange_token", short.reveal())];
    let (access, lifetime) = access(&login.answer(cx, |client| Ok(client.get(with_query(&login.token_url, &second)?))).await?)?;
    let mut tokens = Tokens::new();
    tokens.user = Some(account(login, cx, &access).await?);
    tokens.expires_at = lifetime.and_then(|lifetime| SystemTime::now().checked_add(lifetime));
    (tokens.access, tokens.scopes) = (Some(access), login.scopes.clone());
    (tokens.client_id, tokens.client_secret) = (Some(login.client_id.clone()), login.client_secret.clone());
    Ok(tokens)
}

fn access(answer: &Value) -> Result<(Secret, Option<Duration>)> {
    let token = answer["access_token"].as_str().filter(|text| !text.is_empty());
    let token = token.ok_or_else(|| Server::Instagram.invalid("it gives no access token"))?;
    Ok((Secret::new(token), answer["expires_in"].as_u64().map(Duration::from_secs)))
}

/// Instagram's id of the account.
async fn account(login: &Login, cx: &Context, access: &Secret) -> Result<String> {
    let base = login.token_url.strip_suffix("oauth/access_token").unwrap_or(&login.token_url);
    let url = Url::parse(base).and_then(|base| base.join("me/accounts"));
    let url = url.map_err(|error| Error::new(ErrorKind::Config, format!("the place of the tokens has no address: {error}")))?;
    let address = with_query(url.as_str(), &[("fields", "instagram_business_account{id,username}"), ("limit", "100")])?;
    let answer = login.answer(cx, |client| Ok(client.get(address).bearer_auth(access.reveal()))).await?;
    chosen(&answer, login.user.as_deref())
}

/// The id of the account with a name, or of the only one.
fn chosen(pages: &Value, name: Option<&str>) -> Result<String> {
    let listed = pages["data"].as_array().into_iter().flatten().map(|page| &page["instagram_business_account"]);
    let accounts: Vec<(&str, &str)> = listed.filter_map(|account| Some((account["id"].as_str()?, account["username"].as_str()?))).collect();
    let names = || accounts.iter().map(|(_, name)| *name).collect::<Vec<_>>().join(", ");
    let found = match (name, accounts.as_slice()) {
        (Some(name), _) => accounts.iter().find(|(_, other)| *other == name.trim_start_matches('@')),
        (None, [only]) => Some(only),
        (None, []) => None,
        (None, _) => {
            return Err(denied(&format!("the login is for several accounts of Instagram: {}", names()), "name one: --user NAME"));
        }
    };
    match found {
        Some((id, _)) => Ok((*id).to_owned()),
        None if accounts.is_empty() => Err(denied(
            "the login is for no professional account of Instagram",
            "make the account a professional one, connect it with a page on Facebook, and allow both when you log in",
        )),
        None => Err(denied(&format!("the login is not for that account, but for {}", names()), "name one of them: --user NAME")),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_account_is_the_only_one_or_named() {
        let page = |id: &str, name: &str| json!({"id": "1", "instagram_business_account": {"id": id, "username": name}});
        let none = json!({"data": [{"id": "1"}]});
        let (one, two) =
            (json!({"data": [{"id": "9"}, page("17", "clocks")]}), json!({"data": [page("17", "clocks"), page("18", "watches")]}));
        assert_eq!(chosen(&one, None).unwrap(), "17");
        assert_eq!(chosen(&two, Some("@watches")).unwrap(), "18");
        for (pages, name, expected) in
            [(&none, None, "no professional"), (&two, None, "clocks, watches"), (&one, Some("x"), "but for clocks")]
        {
            let error = chosen(pages, name).unwrap_err();
            assert!(error.kind() == ErrorKind::Denied && error.to_string().contains(expected), "{error}");
        }
    }
}
