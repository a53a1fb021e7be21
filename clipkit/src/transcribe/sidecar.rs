//! Caption files beside a video: how they are found and ordered.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use crate::error::{Error, ErrorKind, Result};

/// The largest caption file in bytes. A day of word times is smaller.
const MAX_BYTES: u64 = 64 << 20;

/// A caption file, and the language in its name if there is one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sidecar {
    pub(super) path: PathBuf,
    pub(super) language: Option<String>,
}

/// The file name endings in the order of preference: word times before cue times, `.json` last,
/// since it may be anything.
const ENDINGS: [&str; 9] = ["transcript.json", "words.json", "word_timings.json", "json3", "vtt", "srt", "ass", "ssa", "json"];

/// The caption files beside `video` in the order to try them: without a language first, then by
/// language.
pub(super) fn beside(video: &Path) -> Vec<Sidecar> {
    let (Some(stem), Some(folder)) = (video.file_stem(), video.parent()) else { return Vec::new() };
    let stem = format!("{}.", stem.to_string_lossy());
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut found: Vec<(Option<String>, usize, PathBuf)> = entries
        .flatten()
        .filter_map(|entry| {
            let path = folder.join(entry.file_name());
            let name = entry.file_name().to_string_lossy().into_owned();
            let (language, rank) = classify(name.strip_prefix(&stem)?)?;
            (path != video && path.is_file()).then_some((language, rank, path))
        })
        .collect();
    found.sort();
    found.into_iter().map(|(language, _, path)| Sidecar { path, language }).collect()
}

/// The language in a name's ending (`vtt`: none, `en.vtt`: `en`), and the ending's index in
/// [`ENDINGS`].
fn classify(rest: &str) -> Option<(Option<String>, usize)> {
    let rest = rest.to_ascii_lowercase();
    let place = |ending: &str| ENDINGS.iter().position(|known| *known == ending);
    if let Some(rank) = place(&rest) {
        return Some((None, rank));
    }
    let (tag, ending) = rest.split_once('.')?;
    // `talk.info.json` is yt-dlp's metadata: `info` is no language.
    let rank = place(ending).filter(|_| is_language(tag) && ending != "json")?;
    Some((Some(tag.to_owned()), rank))
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

/// Reads a caption file's bytes.
///
/// # Errors
///
/// [`ErrorKind::InvalidInput`] if it is no file, or larger than [`MAX_BYTES`].
pub(super) fn bytes(path: &Path) -> Result<Vec<u8>> {
    let io = |error| Error::io(path, "read", error);
    let file = File::open(path).map_err(io)?;
    let meta = file.metadata().map_err(io)?;
    if !meta.is_file() {
        return Err(Error::new(ErrorKind::InvalidInput, "this is not a caption file").with_path(path));
    }
    if meta.len() > MAX_BYTES {
        let message = format!("the file has {} MB, more than the 64 MB that captions may have", meta.len() >> 20);
        return Err(Error::new(ErrorKind::InvalidInput, message).with_path(path));
    }
    let mut bytes = Vec::new();
    // The file may grow while it is read.
    file.take(MAX_BYTES).read_to_end(&mut bytes).map_err(io)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sidecars_are_found_in_a_fixed_order() {
        let folder = tempfile::tempdir().unwrap();
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
            "talk2.vtt",
            "other.vtt",
        ];
        for name in names {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        let found: Vec<String> =
            beside(&folder.path().join("talk.mp4")).iter().map(|s| s.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
        assert_eq!(found, ["talk.words.json", "talk.vtt", "talk.SRT", "talk.json", "talk.de.vtt", "talk.en.vtt", "talk.en.srt"]);
    }

    #[test]
    fn languages_are_distinguished_from_other_words() {
        assert!(["en", "pt-BR", "en-orig", "zh-Hans", "gsw"].iter().all(|tag| is_language(tag)));
        assert!(["", "info", "e", "live_chat", "en-", "2n", "words"].iter().all(|tag| !is_language(tag)));
    }
}
