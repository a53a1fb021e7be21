//! Signatures of Standard Webhooks, version 1: HMAC-SHA256 (RFC 2104) of `id.timestamp.body`. Pure.

use std::time::{Duration, SystemTime};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::error::{Error, ErrorKind, Result};

/// How far the clocks of both sides may be apart.
const TOLERANCE: Duration = Duration::from_secs(300);

/// The headers of a message: its id, which stays the same when it is sent again, the seconds since
/// 1970, and the signature.
pub(crate) const HEADERS: [&str; 3] = ["webhook-id", "webhook-timestamp", "webhook-signature"];

/// A signature in the making. The body is fed in pieces.
pub(crate) struct Signing(Hmac<Sha256>);

impl Signing {
    /// Begins the signature of a message. `timestamp` is in seconds since 1970.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if the secret is `whsec_` without base64 behind it.
    pub(crate) fn new(secret: &str, id: &str, timestamp: &str) -> Result<Self> {
        let key = key(secret)?;
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&key).map_err(|_| Error::new(ErrorKind::Config, "the webhook's secret cannot be a key"))?;
        for part in [id, ".", timestamp, "."] {
            mac.update(part.as_bytes());
        }
        Ok(Signing(mac))
    }

    /// Adds a piece of the body.
    pub(crate) fn update(&mut self, piece: &[u8]) {
        self.0.update(piece);
    }

    /// `v1,` and the signature in base64.
    pub(crate) fn finish(self) -> String {
        format!("v1,{}", STANDARD.encode(self.0.finalize().into_bytes()))
    }

    /// Whether one of the signatures in a header is right. The comparison takes the same time
    /// wherever they differ.
    fn stands_in(self, header: &str) -> bool {
        let offered = header.split(' ').filter_map(|one| STANDARD.decode(one.strip_prefix("v1,")?).ok());
        let mut right = false;
        for signature in offered {
            right |= self.0.clone().verify_slice(&signature).is_ok();
        }
        right
    }
}

fn key(secret: &str) -> Result<Vec<u8>> {
    match secret.strip_prefix("whsec_") {
        Some(encoded) => STANDARD.decode(encoded).map_err(|_| {
            Error::new(ErrorKind::Config, "the webhook's secret begins with whsec_, and what follows is not base64")
                .with_advice("copy the whole secret")
        }),
        None => Ok(secret.as_bytes().to_vec()),
    }
}

/// The values of [`HEADERS`] for a body in memory.
///
/// # Errors
///
/// Those of [`Signing::new`].
pub(crate) fn sign(secret: &str, id: &str, now: SystemTime, body: &[u8]) -> Result<[String; 3]> {
    let timestamp = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs().to_string();
    let mut signing = Signing::new(secret, id, &timestamp)?;
    signing.update(body);
    Ok([id.to_owned(), timestamp, signing.finish()])
}

/// Checks a signed message that was received at `now`.
pub(crate) fn verify(secret: &str, id: &str, timestamp: &str, signature: &str, body: &[u8], now: SystemTime) -> Result<()> {
    let denied = |what: &str| Err(Error::new(ErrorKind::Denied, format!("the webhook's request is not accepted: {what}")));
    let sent = timestamp.parse().ok().and_then(|seconds| SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs(seconds)));
    let Some(sent) = sent else { return denied("its timestamp is no number") };
    let apart = now.duration_since(sent).or_else(|_| sent.duration_since(now)).unwrap_or_default();
    let mut signing = Signing::new(secret, id, timestamp)?;
    signing.update(body);
    if !signing.stands_in(signature) {
        return denied("its signature is not right");
    }
    if apart > TOLERANCE { denied("it is too old, or the clocks differ") } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    const ID: &str = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    const BODY: &[u8] = br#"{"test": 2432232314}"#;
    const RIGHT: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(seconds)
    }

    /// The message of the specification's own libraries.
    #[test]
    fn a_message_has_the_signature_of_the_specification() {
        let secret = SECRET;
        let mut signing = Signing::new(secret, ID, "1614265330").unwrap();
        for piece in BODY.chunks(3) {
            signing.update(piece);
        }
        assert_eq!(signing.finish(), RIGHT);
        verify(secret, ID, "1614265330", &format!("v1,AAAA v2,x {RIGHT}"), BODY, at(1_614_265_330)).unwrap();
    }

    /// RFC 4231, test case 2: key "Jefe", data "what do ya want for nothing?".
    #[test]
    fn the_function_is_the_standards() {
        let mut mac = Hmac::<Sha256>::new_from_slice(b"Jefe").unwrap();
        mac.update(b"what do ya want for nothing?");
        let hex: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn anything_else_is_denied() {
        let secret = SECRET;
        let check = |id: &str, timestamp: &str, signature: &str, body: &[u8], now: u64| {
            verify(secret, id, timestamp, signature, body, at(now)).map_err(|error| error.kind())
        };
        let now = 1_614_265_330;
        assert_eq!(check(ID, "1614265330", RIGHT, BODY, now + 300), Ok(()));
        for denied in [
            check(ID, "1614265330", RIGHT, BODY, now + 301),
            check(ID, "1614265330", RIGHT, BODY, now - 301),
            check("msg", "1614265330", RIGHT, BODY, now),
            check(ID, "1614265331", RIGHT, BODY, now),
            check(ID, "soon", RIGHT, BODY, now),
            check(ID, "1614265330", RIGHT, b"{}", now),
            check(ID, "1614265330", "", BODY, now),
            check(ID, "1614265330", &RIGHT[3..], BODY, now),
        ] {
            assert_eq!(denied, Err(ErrorKind::Denied));
        }
        let error = Signing::new("whsec_hunter2!", ID, "1").err().unwrap();
        assert!(error.kind() == ErrorKind::Config && !error.to_string().contains("hunter2"), "{error}");
    }
}
