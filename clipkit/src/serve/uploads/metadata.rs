//! The header `Upload-Metadata` of tus: pairs of a key and a value in Base64.

/// The longest file name, in characters.
const LONGEST_NAME: usize = 120;
const LONGEST_HEADER: usize = 4096;

/// The file's name in the metadata, made safe: `filename`, else `name`. A name without safe
/// characters is `upload`.
pub(super) fn file_name(header: Option<&str>) -> Option<String> {
    let header = header.unwrap_or_default();
    if header.len() > LONGEST_HEADER {
        return None;
    }
    let mut pairs = Vec::new();
    for pair in header.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (key, value) = pair.split_once(' ').unwrap_or((pair, ""));
        pairs.push((key, decode(value.trim())?));
    }
    let named = |wanted: &str| pairs.iter().find(|(key, _)| *key == wanted).map(|(_, value)| String::from_utf8_lossy(value).into_owned());
    Some(safe(&named("filename").or_else(|| named("name")).unwrap_or_default()))
}

/// The last part of a name, of letters, digits, `-`, `_`, `.`.
fn safe(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let kept: String = last
        .chars()
        .map(|letter| if letter.is_alphanumeric() || "-_.".contains(letter) { letter } else { '-' })
        .take(LONGEST_NAME)
        .collect();
    let kept = kept.trim_matches(['.', '-']).to_owned();
    if kept.is_empty() { "upload".to_owned() } else { kept }
}

/// Base64 with padding (RFC 4648, section 4).
fn decode(text: &str) -> Option<Vec<u8>> {
    let (mut bits, mut count, mut bytes) = (0u32, 0, Vec::new());
    let plain = text.trim_end_matches('=');
    for byte in plain.bytes() {
        let value = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(value);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push(u8::try_from(bits >> count & 0xff).ok()?);
        }
    }
    (text.len().is_multiple_of(4) && plain.len() % 4 != 1).then_some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_and_made_safe() {
        for (header, expected) in [
            ("filename dGFsay5tcDQ=", Some("talk.mp4")),
            ("filetype dmlkZW8vbXA0,filename dGFsay5tcDQ=,is_confidential", Some("talk.mp4")),
            ("name dGFsay5tcDQ=", Some("talk.mp4")),
            // ../../etc/passwd
            ("filename Li4vLi4vZXRjL3Bhc3N3ZA==", Some("passwd")),
            // a<b>"c.mp4
            ("filename YTxiPiJjLm1wNA==", Some("a-b--c.mp4")),
            ("filename ", Some("upload")),
            ("", Some("upload")),
            ("filename !!", None),
            ("filename dGFsa", None),
        ] {
            assert_eq!(file_name(Some(header)).as_deref(), expected, "{header}");
        }
        assert_eq!(file_name(None).as_deref(), Some("upload"));
        assert_eq!(file_name(Some(&"a ,".repeat(3000))), None);
    }
}
