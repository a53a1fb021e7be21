//! How the platforms differ from the standard. Pure.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

/// How a platform's logins differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Dialect {
    /// The name of the app's id in requests.
    pub(super) client_field: &'static str,
    /// What stands between scopes.
    pub(super) separator: &'static str,
    pub(super) challenge: Challenge,
    /// The host and path of the address that the browser comes back to. Platforms compare them.
    pub(super) host: &'static str,
    pub(super) path: &'static str,
    /// Further values of the login's address.
    pub(super) further: &'static [(&'static str, &'static str)],
    /// What follows the code.
    pub(super) tokens: Obtaining,
}

/// How the challenge of PKCE is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Challenge {
    /// RFC 7636: Base64url.
    Standard,
    /// TikTok's: hexadecimal digits.
    Hex,
    /// Meta's logins of apps with a secret have none.
    None,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Obtaining {
    /// Tokens with a refresh token.
    Refreshing,
    /// A token of an hour, which is exchanged for one of 60 days; then the account's id.
    Exchanging,
}

impl Dialect {
    /// The dialect of a platform: the standard's for those that have none.
    pub(super) fn of(platform: &str) -> Self {
        let standard = Dialect {
            client_field: "client_id",
            separator: " ",
            challenge: Challenge::Standard,
            host: "127.0.0.1",
            path: "/",
            // Google gives a refresh token only if it is asked for one.
            further: &[("access_type", "offline"), ("prompt", "consent")],
            tokens: Obtaining::Refreshing,
        };
        match platform {
            // developers.tiktok.com/doc/login-kit-desktop
            "tiktok" => Dialect {
                client_field: "client_key",
                separator: ",",
                challenge: Challenge::Hex,
                path: "/callback/",
                further: &[],
                ..standard
            },
            // developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow
            "instagram" => Dialect {
                separator: ",",
                challenge: Challenge::None,
                host: "localhost",
                further: &[],
                tokens: Obtaining::Exchanging,
                ..standard
            },
            _ => standard,
        }
    }
}

impl Challenge {
    /// The challenge of a verifier by the method `S256`.
    pub(super) fn of(self, verifier: &str) -> Option<String> {
        let hash = Sha256::digest(verifier.as_bytes());
        match self {
            Challenge::Standard => Some(URL_SAFE_NO_PAD.encode(hash)),
            Challenge::Hex => Some(hash.iter().map(|byte| format!("{byte:02x}")).collect()),
            Challenge::None => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 7636, appendix B, and the same hash as TikTok writes it.
    #[test]
    fn the_challenge_is_the_standards_or_tiktoks() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(Challenge::Standard.of(verifier).as_deref(), Some("E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"));
        let hex = Challenge::Hex.of(verifier).unwrap();
        assert_eq!(hex, "13d31e961a1ad8ec2f16b10c4c982e0876a878ad6df144566ee1894acb70f9c3");
        assert_eq!(Challenge::None.of(verifier), None);
    }
}
