use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};

/// How large inputs may be. What exceeds a limit is refused with an error of the kind
/// [`ErrorKind::TooLarge`], which names the limit, the value found and the value allowed.
///
/// [`Limits::default`] is for files of one's own: it stops what fills memory or disks, and nothing
/// that people make. [`Limits::strict`] is for services, whose inputs come from strangers. A
/// [`Context`](crate::Context) carries the limits of the work under it. In JSON, limits are
/// `"default"`, `"strict"`, or an object: a field that is missing has the value of the limits that
/// `like` names.
///
/// ```
/// use clipkit::model::Limits;
///
/// let limits: Limits = serde_json::from_str(r#"{"like": "strict", "media_secs": 7200}"#)?;
/// assert_eq!(limits.media_secs, 7200);
/// assert_eq!(limits.answer_bytes, Limits::strict().answer_bytes);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "LimitsDocument")]
#[non_exhaustive]
pub struct Limits {
    /// The size of a caption file, or of the text of a subtitle stream, in bytes. Default 64 MiB,
    /// strict 16 MiB.
    pub transcript_bytes: u64,
    /// The number of cues or timed entries of a transcript. Default 400,000, strict 50,000.
    pub transcript_cues: u64,
    /// The number of words of a transcript. A day of fast speech has fewer than the default.
    /// Default 600,000, strict 200,000.
    pub transcript_words: u64,
    /// The size of a plan or another document in a file, in bytes. Default 64 MiB, strict 8 MiB.
    pub document_bytes: u64,
    /// The number of pieces of a plan. Each may cost a search in the source. Default 10,000, strict
    /// 1,000.
    pub plan_pieces: u64,
    /// The number of overlays of a plan. Each image may take as much memory as the output's frame.
    /// Default 100, strict 16.
    pub plan_overlays: u64,
    /// The number of sounds of a plan. Each is a file that is open during the rendering. Default
    /// 100, strict 16.
    pub plan_sounds: u64,
    /// The duration of a plan's clip in seconds, with intro and outro. Default 10,800 (3 hours),
    /// strict 900.
    pub plan_secs: u64,
    /// The number of clips that one run makes. Default 1,000, strict 50.
    pub clips: u64,
    /// The size of a server's or a program's answer in bytes: transcriptions, chat completions,
    /// metadata of videos. It is held in memory. Default 64 MiB, strict 16 MiB.
    pub answer_bytes: u64,
    /// The size of a download in bytes. The media store's limit holds, too. Default 10 GiB, strict
    /// 4 GiB.
    pub download_bytes: u64,
    /// The duration of a medium in seconds. Default 604,800 (a week), strict 21,600 (6 hours).
    pub media_secs: u64,
    /// The number of streams of a medium. Default 256, strict 32.
    pub media_streams: u64,
    /// The width of a picture in pixels. Default 16,384, strict 8,192.
    pub picture_width: u64,
    /// The height of a picture in pixels. Default 16,384, strict 8,192.
    pub picture_height: u64,
    /// The number of pixels of a picture, which decides the memory of a decoder. Default
    /// 134,217,728 (16K), strict 36,000,000 (8K).
    pub picture_pixels: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            transcript_bytes: 64 << 20,
            transcript_cues: 400_000,
            transcript_words: 600_000,
            document_bytes: 64 << 20,
            plan_pieces: 10_000,
            plan_overlays: 100,
            plan_sounds: 100,
            plan_secs: 3 * 3600,
            clips: 1000,
            answer_bytes: 64 << 20,
            download_bytes: 10 << 30,
            media_secs: 7 * 86_400,
            media_streams: 256,
            picture_width: 16_384,
            picture_height: 16_384,
            picture_pixels: 1 << 27,
        }
    }
}

impl Limits {
    /// The default limits.
    pub fn new() -> Self {
        Limits::default()
    }

    /// Limits for services.
    pub fn strict() -> Self {
        Limits {
            transcript_bytes: 16 << 20,
            transcript_cues: 50_000,
            transcript_words: 200_000,
            document_bytes: 8 << 20,
            plan_pieces: 1000,
            plan_overlays: 16,
            plan_sounds: 16,
            plan_secs: 900,
            clips: 50,
            answer_bytes: 16 << 20,
            download_bytes: 4 << 30,
            media_secs: 6 * 3600,
            media_streams: 32,
            picture_width: 8192,
            picture_height: 8192,
            picture_pixels: 36_000_000,
        }
    }

    /// The limits with a name: `default` or `strict`.
    ///
    /// Another name is an error of the kind [`ErrorKind::Config`].
    pub fn named(name: &str) -> Result<Self> {
        match name {
            "default" => Ok(Limits::default()),
            "strict" => Ok(Limits::strict()),
            _ => Err(Error::new(ErrorKind::Config, format!("there are no limits {name:?}")).with_advice("use default or strict")),
        }
    }

    /// Checks a value that was found.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::TooLarge`] if it exceeds the limit.
    pub(crate) fn check(&self, limit: Limit, found: u64) -> Result<()> {
        let (name, most, subject, unit) = limit.describe(self);
        if found <= most {
            return Ok(());
        }
        let message = format!("{subject} {found} {unit}; the limit {name} is {most}");
        Err(Error::new(ErrorKind::TooLarge, message).with_advice(format!("raise {name} of the limits (--limits), or give less")))
    }

    /// Checks the size of a picture in pixels.
    pub(crate) fn check_picture(&self, width: u32, height: u32) -> Result<()> {
        let (width, height) = (u64::from(width), u64::from(height));
        self.check(Limit::PictureWidth, width)?;
        self.check(Limit::PictureHeight, height)?;
        self.check(Limit::PicturePixels, width.saturating_mul(height))
    }
}

/// One of the [`Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    TranscriptBytes,
    TranscriptCues,
    TranscriptWords,
    DocumentBytes,
    PlanPieces,
    PlanOverlays,
    PlanSounds,
    PlanSecs,
    Clips,
    AnswerBytes,
    DownloadBytes,
    MediaSecs,
    MediaStreams,
    PictureWidth,
    PictureHeight,
    PicturePixels,
}

impl Limit {
    /// The limit's name and value, and how a message states what was found.
    fn describe(self, limits: &Limits) -> (&'static str, u64, &'static str, &'static str) {
        match self {
            Limit::TranscriptBytes => ("transcript_bytes", limits.transcript_bytes, "the transcript has", "bytes"),
            Limit::TranscriptCues => ("transcript_cues", limits.transcript_cues, "the transcript has", "cues"),
            Limit::TranscriptWords => ("transcript_words", limits.transcript_words, "the transcript has", "words"),
            Limit::DocumentBytes => ("document_bytes", limits.document_bytes, "the document has", "bytes"),
            Limit::PlanPieces => ("plan_pieces", limits.plan_pieces, "pieces has", "entries"),
            Limit::PlanOverlays => ("plan_overlays", limits.plan_overlays, "overlays has", "entries"),
            Limit::PlanSounds => ("plan_sounds", limits.plan_sounds, "sound has", "entries"),
            Limit::PlanSecs => ("plan_secs", limits.plan_secs, "the clip lasts", "s"),
            Limit::Clips => ("clips", limits.clips, "the run has", "clips"),
            Limit::AnswerBytes => ("answer_bytes", limits.answer_bytes, "the answer has at least", "bytes"),
            Limit::DownloadBytes => ("download_bytes", limits.download_bytes, "the download has at least", "bytes"),
            Limit::MediaSecs => ("media_secs", limits.media_secs, "the media last", "s"),
            Limit::MediaStreams => ("media_streams", limits.media_streams, "the file has", "streams"),
            Limit::PictureWidth => ("picture_width", limits.picture_width, "the picture has a width of", "pixels"),
            Limit::PictureHeight => ("picture_height", limits.picture_height, "the picture has a height of", "pixels"),
            Limit::PicturePixels => ("picture_pixels", limits.picture_pixels, "the picture has", "pixels"),
        }
    }
}

/// Limits as a document has them.
#[derive(Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(rename = "Limits")]
enum LimitsDocument {
    Named(LimitsName),
    Fields(Box<LimitsFields>),
}

/// Limits with a name.
#[derive(Clone, Copy, Default, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum LimitsName {
    /// For files of one's own.
    #[default]
    Default,
    /// For services.
    Strict,
}

/// Changes to limits with a name.
#[derive(Default, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
struct LimitsFields {
    /// The limits that missing fields are taken from. Default: `default`.
    like: LimitsName,
    transcript_bytes: Option<u64>,
    transcript_cues: Option<u64>,
    transcript_words: Option<u64>,
    document_bytes: Option<u64>,
    plan_pieces: Option<u64>,
    plan_overlays: Option<u64>,
    plan_sounds: Option<u64>,
    plan_secs: Option<u64>,
    clips: Option<u64>,
    answer_bytes: Option<u64>,
    download_bytes: Option<u64>,
    media_secs: Option<u64>,
    media_streams: Option<u64>,
    picture_width: Option<u64>,
    picture_height: Option<u64>,
    picture_pixels: Option<u64>,
}

impl From<LimitsName> for Limits {
    fn from(name: LimitsName) -> Self {
        match name {
            LimitsName::Default => Limits::default(),
            LimitsName::Strict => Limits::strict(),
        }
    }
}

impl From<LimitsDocument> for Limits {
    fn from(document: LimitsDocument) -> Self {
        let fields = match document {
            LimitsDocument::Named(name) => return name.into(),
            LimitsDocument::Fields(fields) => fields,
        };
        let base = Limits::from(fields.like);
        Limits {
            transcript_bytes: fields.transcript_bytes.unwrap_or(base.transcript_bytes),
            transcript_cues: fields.transcript_cues.unwrap_or(base.transcript_cues),
            transcript_words: fields.transcript_words.unwrap_or(base.transcript_words),
            document_bytes: fields.document_bytes.unwrap_or(base.document_bytes),
            plan_pieces: fields.plan_pieces.unwrap_or(base.plan_pieces),
            plan_overlays: fields.plan_overlays.unwrap_or(base.plan_overlays),
            plan_sounds: fields.plan_sounds.unwrap_or(base.plan_sounds),
            plan_secs: fields.plan_secs.unwrap_or(base.plan_secs),
            clips: fields.clips.unwrap_or(base.clips),
            answer_bytes: fields.answer_bytes.unwrap_or(base.answer_bytes),
            download_bytes: fields.download_bytes.unwrap_or(base.download_bytes),
            media_secs: fields.media_secs.unwrap_or(base.media_secs),
            media_streams: fields.media_streams.unwrap_or(base.media_streams),
            picture_width: fields.picture_width.unwrap_or(base.picture_width),
            picture_height: fields.picture_height.unwrap_or(base.picture_height),
            picture_pixels: fields.picture_pixels.unwrap_or(base.picture_pixels),
        }
    }
}

impl JsonSchema for Limits {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        LimitsDocument::schema_name()
    }

    fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        LimitsDocument::json_schema(generator)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_name_limits_or_change_them() {
        let read = |text: &str| serde_json::from_str::<Limits>(text);
        assert_eq!(read("\"strict\"").unwrap(), Limits::strict());
        assert_eq!(read("\"default\"").unwrap(), Limits::default());
        assert_eq!(read("{}").unwrap(), Limits::default());
        let expected = Limits { clips: 3, ..Limits::strict() };
        assert_eq!(read(r#"{"like": "strict", "clips": 3}"#).unwrap(), expected);
        assert_eq!(read(&serde_json::to_string(&expected).unwrap()).unwrap(), expected);
        for text in ["\"loose\"", "{\"clip\": 3}", "{\"clips\": -1}", "3", r#"{"like": "x"}"#] {
            assert!(read(text).is_err(), "{text}");
        }
        assert_eq!(Limits::named("strict").unwrap(), Limits::strict());
        assert_eq!(Limits::named("x").unwrap_err().kind(), ErrorKind::Config);
    }

    #[test]
    fn an_error_names_the_limit_the_value_and_the_setting() {
        let limits = Limits { clips: 3, picture_pixels: 99, ..Limits::default() };
        assert!(limits.check(Limit::Clips, 3).is_ok());
        let error = limits.check(Limit::Clips, 4).unwrap_err();
        let shown = "the run has 4 clips; the limit clips is 3 (raise clips of the limits (--limits), or give less)";
        assert_eq!((error.kind(), error.to_string().as_str()), (ErrorKind::TooLarge, shown));
        assert!(limits.check_picture(10, 10).unwrap_err().message().contains("100 pixels; the limit picture_pixels is 99"));
        assert!(limits.check_picture(3, 3).is_ok());
        assert!(limits.check_picture(20_000, 1).unwrap_err().message().contains("picture_width"));
    }

    #[test]
    fn strict_limits_are_not_above_the_default_ones() {
        let values = |limits: Limits| serde_json::to_value(limits).unwrap();
        let (strict, default) = (values(Limits::strict()), values(Limits::default()));
        for (name, value) in strict.as_object().unwrap() {
            assert!(value.as_u64() <= default[name].as_u64(), "{name}");
        }
    }
}
