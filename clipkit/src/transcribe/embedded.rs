//! Subtitle streams inside a medium: which of them are read, in which order.

use super::language::{of_container, same};
use super::sidecar::Wanted;
use super::text::Coding;
use crate::model::{Media, SubtitleStream};

/// The subtitle streams of a medium.
#[derive(Debug, Default)]
pub(super) struct Streams<'a> {
    /// Those that are read, in the order to try them.
    pub(super) text: Vec<(&'a SubtitleStream, Coding)>,
    /// Those that hold signs and foreign speech only.
    pub(super) forced: Vec<&'a SubtitleStream>,
    /// Those whose content is not text: pictures, teletext, captions of line 21.
    pub(super) not_text: Vec<&'a SubtitleStream>,
}

/// Sorts the streams: the wanted language first, then the one that the file marks as default, then
/// the language of the sound; commentary last.
pub(super) fn streams<'a>(media: &'a Media, wanted: &Wanted) -> Streams<'a> {
    let mut found = Streams::default();
    for stream in &media.subtitles {
        match Coding::of_codec(&stream.codec) {
            None => found.not_text.push(stream),
            Some(_) if is_forced(stream) => found.forced.push(stream),
            Some(coding) => found.text.push((stream, coding)),
        }
    }
    let fits = |stream: &SubtitleStream, wanted: &Option<String>| {
        wanted.as_ref().zip(stream.language.as_ref()).is_some_and(|(wanted, language)| same(wanted, language))
    };
    found.text.sort_by_key(|(stream, _)| {
        let is_wanted = fits(stream, &wanted.language);
        (!is_wanted, is_commentary(stream), !stream.default, !fits(stream, &wanted.spoken), stream.index)
    });
    found
}

/// By its mark, or by its title: many files mark no stream.
fn is_forced(stream: &SubtitleStream) -> bool {
    let named = |name| title_has(stream, name);
    stream.forced || (named("forced") || named("signs")) && !named("full") && !named("dialogue")
}

fn is_commentary(stream: &SubtitleStream) -> bool {
    title_has(stream, "commentary")
}

fn title_has(stream: &SubtitleStream, word: &str) -> bool {
    let title = stream.title.as_deref().unwrap_or_default().to_lowercase();
    title.split(|c: char| !c.is_alphanumeric()).any(|part| part == word)
}

/// `stream 3 (subrip, en, "SDH", default)`. Streams are counted from 0, as FFmpeg counts them.
pub(super) fn describe(stream: &SubtitleStream) -> String {
    let language = stream.language.as_deref().map(|name| of_container(name).unwrap_or_else(|| name.to_owned()));
    let title = stream.title.as_ref().map(|title| format!("{title:?}"));
    let mark = |marked: bool, name: &str| marked.then(|| name.to_owned());
    let parts = [Some(stream.codec.clone()), language, title, mark(stream.default, "default"), mark(stream.forced, "forced")];
    format!("stream {} ({})", stream.index, parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ContentId;

    fn stream(index: usize, codec: &str, language: &str, title: &str, marks: &str) -> SubtitleStream {
        SubtitleStream {
            language: Some(language.to_owned()).filter(|language| !language.is_empty()),
            title: Some(title.to_owned()).filter(|title| !title.is_empty()),
            default: marks.contains('d'),
            forced: marks.contains('f'),
            ..SubtitleStream::new(index, codec)
        }
    }

    fn order(streams_of_file: &[SubtitleStream], language: Option<&str>, spoken: Option<&str>) -> [Vec<usize>; 3] {
        let mut media = Media::new("talk.mkv", ContentId::new("test", ""));
        media.subtitles = streams_of_file.to_vec();
        let wanted = Wanted { language: language.map(str::to_owned), spoken: spoken.map(str::to_owned) };
        let found = streams(&media, &wanted);
        let indexes = |streams: &[&SubtitleStream]| streams.iter().map(|stream| stream.index).collect::<Vec<_>>();
        [found.text.iter().map(|(stream, _)| stream.index).collect(), indexes(&found.forced), indexes(&found.not_text)]
    }

    #[test]
    fn forced_streams_are_skipped_and_the_default_one_is_first() {
        let all = [
            stream(2, "subrip", "eng", "", "f"),
            stream(3, "hdmv_pgs_subtitle", "eng", "", "d"),
            stream(4, "ass", "ger", "", ""),
            stream(5, "subrip", "eng", "", ""),
            stream(6, "webvtt", "fre", "", "d"),
            stream(7, "subrip", "eng", "Signs & Songs", ""),
            stream(8, "ass", "eng", "Full subtitles with signs", ""),
            stream(9, "mov_text", "eng", "Director's commentary", "d"),
        ];
        assert_eq!(order(&all, None, Some("en")), [vec![6, 5, 8, 4, 9], vec![2, 7], vec![3]]);
        assert_eq!(order(&all, Some("de"), Some("en")), [vec![4, 6, 5, 8, 9], vec![2, 7], vec![3]]);
        assert_eq!(order(&all, None, None)[0], [6, 4, 5, 8, 9]);
        assert_eq!(describe(&all[4]), "stream 6 (webvtt, fr, default)");
        assert_eq!(describe(&all[5]), "stream 7 (subrip, en, \"Signs & Songs\")");
    }

    #[test]
    fn a_file_that_marks_all_streams_as_default_is_decided_by_language() {
        let all = [stream(2, "mov_text", "ger", "", "d"), stream(3, "mov_text", "eng", "", "d")];
        assert_eq!(order(&all, None, Some("en"))[0], [3, 2]);
    }
}
