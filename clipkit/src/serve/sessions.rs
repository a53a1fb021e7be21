//! Sessions of the dashboard: a cookie in place of the key, since a browser's media elements and
//! event streams send no `Authorization`.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::http::HeaderMap;
use axum::http::header::COOKIE;

use super::keys::{hex, random};
use crate::error::Result;

/// The cookie's name.
pub(super) const COOKIE_NAME: &str = "clipkit_session";
const LIFE: Duration = Duration::from_secs(12 * 3600);
/// The oldest sessions end when there are more.
const MOST: usize = 1000;

/// The open sessions, by the hash of their token. They end with the process.
#[derive(Debug, Default)]
pub(super) struct Sessions(Mutex<HashMap<blake3::Hash, (String, Instant)>>);

impl Sessions {
    /// Opens a session for a key and returns the value of its cookie.
    pub(super) fn open(&self, key: &str) -> Result<String> {
        let token = hex(&random::<32>()?);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (_, since)| since.elapsed() < LIFE);
        if open.len() >= MOST
            && let Some(oldest) = open.iter().min_by_key(|(_, (_, since))| *since).map(|(hash, _)| *hash)
        {
            open.remove(&oldest);
        }
        open.insert(blake3::hash(token.as_bytes()), (key.to_owned(), Instant::now()));
        Ok(token)
    }

    /// The id of the session's key. Tokens are looked up by their hash, so the time that it takes
    /// tells nothing about them.
    pub(super) fn key(&self, token: &str) -> Option<String> {
        let open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.get(&blake3::hash(token.as_bytes())).filter(|(_, since)| since.elapsed() < LIFE).map(|(key, _)| key.clone())
    }

    pub(super) fn close(&self, token: &str) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&blake3::hash(token.as_bytes()));
    }
}

/// The header that sets the cookie, or removes it if `token` is empty. Scripts cannot read it, and
/// other sites' pages do not send it.
pub(super) fn set_cookie(token: &str, secure: bool) -> String {
    let life = if token.is_empty() { 0 } else { LIFE.as_secs() };
    let secure = if secure { "; Secure" } else { "" };
    format!("{COOKIE_NAME}={token}; HttpOnly; SameSite=Strict; Path=/; Max-Age={life}{secure}")
}

/// The session's token in a request.
pub(super) fn token(headers: &HeaderMap) -> Option<&str> {
    let pairs = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(';'));
    pairs.filter_map(|pair| pair.trim().split_once('=')).find(|(name, _)| *name == COOKIE_NAME).map(|(_, token)| token)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_stands_for_its_key_until_it_is_closed() {
        let sessions = Sessions::default();
        let token = sessions.open("a1").unwrap();
        let mut headers = HeaderMap::new();
        headers.insert(COOKIE, format!("x=1; {COOKIE_NAME}={token}; y=2").parse().unwrap());
        assert_eq!(super::token(&headers), Some(token.as_str()));
        assert_eq!(sessions.key(&token).as_deref(), Some("a1"));
        assert_eq!(sessions.key("other"), None);
        sessions.close(&token);
        assert_eq!(sessions.key(&token), None);
        assert!(set_cookie("t", true).ends_with("; Secure") && set_cookie("", false).contains("Max-Age=0"));
    }
}
