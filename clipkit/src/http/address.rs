//! Which network addresses may be connected to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use url::{Host, Url};

use crate::error::{Error, ErrorKind, Result};

/// The address ranges that are allowed besides the public ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Allowed(Vec<(IpAddr, u8)>);

impl Allowed {
    /// Reads addresses and networks: `127.0.0.1`, `10.1.0.0/16`, `fd00::/8`.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::Config`] if a text is neither.
    pub(crate) fn parse(texts: &[String]) -> Result<Self> {
        texts.iter().map(|text| network(text)).collect::<Result<_>>().map(Allowed)
    }

    /// Whether a connection may be made to `address`.
    pub(crate) fn permits(&self, address: IpAddr) -> bool {
        let address = plain(address);
        is_public(address) || self.0.iter().any(|(network, bits)| contains(*network, *bits, address))
    }

    /// Refuses a URL that is not HTTP or HTTPS, or whose host is written as an address that is not
    /// permitted. A host's name is not resolved.
    pub(crate) fn check_url(&self, url: &Url) -> Result<()> {
        if !matches!(url.scheme(), "http" | "https") {
            return Err(Error::new(ErrorKind::InvalidInput, "this is not an HTTP address").with_url(url.as_str()));
        }
        let address = match url.host() {
            Some(Host::Ipv4(address)) => IpAddr::V4(address),
            Some(Host::Ipv6(address)) => IpAddr::V6(address),
            Some(Host::Domain(_)) => return Ok(()),
            None => return Err(Error::new(ErrorKind::InvalidInput, "this address names no host").with_url(url.as_str())),
        };
        if self.permits(address) { Ok(()) } else { Err(refused(url)) }
    }
}

/// Refuses an HTTP address whose host is written as a private address, or names this machine.
/// `allowed` has the networks that are allowed all the same. The source checks what a name resolves
/// to when it connects; this check only answers earlier.
///
/// # Errors
///
/// [`ErrorKind::Denied`] for a private address, [`ErrorKind::InvalidInput`] if it is no HTTP
/// address, [`ErrorKind::Config`] if a text in `allowed` is no network.
pub(crate) fn check_public(uri: &str, allowed: &[String]) -> Result<()> {
    let allowed = Allowed::parse(allowed)?;
    let url =
        Url::parse(uri).map_err(|error| Error::new(ErrorKind::InvalidInput, format!("this is not an address: {error}")).with_url(uri))?;
    allowed.check_url(&url)?;
    let name = url.host_str().unwrap_or_default().trim_end_matches('.').to_ascii_lowercase();
    let is_here = name == "localhost" || name.ends_with(".localhost");
    if is_here && !allowed.permits(IpAddr::V4(Ipv4Addr::LOCALHOST)) { Err(refused(&url)) } else { Ok(()) }
}

/// The error for a URL that leads to an address that is not permitted. It does not show what a name
/// resolves to.
pub(crate) fn refused(url: &Url) -> Error {
    Error::new(ErrorKind::Denied, "this address leads into a private network")
        .with_url(url.as_str())
        .with_advice("name the network in allow_private (--allow-private 192.168.1.0/24) if that is intended")
}

fn network(text: &str) -> Result<(IpAddr, u8)> {
    let invalid = || {
        Error::new(ErrorKind::Config, format!("{text:?} is no network"))
            .with_advice("give addresses or networks such as 127.0.0.1 or 10.1.0.0/16")
    };
    let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
    let address: IpAddr = address.trim().parse().map_err(|_| invalid())?;
    let longest = if address.is_ipv4() { 32 } else { 128 };
    let bits = bits.map_or(Ok(longest), |bits| bits.trim().parse::<u8>().map_err(|_| invalid()))?;
    if bits > longest { Err(invalid()) } else { Ok((address, bits)) }
}

/// An IPv4 address that is written as IPv6, as IPv4.
fn plain(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

fn contains(network: IpAddr, bits: u8, address: IpAddr) -> bool {
    let (network, address, longest) = match (network, address) {
        (IpAddr::V4(network), IpAddr::V4(address)) => (u128::from(network.to_bits()), u128::from(address.to_bits()), 32),
        (IpAddr::V6(network), IpAddr::V6(address)) => (network.to_bits(), address.to_bits(), 128),
        _ => return false,
    };
    let host_bits = u32::from(longest - bits.min(longest));
    network.checked_shr(host_bits).unwrap_or(0) == address.checked_shr(host_bits).unwrap_or(0)
}

/// Whether an address is reachable for everyone: not in a range of IANA's special-purpose
/// registries (RFC 6890) that is private, local or reserved.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    /// "This network", private use, shared by carriers, loopback, link local, protocol assignments,
    /// documentation, 6to4 relays, benchmarks, multicast, reserved.
    const SPECIAL: [([u8; 4], u8); 16] = [
        ([0, 0, 0, 0], 8),
        ([10, 0, 0, 0], 8),
        ([100, 64, 0, 0], 10),
        ([127, 0, 0, 0], 8),
        ([169, 254, 0, 0], 16),
        ([172, 16, 0, 0], 12),
        ([192, 0, 0, 0], 24),
        ([192, 0, 2, 0], 24),
        ([192, 88, 99, 0], 24),
        ([192, 168, 0, 0], 16),
        ([198, 18, 0, 0], 15),
        ([198, 51, 100, 0], 24),
        ([203, 0, 113, 0], 24),
        ([168, 63, 129, 16], 32),
        ([224, 0, 0, 0], 4),
        ([240, 0, 0, 0], 4),
    ];
    !SPECIAL.iter().any(|(network, bits)| contains(IpAddr::V4((*network).into()), *bits, IpAddr::V4(address)))
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let words = address.segments();
    let inner = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low));
    match words {
        // An IPv4 address behind a translator (RFC 6052) or in 6to4 (RFC 3056).
        [0x64, 0xff9b, 0, 0, 0, 0, high, low] => is_public_v4(inner(high, low)),
        [0x2002, high, low, ..] => is_public_v4(inner(high, low)),
        // Local translators, Teredo and other protocol assignments, documentation.
        [0x64, 0xff9b, ..] | [0x2001, 0..=0x1ff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..] => false,
        // Only global unicast addresses are left.
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn private_and_reserved_ranges_are_not_public() {
        for private in [
            "0.0.0.0",
            "0.1.2.3",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.255.0.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.9.9",
            "192.0.0.8",
            "192.0.2.1",
            "192.168.0.1",
            "198.18.0.1",
            "198.19.255.1",
            "203.0.113.7",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::7f00:1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::",
            "2001::1",
            "2001:db8::1",
            "168.63.129.16",
        ] {
            assert!(!Allowed::default().permits(private.parse().unwrap()), "{private}");
        }
        for public in
            ["1.1.1.1", "8.8.8.8", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "::ffff:8.8.8.8", "64:ff9b::808:808", "2002:808:808::"]
        {
            assert!(Allowed::default().permits(public.parse().unwrap()), "{public}");
        }
    }

    #[test]
    fn allowed_networks_are_permitted_and_no_others() {
        let allowed = Allowed::parse(&["10.1.0.0/16".into(), "127.0.0.1".into(), "fd00::/8".into()]).unwrap();
        for (address, permitted) in [
            ("10.1.200.3", true),
            ("10.2.0.1", false),
            ("127.0.0.1", true),
            ("::ffff:127.0.0.1", true),
            ("127.0.0.2", false),
            ("fd12::3", true),
            ("fc12::3", false),
        ] {
            assert_eq!(allowed.permits(address.parse().unwrap()), permitted, "{address}");
        }
        assert!(Allowed::parse(&["0.0.0.0/0".into()]).unwrap().permits("10.9.9.9".parse().unwrap()));
        for invalid in ["", "localhost", "10.0.0.0/33", "10.0.0.0/x", "::/129"] {
            assert_eq!(Allowed::parse(&[invalid.to_owned()]).unwrap_err().kind(), ErrorKind::Config, "{invalid}");
        }
    }

    #[test]
    fn hosts_in_urls_are_checked_however_they_are_written() {
        let check = |url: &str| Allowed::default().check_url(&Url::parse(url).unwrap());
        for url in [
            "http://127.0.0.1/",
            "http://2130706433/",
            "http://0x7f.1/",
            "http://0177.0.0.1/a",
            "http://[::1]/",
            "http://[::ffff:10.0.0.1]/",
        ] {
            assert_eq!(check(url).unwrap_err().kind(), ErrorKind::Denied, "{url}");
        }
        for here in ["http://localhost/a", "http://LOCALHOST.:80/", "http://a.localhost/", "http://127.1/"] {
            assert_eq!(check_public(here, &[]).unwrap_err().kind(), ErrorKind::Denied, "{here}");
            check_public(here, &["127.0.0.0/8".to_owned()]).unwrap();
        }
        assert_eq!(check("file:///etc/passwd").unwrap_err().kind(), ErrorKind::InvalidInput);
        assert!(check("https://example.com/a").is_ok() && check("http://1.1.1.1/").is_ok());
    }
}
