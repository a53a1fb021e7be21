//! Bytes to text: byte order marks, UTF-16 without one, UTF-8, and guessed encodings.

use chardetng::{EncodingDetector, Iso2022JpDetection, Utf8Detection};
use encoding_rs::{EUC_JP, Encoding, SHIFT_JIS, UTF_8, UTF_16BE, UTF_16LE};

use crate::error::{Error, ErrorKind, Result};

/// A file's text and how it was decoded.
#[derive(Debug)]
pub(super) struct Decoded {
    pub(super) text: String,
    /// The encoding's name, if it was neither stated nor evident.
    pub(super) guessed: Option<&'static str>,
    /// How many characters were damaged and are replaced by U+FFFD.
    pub(super) damaged: usize,
}

/// How much of a file is looked at to find out its encoding. Detection is slow.
const SAMPLE_BYTES: usize = 1 << 20;

/// Decodes a file. A byte order mark decides, then `encoding`, then the bytes.
///
/// # Errors
///
/// [`ErrorKind::Config`] if `encoding` is no name of an encoding.
pub(super) fn decode(bytes: &[u8], encoding: Option<&str>) -> Result<Decoded> {
    let stated = encoding.map(named).transpose()?;
    let (encoding, guessed) = match (Encoding::for_bom(bytes), stated) {
        (Some((marked, _)), _) => (marked, false),
        (None, Some(stated)) => (stated, false),
        (None, None) => detect(bytes),
    };
    let (text, _, _) = encoding.decode(bytes);
    // NUL bytes are left of UTF-32, and of files with padding.
    let text: String = if text.contains('\0') { text.replace('\0', "") } else { text.into_owned() };
    let damaged = text.matches('\u{fffd}').count();
    Ok(Decoded { text, guessed: guessed.then(|| encoding.name()), damaged })
}

/// Decodes the parts of one text, such as the cues of a stream. A byte order mark decides for its
/// part, then `encoding`, then the bytes of all parts.
///
/// # Errors
///
/// [`ErrorKind::Config`] if `encoding` is no name of an encoding.
pub(super) fn decode_parts(parts: &[&[u8]], encoding: Option<&str>) -> Result<(Vec<String>, Decoded)> {
    let unmarked: Vec<&[u8]> = parts.iter().copied().filter(|part| Encoding::for_bom(part).is_none()).collect();
    // Two line ends keep the places of UTF-16.
    let all = unmarked.join(&b"\n\n"[..]);
    let (shared, guessed) = match encoding.map(named).transpose()? {
        Some(stated) => (stated, false),
        None => detect(&all),
    };
    let texts: Vec<String> = parts.iter().map(|part| shared.decode(part).0.replace('\0', "")).collect();
    let damaged = texts.iter().map(|text| text.matches('\u{fffd}').count()).sum();
    Ok((texts, Decoded { text: String::new(), guessed: guessed.then(|| shared.name()), damaged }))
}

/// The encoding with this name or label: `windows-1251`, `cp1251`, `GBK`, `Shift_JIS`.
pub(super) fn named(label: &str) -> Result<&'static Encoding> {
    let label = label.trim();
    let known = |label: &str| Encoding::for_label_no_replacement(label.as_bytes());
    // Python and iconv know names that the Encoding Standard does not.
    let lower = label.to_ascii_lowercase().replace('_', "-");
    let python = match lower.as_str() {
        "cp932" | "ms932" | "sjis" => Some("shift_jis"),
        "cp936" | "gb2312" | "ms936" => Some("gbk"),
        "cp949" | "uhc" | "ms949" => Some("euc-kr"),
        "cp950" | "ms950" => Some("big5"),
        "utf16" => Some("utf-16le"),
        "mac-roman" => Some("macintosh"),
        _ => None,
    };
    let numbered = || lower.strip_prefix("cp-").or_else(|| lower.strip_prefix("win-")).or_else(|| lower.strip_prefix("windows"));
    known(label)
        .or_else(|| known(&lower))
        .or_else(|| python.and_then(known))
        .or_else(|| numbered().and_then(|number| known(&format!("windows-{}", number.trim_start_matches('-')))))
        .ok_or_else(|| {
            Error::new(ErrorKind::Config, format!("{label:?} is no name of a text encoding"))
                .with_advice("name one of the Encoding Standard: utf-8, utf-16le, windows-1251, gbk, shift_jis, euc-kr, big5 ...")
        })
}

/// The encoding of text without a byte order mark, and whether it is a guess.
fn detect(bytes: &[u8]) -> (&'static Encoding, bool) {
    let sample = &bytes[..bytes.len().min(SAMPLE_BYTES)];
    if let Some(wide) = utf_16(sample) {
        return (wide, false);
    }
    if is_utf_8(bytes) {
        return (UTF_8, false);
    }
    if let Some(japanese) = japanese(sample) {
        return (japanese, true);
    }
    let mut detector = EncodingDetector::new(Iso2022JpDetection::Allow);
    detector.feed(sample, true);
    (detector.guess(None, Utf8Detection::Deny), true)
}

/// Shift_JIS or EUC-JP by their kana, which no other encoding has by chance. The detector takes
/// short texts in them for others.
fn japanese(sample: &[u8]) -> Option<&'static Encoding> {
    [SHIFT_JIS, EUC_JP].into_iter().find(|encoding| {
        let (text, _, damaged) = encoding.decode(sample);
        let (mut kana, mut all) = (0usize, 0usize);
        for letter in text.chars().filter(|letter| !letter.is_ascii()) {
            all += 1;
            kana += usize::from(('\u{3041}'..='\u{30ff}').contains(&letter));
        }
        !damaged && kana * 4 > all
    })
}

/// UTF-16 without a byte order mark. Digits, spaces and line ends of a caption file have a zero
/// byte there, and no other encoding has zero bytes.
fn utf_16(sample: &[u8]) -> Option<&'static Encoding> {
    let zeros = |odd: usize| sample.iter().skip(odd).step_by(2).filter(|byte| **byte == 0).count();
    let (even, odd) = (zeros(0), zeros(1));
    if (even + odd) * 50 < sample.len().max(4) {
        return None;
    }
    match (even, odd) {
        (even, odd) if odd > even * 8 => Some(UTF_16LE),
        (even, odd) if even > odd * 8 => Some(UTF_16BE),
        _ => None,
    }
}

/// Whether the bytes are UTF-8, perhaps with a few damaged places: a file cut inside a character,
/// or tokens of half a character, as whisper.cpp writes.
fn is_utf_8(bytes: &[u8]) -> bool {
    let (mut whole, mut damaged) = (0usize, 0usize);
    for chunk in bytes.utf8_chunks() {
        whole += chunk.valid().chars().filter(|letter| !letter.is_ascii()).count();
        damaged += usize::from(!chunk.invalid().is_empty());
    }
    damaged == 0 || whole > damaged * 4 || (damaged == 1 && (whole == 0 && is_cut(bytes) || whole > 0 && ends_early(bytes)))
}

/// Whether the bytes end inside a UTF-8 character.
fn ends_early(bytes: &[u8]) -> bool {
    std::str::from_utf8(bytes).err().is_some_and(|error| error.error_len().is_none())
}

/// Whether the bytes end in the first bytes of a UTF-8 character of three or four bytes.
fn is_cut(bytes: &[u8]) -> bool {
    let tail = bytes.len() - bytes.len().min(3);
    std::str::from_utf8(&bytes[tail..]).err().is_some_and(|error| error.error_len().is_none())
        && bytes.last().is_some_and(|byte| *byte < 0xc0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const RUSSIAN: &str = "1\n00:00:00,500 --> 00:00:03,253\nПочему мосты ломаются в первую зиму?\n\n2\n00:00:04,000 --> 00:00:06,000\nОтвет меня удивил, и он стоил городу миллион.\n";

    #[test]
    fn unicode_is_recognized_with_and_without_a_mark() {
        let wide = |big: bool| -> Vec<u8> {
            RUSSIAN.encode_utf16().flat_map(|unit| if big { unit.to_be_bytes() } else { unit.to_le_bytes() }).collect()
        };
        let wider: Vec<u8> = "\u{feff}1\n00:01 --> 00:02\nHi".chars().flat_map(|c| u32::from(c).to_le_bytes()).collect();
        let cases: [(Vec<u8>, &str); 6] = [
            (RUSSIAN.into(), RUSSIAN),
            (["\u{feff}", RUSSIAN].concat().into(), RUSSIAN),
            (wide(false), RUSSIAN),
            (wide(true), RUSSIAN),
            ([&[0xfe, 0xff][..], &wide(true)].concat(), RUSSIAN),
            (wider, "1\n00:01 --> 00:02\nHi"),
        ];
        for (bytes, expected) in cases {
            let decoded = decode(&bytes, None).unwrap();
            assert_eq!((decoded.text.as_str(), decoded.guessed, decoded.damaged), (expected, None, 0));
        }
    }

    #[test]
    fn other_encodings_are_guessed_and_said() {
        let chinese = "为什么大多数桥梁会在第一个冬天垮掉？答案让人大吃一惊，也让镇子花了很多钱。我们在二月份数到了四百条裂缝。";
        let japanese = "なぜ多くの橋は最初の冬に壊れるのでしょうか。答えは驚くべきものでした。";
        let korean = "왜 대부분의 다리는 첫 겨울에 무너질까요? 그 답은 우리 마을에 큰 돈이 들었습니다.";
        let polish = "Dlaczego większość mostów pęka w pierwszą zimę? Odpowiedź mnie zaskoczyła, żółć gęślą jaźń.";
        let taiwanese = "為什麼大多數橋樑會在第一個冬天垮掉？答案讓我們大吃一驚，也讓鎮子花了很多錢。";
        let cases = [
            ("windows-1251", RUSSIAN),
            ("GBK", chinese),
            ("Shift_JIS", japanese),
            ("EUC-JP", japanese),
            ("EUC-KR", korean),
            ("Big5", taiwanese),
            ("windows-1250", polish),
            ("windows-1252", "Der Bär hört täglich süße Töne über die Brücke, schön größer als früher."),
        ];
        for (name, text) in cases {
            let (bytes, encoding, lost) = Encoding::for_label(name.as_bytes()).unwrap().encode(text);
            assert!(!lost);
            let decoded = decode(&bytes, None).unwrap();
            assert_eq!(decoded.text, text, "{name}: {:?}", decoded.guessed);
            assert!(decoded.guessed.is_some());
            // The name that the file's author would give.
            assert_eq!(decode(&bytes, Some(encoding.name())).unwrap().text, text);
        }
    }

    #[test]
    fn names_of_encodings_are_those_that_people_use() {
        for (label, name) in [
            ("cp1251", "windows-1251"),
            ("CP-1250", "windows-1250"),
            ("win-1252", "windows-1252"),
            ("windows1251", "windows-1251"),
            ("latin1", "windows-1252"),
            ("cp932", "Shift_JIS"),
            ("euc_kr", "EUC-KR"),
            ("UTF8", "UTF-8"),
            (" gb2312 ", "GBK"),
        ] {
            assert_eq!(named(label).unwrap().name(), name, "{label}");
        }
        let error = named("klingon").unwrap_err();
        assert!(error.kind() == ErrorKind::Config && error.to_string().contains("klingon"), "{error}");
    }

    #[test]
    fn a_cut_file_stays_utf_8() {
        for end in 1..RUSSIAN.len() {
            let decoded = decode(&RUSSIAN.as_bytes()[..end], None).unwrap();
            assert!(decoded.guessed.is_none() || RUSSIAN[..RUSSIAN.floor_char_boundary(end)].is_ascii(), "{end}: {decoded:?}");
        }
    }
}
