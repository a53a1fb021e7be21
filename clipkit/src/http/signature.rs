//! Signatures of webhooks: HMAC-SHA256 (RFC 2104) over the time and the body.

#[cfg(test)]
use std::time::Duration;
use std::time::SystemTime;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The header of a signature.
pub(crate) const HEADER: &str = "Clipkit-Signature";

/// The value of the header for a body that is sent at a moment: `t=<seconds since 1970>,v1=<hex>`,
/// where `hex` is HMAC-SHA256 over `<t>.<body>`. The time is signed, too, so that a receiver can
/// refuse what was sent long ago.
pub(crate) fn sign(secret: &[u8], at: SystemTime, body: &[u8]) -> String {
    let seconds = at.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let hex: String = mac(secret, seconds, body).finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
    format!("t={seconds},v1={hex}")
}

/// Whether a header's value is the signature of a body and its time is at most `tolerance` from
/// `now`. The comparison takes constant time.
#[cfg(test)]
pub(crate) fn verify(secret: &[u8], header: &str, body: &[u8], now: SystemTime, tolerance: Duration) -> bool {
    let field =
        |name: &str| header.split(',').filter_map(|part| part.trim().split_once('=')).find(|(key, _)| *key == name).map(|(_, value)| value);
    let (Some(seconds), Some(given)) = (field("t").and_then(|value| value.parse::<u64>().ok()), field("v1")) else { return false };
    let now = now.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    let bytes: Option<Vec<u8>> = (0..given.len()).step_by(2).map(|at| u8::from_str_radix(given.get(at..at + 2)?, 16).ok()).collect();
    now.abs_diff(seconds) <= tolerance.as_secs() && bytes.is_some_and(|bytes| mac(secret, seconds, body).verify_slice(&bytes).is_ok())
}

fn mac(secret: &[u8], seconds: u64, body: &[u8]) -> Hmac<Sha256> {
    // A key of any length is a key.
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(secret).unwrap_or_else(|_| Hmac::new(&Default::default()));
    mac.update(seconds.to_string().as_bytes());
    mac.update(b".");
    mac.update(body);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme_is_the_documented_one() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let header = sign(b"0123456789abcdef", at, br#"{"event":"ended"}"#);
        // printf '1700000000.{"event":"ended"}' | openssl dgst -sha256 -hmac 0123456789abcdef
        assert_eq!(header, "t=1700000000,v1=babd028243f3c4eef07ffdcb7e479675cc6ae4c412f7526b9178c16d040a0dc3");
    }

    #[test]
    fn only_the_same_body_secret_and_time_verify() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000);
        let (secret, body, minute) = (b"0123456789abcdef".as_slice(), b"body".as_slice(), Duration::from_secs(60));
        let header = sign(secret, at, body);
        assert!(verify(secret, &header, body, at + minute, minute));
        assert!(!verify(secret, &header, body, at + minute * 2, minute), "too old");
        assert!(!verify(b"another secret", &header, body, at, minute));
        assert!(!verify(secret, &header, b"Body", at, minute));
        assert!(!verify(secret, &header.replace("t=17", "t=18"), body, at, minute * 10_000_000));
        for damaged in ["", "t=1", "v1=00", "t=x,v1=00", "t=1700000000,v1=0", "t=1700000000,v1=zz", &header[..header.len() - 1]] {
            assert!(!verify(secret, damaged, body, at, minute), "{damaged}");
        }
    }
}
