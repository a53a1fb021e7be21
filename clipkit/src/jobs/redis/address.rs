//! The address of a Redis without its password, and what its errors mean.

use std::fmt;

use redis::{RedisError, ServerErrorKind};
use url::Url;

use crate::error::{Error, ErrorKind, Recovery, Result};

/// The oldest version whose commands the scripts use.
const OLDEST: (u32, u32) = (6, 2);

/// An address as people may see it: scheme, host, port and database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Address(String);

impl Address {
    /// The visible part of an address, which stands in no error itself, since it may be a password
    /// in the wrong place.
    pub(super) fn of(url: &str) -> Result<Self> {
        let refused = || {
            Error::new(ErrorKind::Config, "this is not the address of a Redis")
                .with_advice("give redis://HOST:PORT/DATABASE, or rediss:// for TLS")
        };
        let parsed = Url::parse(url).map_err(|_| refused())?;
        let host = parsed.host_str().filter(|host| !host.is_empty()).ok_or_else(refused)?;
        if !matches!(parsed.scheme(), "redis" | "rediss") {
            return Err(refused());
        }
        let database = parsed.path().trim_matches('/');
        if !database.bytes().all(|letter| letter.is_ascii_digit()) {
            return Err(refused());
        }
        let database = if database.is_empty() { "0" } else { database };
        Ok(Address(format!("{}://{host}:{}/{database}", parsed.scheme(), parsed.port().unwrap_or(6379))))
    }

    /// The error of a failed operation.
    pub(super) fn failed(&self, doing: &str, error: RedisError) -> Error {
        let made = |kind| Error::new(kind, format!("cannot {doing} in {self}: {error}"));
        let passing = |kind| made(kind).with_recovery(Recovery::Retry { after: None });
        let said = error.to_string();
        let says = |code: &str| error.code() == Some(code) || said.contains(code);
        let described = if matches!(error.kind(), redis::ErrorKind::AuthenticationFailed) || says("WRONGPASS") || says("NOAUTH") {
            made(ErrorKind::Denied).with_advice("check user and password in the address")
        } else if says("NOPERM") {
            made(ErrorKind::Denied).with_advice("allow this user all commands on keys with the prefix")
        } else if says("WRONGTYPE") {
            made(ErrorKind::InvalidInput).with_advice("another program uses these keys: give another prefix")
        } else if says("CROSSSLOT") || says("MOVED") {
            made(ErrorKind::Config).with_advice("for a Redis Cluster, put the prefix into braces, as in {clipkit}")
        } else if says("OOM") {
            passing(ErrorKind::Io).with_advice("Redis has no memory left: raise maxmemory, or remove old jobs")
        } else if error.is_timeout() {
            passing(ErrorKind::TimedOut)
        } else if error.is_io_error() || error.is_connection_dropped() || error.is_connection_refusal() || is_passing(&error) {
            passing(ErrorKind::Io).with_advice("check that Redis runs and can be reached")
        } else if matches!(error.kind(), redis::ErrorKind::InvalidClientConfig) {
            made(ErrorKind::Config)
        } else {
            made(ErrorKind::Contract)
        };
        described.with_source(error)
    }

    /// Refuses versions that lack commands. `info` is what `INFO` says.
    pub(super) fn check(&self, info: &str) -> Result<()> {
        let version = field(info, "redis_version").unwrap_or_default();
        let mut parts = version.split('.').map(|part| part.parse::<u32>().ok());
        let found = parts.next().flatten().zip(parts.next().flatten());
        if found.is_none_or(|found| found < OLDEST) {
            return Err(Error::new(ErrorKind::Unavailable, format!("{self} has version {version:?}"))
                .with_advice("use Redis 6.2 or later, or Valkey"));
        }
        if let Some(policy) = field(info, "maxmemory_policy").filter(|policy| *policy != "noeviction") {
            tracing::warn!("{self} removes keys when memory is short (maxmemory-policy {policy}): set noeviction, or tasks get lost");
        }
        Ok(())
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Redis at {}", self.0)
    }
}

/// A line of the answer to `INFO`.
pub(super) fn field<'a>(info: &'a str, name: &str) -> Option<&'a str> {
    info.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).map(str::trim)
}

/// Whether the server can do it later: it loads its data, or follows another.
fn is_passing(error: &RedisError) -> bool {
    use ServerErrorKind::{BusyLoading, ClusterDown, MasterDown, ReadOnly, TryAgain};
    matches!(error.kind(), redis::ErrorKind::Server(BusyLoading | ClusterDown | MasterDown | ReadOnly | TryAgain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_password_is_shown() {
        let shown = |url: &str| Address::of(url).unwrap().to_string();
        assert_eq!(shown("redis://me:secret@host:7000/3"), "Redis at redis://host:7000/3");
        assert_eq!(shown("rediss://:secret@host"), "Redis at rediss://host:6379/0");
        for wrong in ["", "host:6379", "http://secret@host", "redis://host/secret", "redis://:secret@", "secret"] {
            let error = Address::of(wrong).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::Config);
            assert!(!format!("{error:?}").contains("secret"), "{error:?}");
        }
    }

    #[test]
    fn old_versions_are_refused() {
        let address = Address::of("redis://host").unwrap();
        for (info, is_supported) in [
            ("# Server\r\nredis_version:7.0.15\r\n", true),
            ("redis_version:6.2.0\r\nmaxmemory_policy:allkeys-lru\r\n", true),
            ("redis_version:6.0.16\r\n", false),
            ("redis_version:2.8\r\n", false),
            ("redis_version:unknown\r\n", false),
            ("", false),
        ] {
            let checked = address.check(info);
            assert_eq!(checked.is_ok(), is_supported, "{info}");
            assert!(checked.err().is_none_or(|error| error.kind() == ErrorKind::Unavailable));
        }
    }
}
