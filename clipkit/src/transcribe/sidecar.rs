//! Caption files beside a video: how they are found and ordered.

use std::fs;
use std::path::{Path, PathBuf};

/// A caption file, and what its name says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sidecar {
    pub(super) path: PathBuf,
    pub(super) language: Option<String>,
    /// The place in the order of preference. Files with one key hold the same captions in several
    /// formats.
    key: (Tier, bool, Option<String>),
}

impl Sidecar {
    /// A file that was given, whatever its name.
    pub(super) fn given(path: PathBuf) -> Self {
        Sidecar { path, language: None, key: (Tier::Untagged, false, None) }
    }

    pub(super) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Whether `other` has other captions: another language, or another kind.
    pub(super) fn differs_from(&self, other: &Sidecar) -> bool {
        self.key != other.key
    }
}

/// The languages that are wanted, as BCP 47 tags.
#[derive(Clone, Debug, Default)]
pub(super) struct Wanted {
    /// The language that the user asks for.
    pub(super) language: Option<String>,
    /// The language of the sound.
    pub(super) spoken: Option<String>,
}

/// How well a file's language fits, the best first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Tier {
    Untagged,
    /// yt-dlp's `en-orig`: the language that is spoken.
    Original,
    Wanted,
    Spoken,
    Other,
    /// Signs and foreign words only.
    Forced,
}

/// The file name endings in the order of preference: word times before cue times, `.json` last,
/// since it may be anything.
const ENDINGS: [&str; 18] = [
    "transcript.json",
    "words.json",
    "word_timings.json",
    "json3",
    "vtt",
    "srt",
    "ass",
    "ssa",
    "ttml",
    "dfxp",
    "srv3",
    "srv2",
    "srv1",
    "sbv",
    "lrc",
    "smi",
    "tsv",
    "json",
];

/// The caption files beside `video` in the order to try them: without a language first, then by how
/// well the language fits, those made by people before automatic ones.
///
/// Names are compared after Unicode normalization: file systems and archives change it.
pub(super) fn beside(video: &Path, wanted: &Wanted) -> Vec<Sidecar> {
    let (Some(stem), Some(name), Some(folder)) = (video.file_stem(), video.file_name(), video.parent()) else { return Vec::new() };
    // `talk.mp4.srt` before `talk.`, which is its beginning.
    let heads = [name, stem].map(|head| format!("{}.", composed(&head.to_string_lossy())));
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(Sidecar, usize)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = folder.join(entry.file_name());
            let name = composed(&entry.file_name().to_string_lossy());
            let rest = heads.iter().find_map(|head| name.strip_prefix(head.as_str()))?;
            let (tag, rank) = classify(rest)?;
            let key = (tag.tier(wanted), tag.automatic, tag.language.clone());
            (path != video && path.is_file()).then_some((Sidecar { path, language: tag.language, key }, rank))
        })
        .collect();
    found.sort_by(|(a, rank_a), (b, rank_b)| (&a.key, rank_a, &a.path).cmp(&(&b.key, rank_b, &b.path)));
    found.into_iter().map(|(sidecar, _)| sidecar).collect()
}

/// A name in Unicode's composed form.
fn composed(name: &str) -> String {
    icu_normalizer::ComposingNormalizerBorrowed::new_nfc().normalize(name).into_owned()
}

/// What stands between a video's name and the ending.
#[derive(Debug, Default, PartialEq, Eq)]
struct Tag {
    language: Option<String>,
    original: bool,
    automatic: bool,
    forced: bool,
}

impl Tag {
    fn tier(&self, wanted: &Wanted) -> Tier {
        let fits = |wanted: &Option<String>| {
            wanted.as_ref().zip(self.language.as_ref()).is_some_and(|(wanted, language)| super::language::same(wanted, language))
        };
        match self.language {
            _ if self.forced => Tier::Forced,
            _ if self.original => Tier::Original,
            None => Tier::Untagged,
            Some(_) if fits(&wanted.language) => Tier::Wanted,
            Some(_) if fits(&wanted.spoken) => Tier::Spoken,
            Some(_) => Tier::Other,
        }
    }
}

/// What a name says after the video's name (`vtt`: nothing, `en.vtt`: `en`), and the ending's index
/// in [`ENDINGS`]. `None` if the file holds no captions of this video.
fn classify(rest: &str) -> Option<(Tag, usize)> {
    let lower = rest.to_ascii_lowercase();
    let is_ending = |ending: &str| lower == ending || lower.strip_suffix(ending).is_some_and(|before| before.ends_with('.'));
    let rank = ENDINGS.iter().position(|ending| is_ending(ending))?;
    let middle = rest.get(..rest.len() - ENDINGS[rank].len())?.trim_end_matches('.');
    let mut tag = Tag::default();
    for part in middle.split('.').filter(|part| !part.is_empty()) {
        match part.to_ascii_lowercase().as_str() {
            "forced" => tag.forced = true,
            "auto" | "automatic" | "asr" | "generated" => tag.automatic = true,
            "default" | "sdh" | "cc" | "full" | "sub" | "subs" | "subtitles" | "captions" => {}
            // Hearing impaired, after a language.
            "hi" if tag.language.is_some() => {}
            _ if tag.language.is_none() => {
                let (language, original) = language_of(part)?;
                (tag.language, tag.original) = (Some(language), original);
            }
            _ => return None,
        }
    }
    // `talk.en.json` is rather a program's translation.
    (middle.is_empty() || ENDINGS[rank] != "json").then_some((tag, rank))
}

/// The language that a part of a name states, and whether it is the original: `en`, `pt-BR`,
/// `en-orig`, `en-dQw4w9WgXcQ` (with the id of a track), `English`.
fn language_of(part: &str) -> Option<(String, bool)> {
    const ID_CHARS: usize = 11;
    let id = part.len().checked_sub(ID_CHARS + 1).filter(|at| part.is_char_boundary(*at) && part[*at..].starts_with('-'));
    let is_id = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    let tag = match id.map(|at| part.split_at(at)) {
        Some((tag, id)) if is_language(tag) && is_id(&id[1..]) => tag,
        _ => part,
    };
    let lower = tag.to_ascii_lowercase().replace('_', "-");
    if is_language(&lower) {
        let original = lower.strip_suffix("-orig");
        return Some((original.unwrap_or(&lower).to_owned(), original.is_some()));
    }
    (tag.chars().count() > 3).then(|| super::language::tag(tag)).flatten().map(|language| (language, false))
}

/// Whether `tag` has the form of a BCP 47 tag: `en`, `pt-br`, `en-orig`, `zh-hans`.
pub(super) fn is_language(tag: &str) -> bool {
    let mut parts = tag.split('-');
    let primary = parts.next().unwrap_or_default();
    matches!(primary.len(), 2 | 3)
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && parts.all(|part| (1..=8).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_alphanumeric()))
        && tag.len() <= 35
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(video: &str, names: &[&str], wanted: &Wanted) -> Vec<String> {
        let folder = tempfile::tempdir().unwrap();
        for name in names {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        beside(&folder.path().join(video), wanted).iter().map(Sidecar::name).collect()
    }

    #[test]
    fn sidecars_are_found_in_a_fixed_order() {
        let names = [
            "talk.mp4",
            "talk.de.vtt",
            "talk.en.srt",
            "talk.en.vtt",
            "talk.json",
            "talk.info.json",
            "talk.live_chat.json",
            "talk.SRT",
            "talk.vtt",
            "talk.words.json",
            "talk.txt",
            "talk.part2.srt",
            "talk2.vtt",
            "other.vtt",
        ];
        let expected = ["talk.words.json", "talk.vtt", "talk.SRT", "talk.json", "talk.de.vtt", "talk.en.vtt", "talk.en.srt"];
        assert_eq!(found("talk.mp4", &names, &Wanted::default()), expected);
    }

    #[test]
    fn the_language_that_fits_comes_first() {
        let names = [
            "talk.fr.vtt",
            "talk.de.vtt",
            "talk.en.auto.vtt",
            "talk.en-dQw4w9WgXcQ.vtt",
            "talk.es-orig.vtt",
            "talk.German.srt",
            "talk.en.forced.srt",
            "talk.pt-BR.hi.srt",
        ];
        let wanted = Wanted { language: Some("de".into()), spoken: Some("en".into()) };
        let expected = [
            "talk.es-orig.vtt",
            "talk.de.vtt",
            "talk.German.srt",
            "talk.en-dQw4w9WgXcQ.vtt",
            "talk.en.auto.vtt",
            "talk.fr.vtt",
            "talk.pt-BR.hi.srt",
            "talk.en.forced.srt",
        ];
        assert_eq!(found("talk.mp4", &names, &wanted), expected);
    }

    #[test]
    fn names_of_downloaders_and_other_normalizations_are_known() {
        let decomposed = "Cafe\u{301}.en.vtt";
        assert_eq!(found("Caf\u{e9}.mp4", &[decomposed], &Wanted::default()), [decomposed]);
        assert_eq!(found("Cafe\u{301}.mp4", &["Caf\u{e9}.srt"], &Wanted::default()), ["Caf\u{e9}.srt"]);
        // Letters of Korean come apart, too.
        assert_eq!(found("\u{ac15}.mp4", &["\u{1100}\u{1161}\u{11bc}.ko.vtt"], &Wanted::default()).len(), 1);
        assert_eq!(found("talk.mp4", &["talk.mp4.srt", "talk.mp4.en.srt"], &Wanted::default()), ["talk.mp4.srt", "talk.mp4.en.srt"]);
        let language = |rest: &str| classify(rest).and_then(|(tag, _)| tag.language);
        for (rest, expected) in [
            ("en-dQw4w9WgXcQ.vtt", "en"),
            ("pt-BR-a_b-c_d-e_f.vtt", "pt-br"),
            ("English.srt", "en"),
            ("zh-Hans.ttml", "zh-hans"),
            ("en_US.srt", "en-us"),
        ] {
            assert_eq!(language(rest).as_deref(), Some(expected), "{rest}");
        }
    }

    #[test]
    fn languages_are_distinguished_from_other_words() {
        assert!(["en", "pt-BR", "en-orig", "zh-Hans", "gsw"].iter().all(|tag| is_language(tag)));
        assert!(["", "info", "e", "live_chat", "en-", "2n", "words"].iter().all(|tag| !is_language(tag)));
    }
}
