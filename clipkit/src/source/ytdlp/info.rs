//! What yt-dlp's JSON says about a video. The JSON comes from the network: every field may be
//! missing, wrong or hostile. Pure.

use std::time::{Duration, SystemTime};

use serde_json::Value;
use url::Url;

use crate::error::redact_url;
use crate::model::{About, Chapter, ContentId, HeatmapBin, Span};

/// The most chapters and parts of a heatmap that are kept.
const MAX_ITEMS: usize = 1000;
/// The longest text in characters.
const MAX_TEXT: usize = 500;

/// Whether a video can be fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// It is complete.
    Ready,
    /// It is being broadcast, or its recording is not ready.
    Live,
    /// It starts later, at this time if that is known.
    Upcoming(Option<SystemTime>),
}

/// The metadata of a video.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Info {
    /// The platform and the video's id there. `None` for a page that is on no platform, whose ids
    /// are not unique.
    pub(super) identity: Option<ContentId>,
    /// The video's address, without secrets.
    pub(super) url: String,
    pub(super) about: About,
    pub(super) state: State,
}

/// What an address leads to.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Found {
    /// A video.
    Video(Box<Info>),
    /// A list with these addresses.
    List(Vec<String>),
}

/// Reads the JSON that yt-dlp wrote about `asked`. `None` if it describes no video.
pub(super) fn read(json: &Value, asked: &Url) -> Option<Found> {
    if let Some(entries) = json.get("entries").and_then(Value::as_array) {
        let address = |entry: &Value| ["url", "webpage_url"].iter().find_map(|name| entry.get(name)?.as_str().map(str::to_owned));
        return Some(Found::List(entries.iter().take(MAX_ITEMS).map(|entry| address(entry).unwrap_or_default()).collect()));
    }
    let id = json.get("id").and_then(Value::as_str).filter(|id| !id.is_empty())?;
    let platform = platform(json);
    let url = canonical(json, platform.as_deref(), id, asked);
    let identity = platform.as_ref().map(|platform| ContentId::new(platform, &safe(id)));
    let mut about = about(json);
    // The title of a page on no platform can be made of the address.
    if platform.is_none() && asked.query().is_some_and(|query| !query.is_empty()) {
        let query = asked.query().unwrap_or_default();
        about.title = about.title.filter(|title| !title.contains(query));
    }
    about.platform = platform;
    about.url = Some(url.clone());
    Some(Found::Video(Box::new(Info { identity, url, about, state: state(json) })))
}

/// The platform's short name. `None` for the extractors that read any page.
fn platform(json: &Value) -> Option<String> {
    let name = json.get("extractor_key").or_else(|| json.get("ie_key")).and_then(Value::as_str)?;
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).take(40).collect::<String>().to_ascii_lowercase();
    (!name.is_empty() && !matches!(name.as_str(), "generic" | "htmlmediaembed" | "html5mediaembed" | "commonmistakes")).then_some(name)
}

/// The address of the video's page. Queries may hold secrets, and are left out; YouTube's is made
/// of the id.
fn canonical(json: &Value, platform: Option<&str>, id: &str, asked: &Url) -> String {
    if platform == Some("youtube") && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_')) {
        return format!("https://www.youtube.com/watch?v={id}");
    }
    let stated = json.get("webpage_url").and_then(Value::as_str).and_then(|url| Url::parse(url).ok());
    let stated = stated.filter(|url| matches!(url.scheme(), "http" | "https") && url.as_str().len() <= 2000);
    redact_url(stated.as_ref().unwrap_or(asked).as_str())
}

/// An id of letters, digits and a few signs; others are escaped, and a long one is hashed.
fn safe(id: &str) -> String {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'~');
    let escaped: String =
        id.bytes().map(|byte| if is_plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") }).collect();
    if escaped.len() <= 128 { escaped } else { blake3::hash(id.as_bytes()).to_hex().to_string() }
}

fn about(json: &Value) -> About {
    let text = |names: &[&str]| names.iter().find_map(|name| line(json.get(name)?.as_str()?));
    let mut about = About::new();
    about.title = text(&["title", "fulltitle"]);
    about.uploader = text(&["uploader", "channel", "creator", "uploader_id"]);
    about.language = spoken(json);
    let span = |item: &Value| {
        let (start, end) = (item.get("start_time")?.as_f64()?, item.get("end_time")?.as_f64()?);
        (start >= 0.0 && start < end && end < 1e7).then(|| Span::secs(start, end).ok())?
    };
    let items = |name: &str| json.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default().iter().take(MAX_ITEMS);
    about.chapters = items("chapters")
        .filter_map(|item| Some(Chapter::new(span(item)?, item.get("title").and_then(Value::as_str).and_then(line).unwrap_or_default())))
        .collect();
    about.heatmap = items("heatmap")
        .filter_map(|item| {
            let value = item.get("value")?.as_f64().filter(|value| (0.0..=1.0).contains(value))?;
            Some(HeatmapBin::new(span(item)?, value))
        })
        .collect();
    about
}

/// A text as one line. `None` if nothing is left of it.
fn line(text: &str) -> Option<String> {
    let words = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).filter(|word| !word.is_empty());
    let line: String = words.collect::<Vec<_>>().join(" ").chars().take(MAX_TEXT).collect();
    (!line.is_empty()).then_some(line)
}

/// The spoken language: what the platform states, else that of the automatic captions that are no
/// translation.
pub(super) fn spoken(json: &Value) -> Option<String> {
    let stated = json.get("language").and_then(Value::as_str).filter(|tag| is_tag(tag) && !matches!(*tag, "und" | "none"));
    let original = || {
        let captions = json.get("automatic_captions")?.as_object()?;
        captions.keys().find_map(|key| key.strip_suffix("-orig").filter(|tag| is_tag(tag)))
    };
    stated.or_else(original).map(str::to_owned)
}

/// Whether a text has the form of a language tag.
pub(super) fn is_tag(text: &str) -> bool {
    let primary = text.split('-').next().unwrap_or_default();
    matches!(primary.len(), 2 | 3)
        && primary.bytes().all(|byte| byte.is_ascii_alphabetic())
        && text.len() <= 20
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        && text.split('-').all(|part| (1..=8).contains(&part.len()))
}

fn state(json: &Value) -> State {
    let begins = || {
        let seconds = json.get("release_timestamp").and_then(Value::as_f64).filter(|seconds| (0.0..1e11).contains(seconds))?;
        SystemTime::UNIX_EPOCH.checked_add(Duration::from_secs_f64(seconds))
    };
    match json.get("live_status").and_then(Value::as_str) {
        Some("is_upcoming") => State::Upcoming(begins()),
        Some("is_live" | "post_live") => State::Live,
        Some(_) => State::Ready,
        None if json.get("is_live").and_then(Value::as_bool) == Some(true) => State::Live,
        None => State::Ready,
    }
}

/// The shape of yt-dlp 2026.10's JSON for a video on YouTube, shortened.
#[cfg(test)]
pub(super) fn youtube() -> Value {
    serde_json::from_str(include_str!("youtube.info.json")).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn video(json: &Value) -> Info {
        match read(json, &Url::parse("https://host/page?token=hunter2").unwrap()).unwrap() {
            Found::Video(info) => *info,
            Found::List(list) => panic!("{list:?}"),
        }
    }

    #[test]
    fn youtubes_metadata_is_read() {
        let info = video(&youtube());
        assert_eq!(info.identity.unwrap().as_str(), "youtube:aBcDeFgHi-_");
        assert_eq!(info.url, "https://www.youtube.com/watch?v=aBcDeFgHi-_");
        let About { title, uploader, language, chapters, heatmap, platform, url, .. } = info.about;
        assert_eq!(title.as_deref(), Some("Why planes come home"));
        assert_eq!(uploader.as_deref(), Some("A channel"));
        assert_eq!((language.as_deref(), platform.as_deref()), (Some("en"), Some("youtube")));
        assert_eq!(url.as_deref(), Some("https://www.youtube.com/watch?v=aBcDeFgHi-_"));
        assert_eq!(chapters.iter().map(|chapter| chapter.title.as_str()).collect::<Vec<_>>(), ["Intro", "The holes"]);
        assert_eq!((heatmap.len(), heatmap[0].value, heatmap[1].span.start().secs()), (4, 1.0, 9.0));
        assert_eq!(info.state, State::Ready);
    }

    #[test]
    fn hostile_fields_are_left_out() {
        let info = video(&json!({
            "id": "../..\u{0}/x y", "extractor_key": "Evil:Site", "webpage_url": "file:///etc/passwd", "title": "a\nb\u{7}\t c",
            "language": "../../x", "chapters": [{"start_time": 5, "end_time": 1}, {"start_time": "x"}, 7], "heatmap": {"a": 1},
            "automatic_captions": [],
        }));
        assert_eq!(info.identity.unwrap().as_str(), "evilsite:..%2F..%00%2Fx%20y");
        assert_eq!(info.url, "https://host/page", "without the query");
        assert_eq!(info.about.title.as_deref(), Some("a b c"));
        assert!(info.about.language.is_none() && info.about.chapters.is_empty() && info.about.heatmap.is_empty());
        let long = video(&json!({"id": "x".repeat(1000), "extractor_key": "Site"}));
        assert!(long.identity.unwrap().as_str().len() < 80);
        for nothing in [json!({}), json!([]), json!(null), json!({"id": 3}), json!({"id": ""})] {
            assert_eq!(read(&nothing, &Url::parse("https://host").unwrap()), None);
        }
    }

    #[test]
    fn a_page_that_is_on_no_platform_has_no_identity() {
        let info = video(
            &json!({"id": "talk", "extractor_key": "Generic", "title": "talk?token=hunter2", "webpage_url": "https://host/talk.mp4?sig=hunter2"}),
        );
        assert_eq!(info.about.title, None);
        assert_eq!((info.identity, info.url.as_str(), info.about.platform), (None, "https://host/talk.mp4", None));
    }

    #[test]
    fn broadcasts_and_lists_are_told_apart() {
        let at = SystemTime::UNIX_EPOCH + Duration::from_secs(1_800_000_000);
        for (given, state) in [
            (json!({"id": "x", "live_status": "is_live"}), State::Live),
            (json!({"id": "x", "live_status": "post_live"}), State::Live),
            (json!({"id": "x", "is_live": true}), State::Live),
            (json!({"id": "x", "live_status": "is_upcoming", "release_timestamp": 1_800_000_000}), State::Upcoming(Some(at))),
            (json!({"id": "x", "live_status": "is_upcoming"}), State::Upcoming(None)),
            (json!({"id": "x", "live_status": "was_live"}), State::Ready),
        ] {
            assert_eq!(video(&given).state, state, "{given}");
        }
        let list = read(
            &json!({"_type": "playlist", "entries": [{"url": "https://a"}, {"webpage_url": "https://b"}]}),
            &Url::parse("https://h").unwrap(),
        );
        assert_eq!(list, Some(Found::List(vec!["https://a".into(), "https://b".into()])));
    }

    #[test]
    fn the_spoken_language_is_that_of_the_original_captions() {
        assert_eq!(spoken(&json!({"automatic_captions": {"ab": [], "de-orig": [], "en": []}})).as_deref(), Some("de"));
        assert_eq!(spoken(&json!({"language": "pt-BR", "automatic_captions": {"de-orig": []}})).as_deref(), Some("pt-BR"));
        assert_eq!(spoken(&json!({"automatic_captions": {"en": []}})), None);
    }
}
