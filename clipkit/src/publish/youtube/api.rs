//! Requests to the YouTube Data API.

use url::Url;

use super::YouTube;
use crate::context::Context;
use crate::error::Result;
use crate::publish::Account;
use crate::publish::api::{Api, Place};
use crate::publish::credentials::Grant;
use crate::publish::refusal::Server;

pub(super) fn open<'a>(cx: &'a Context, to: &YouTube, account: Account) -> Result<Api<'a>> {
    let place = Place {
        server: Server::YouTube,
        api: "https://www.googleapis.com",
        tokens: "https://oauth2.googleapis.com/token",
        grant: Grant::RefreshToken { client_field: "client_id", rotates: false },
        instead: to.api_url.as_deref(),
    };
    Api::open(cx, &place, &to.credentials, account)
}

/// Whether an upload's session may be at this address.
pub(super) fn may_hold_sessions(api: &Api<'_>, url: &Url) -> bool {
    api.may_take_uploads(url, |host| host.ends_with(".googleapis.com"))
}
