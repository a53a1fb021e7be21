//! What plays before and after a clip: its intro and its outro.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caption::require;
use super::overlay::check_file;
use super::{ContentId, FrameRate, Rgb, Sound, Span, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// The shortest bumper in seconds. A shorter one would show no frame.
const SHORTEST_SECS: f64 = 0.04;
/// The longest fade in seconds.
const MAX_FADE_SECS: f64 = 60.0;

/// A file that plays before or after the clip: an intro or an outro, a video or an image.
///
/// It becomes part of the same file as the clip, in one encode: it gets the clip's size, frame
/// rate, sample rate and channels, and lasts a whole number of the clip's frames. Its sound is
/// kept. If it has none, it is silent. It is brought to the plan's loudness on its own, as the clip
/// is, then changed by `gain`; without a loudness in the plan, it has its own level. Captions,
/// overlays, music and punch-ins of the plan do not reach into it.
///
/// ```
/// use clipkit::model::{Bumper, BumperFit, Timestamp};
///
/// let mut intro = Bumper::new("intro.mp4");
/// (intro.fit, intro.gain) = (BumperFit::Cover, -3.0);
/// let json = r#"{"file": "intro.mp4", "fit": "cover", "gain": -3}"#;
/// assert_eq!(intro, serde_json::from_str(json)?);
/// let outro = Bumper::image("thanks.png", Timestamp::from_secs(2.5));
/// assert_eq!(outro, serde_json::from_str(r#"{"file": "thanks.png", "duration": 2.5}"#)?);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Bumper {
    /// The path or the `file:` URL of a video, or of a PNG, WebP or JPEG image. A relative path is
    /// resolved against the working folder.
    pub file: String,
    /// The hash of the file's content (`blake3:9f86d0...`). With it, the file is also found in the
    /// media store, a file with another content leaves a warning, and a moved file leaves the
    /// clip's id as it is. Default: the file is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ContentId>,
    /// The stretch of a video that plays, on the file's timeline, in seconds. It lasts at most
    /// [`Bumper::MAX_SECS`]. Default: the whole video.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// How long an image is shown, in seconds, at most [`Bumper::MAX_SECS`]. With it, the file is
    /// an image; a video has a `span` instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<Timestamp>,
    /// How a picture of another aspect ratio is fitted into the output. Default `contain`.
    #[serde(default, skip_serializing_if = "is_default")]
    pub fit: BumperFit,
    /// The color around the picture and behind what is transparent in it. Default: a blurred copy
    /// of the picture around it, black behind what is transparent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub background: Option<Rgb>,
    /// The gain of its sound in dB, -60 to 20. Default 0: as loud as the clip, or its own level if
    /// the plan has no loudness.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gain: f64,
    /// How long picture and sound take to come up from black and silence, in seconds, 0 to 60.
    /// Default 0: at once.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fade_in: f64,
    /// How long picture and sound take to go down to black and silence, in seconds, 0 to 60.
    /// Default 0: at once. Fades that last longer than the bumper are shortened.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fade_out: f64,
    /// How long the whole video lasts, in seconds, if neither `span` nor `duration` says how long
    /// the bumper plays. It is measured whenever a plan is rendered or exported, so it need not be
    /// given. It is no part of the clip's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub length: Option<Timestamp>,
}

/// How the picture of a bumper is fitted into an output of another aspect ratio.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum BumperFit {
    /// The whole picture is shown, in the middle, as large as it fits.
    #[default]
    Contain,
    /// The picture fills the output. What is too wide or too high is cut off on both sides alike.
    Cover,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_default(fit: &BumperFit) -> bool {
    *fit == BumperFit::default()
}

impl Bumper {
    /// The longest bumper in seconds.
    pub const MAX_SECS: f64 = 300.0;

    /// A whole video with its sound.
    pub fn new(file: impl Into<String>) -> Self {
        Bumper {
            file: file.into(),
            id: None,
            span: None,
            duration: None,
            fit: BumperFit::default(),
            background: None,
            gain: 0.0,
            fade_in: 0.0,
            fade_out: 0.0,
            length: None,
        }
    }

    /// An image that is shown for some seconds.
    pub fn image(file: impl Into<String>, duration: Timestamp) -> Self {
        Bumper { duration: Some(duration), ..Bumper::new(file) }
    }

    /// The same with only a stretch of the video.
    #[must_use]
    pub fn during(self, span: Span) -> Self {
        Bumper { span: Some(span), ..self }
    }

    /// Whether the file is an image.
    pub fn is_image(&self) -> bool {
        self.duration.is_some()
    }

    /// How long it plays, as far as that is known without its file. In the output, this is rounded
    /// to whole frames.
    pub fn playing_time(&self) -> Option<Timestamp> {
        let of_span = |span: Span| span.end().since(span.start());
        self.duration.or(self.span.map(of_span)).or(self.length)
    }

    /// The number of the output's frames that it lasts.
    pub(crate) fn frames(&self, rate: FrameRate) -> Option<u64> {
        self.playing_time().map(|time| ((time.secs() * rate.fps()).round() as u64).max(1))
    }

    /// What decides picture and sound: a file whose content is known counts by that, and a measured
    /// length follows from the file.
    pub(super) fn content(&self) -> Self {
        let file = if self.id.is_some() { String::new() } else { self.file.clone() };
        Bumper { file, length: None, ..self.clone() }
    }

    /// The durations of the fades in seconds, of a bumper that lasts `secs`. Together they are at
    /// most as long as it.
    pub(crate) fn fades(&self, secs: f64) -> (f64, f64) {
        let both = self.fade_in + self.fade_out;
        let scale = if both > secs { secs / both } else { 1.0 };
        (self.fade_in * scale, self.fade_out * scale)
    }

    /// The share of picture and sound, 0 to 1, that the fades leave `secs` after the start of a
    /// bumper that lasts `length` seconds.
    pub(crate) fn level_at(&self, secs: f64, length: f64) -> f64 {
        let (fade_in, fade_out) = self.fades(length);
        let part = |time: f64, fade: f64| if fade > 0.0 { (time / fade).clamp(0.0, 1.0) } else { 1.0 };
        part(secs, fade_in).min(part(length - secs, fade_out))
    }

    /// Checks every value that a renderer relies on. `name` is the bumper's name in the document.
    pub(crate) fn check(&self, name: &str) -> Result<()> {
        check_file(&format!("{name}.file"), &self.file)?;
        let both = self.span.is_some() && self.duration.is_some();
        require(!both, || format!("{name} has a span and a duration: give a video the one, an image the other"))?;
        let times = [("duration", self.duration), ("length", self.length), ("span", self.span.map(|span| span.end().since(span.start())))];
        for (field, time) in times {
            let Some(secs) = time.map(Timestamp::secs) else { continue };
            let (least, most) = (SHORTEST_SECS, Bumper::MAX_SECS);
            require((least..=most).contains(&secs), || format!("{name}.{field} lasts {secs} s; give {least} to {most} s"))?;
        }
        let starts = self.span.map_or(Timestamp::ZERO, Span::start);
        require(starts >= Timestamp::ZERO, || format!("{name}.span starts before the file does: {starts}"))?;
        let (lowest, highest) = Sound::GAINS;
        require((lowest..=highest).contains(&self.gain), || format!("{name}.gain is {}; give {lowest} to {highest}", self.gain))?;
        require(self.gain == 0.0 || !self.is_image(), || format!("{name}.gain is {}, but an image has no sound", self.gain))?;
        for (field, secs) in [("fade_in", self.fade_in), ("fade_out", self.fade_out)] {
            require((0.0..=MAX_FADE_SECS).contains(&secs), || format!("{name}.{field} is {secs}; give 0 to {MAX_FADE_SECS} s"))?;
        }
        Ok(())
    }

    /// The error for a bumper whose playing time is not known.
    pub(super) fn unmeasured(&self, name: &str) -> Error {
        Error::new(ErrorKind::InvalidPlan, format!("how long the {name} plays is not known before its file is read"))
            .with_path(&self.file)
            .with_advice(format!("give {name}.span, or use the plan that rendering returns"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Bumper)) -> String {
        let mut bumper = Bumper::new("intro.mp4");
        change(&mut bumper);
        let error = bumper.check("intro").unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPlan);
        error.message().to_owned()
    }

    #[test]
    fn a_refused_value_is_named() {
        let secs = |secs: f64| Some(Timestamp::from_secs(secs));
        Bumper::new("intro.mp4").check("intro").unwrap();
        Bumper::image("a.png", Timestamp::from_secs(300.0)).check("intro").unwrap();
        assert!(refused(|it| it.file = String::new()).contains("intro.file is not a path"));
        assert!(refused(|it| it.file = "a\0b".into()).contains("zero byte"));
        assert!(refused(|it| it.file = "a".repeat(5000)).contains("intro.file"));
        assert!(refused(|it| it.span = Span::secs(-1.0, 2.0).ok()).contains("starts before the file"));
        assert_eq!(refused(|it| it.span = Span::secs(2.0, 2.0).ok()), "intro.span lasts 0 s; give 0.04 to 300 s");
        assert_eq!(refused(|it| it.span = Span::secs(0.0, 300.1).ok()), "intro.span lasts 300.1 s; give 0.04 to 300 s");
        assert_eq!(refused(|it| it.duration = secs(0.0)), "intro.duration lasts 0 s; give 0.04 to 300 s");
        assert_eq!(refused(|it| it.duration = secs(-3.0)), "intro.duration lasts -3 s; give 0.04 to 300 s");
        assert!(refused(|it| it.length = secs(1e9)).contains("intro.length"));
        assert!(refused(|it| (it.span, it.duration) = (Span::secs(0.0, 1.0).ok(), secs(1.0))).contains("a span and a duration"));
        assert_eq!(refused(|it| it.gain = f64::NAN), "intro.gain is NaN; give -60 to 20");
        assert!(refused(|it| (it.gain, it.duration) = (3.0, secs(1.0))).contains("an image has no sound"));
        assert_eq!(refused(|it| it.fade_in = -0.1), "intro.fade_in is -0.1; give 0 to 60 s");
        assert_eq!(refused(|it| it.fade_out = f64::INFINITY), "intro.fade_out is inf; give 0 to 60 s");
    }

    #[test]
    fn default_values_are_not_written() {
        assert_eq!(serde_json::to_string(&Bumper::new("a.mp4")).unwrap(), r#"{"file":"a.mp4"}"#);
        let full = r##"{"file":"a.mp4","id":"blake3:00","span":{"start":1.0,"end":2.0},"fit":"cover","background":"#102030","gain":-3.0,"fade_in":0.1,"fade_out":0.2}"##;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Bumper>(full).unwrap()).unwrap(), full);
        assert!(serde_json::from_str::<Bumper>(r#"{"file":"a.mp4","volume":1}"#).is_err());
    }

    #[test]
    fn fades_share_what_there_is() {
        let mut bumper = Bumper::new("a.mp4");
        (bumper.fade_in, bumper.fade_out) = (1.0, 3.0);
        assert_eq!(bumper.fades(8.0), (1.0, 3.0));
        assert_eq!(bumper.fades(2.0), (0.5, 1.5));
        for (secs, level) in [(0.0, 0.0), (0.5, 0.5), (1.0, 1.0), (4.0, 1.0), (6.5, 0.5), (8.0, 0.0), (9.0, 0.0)] {
            assert_eq!(bumper.level_at(secs, 8.0), level, "{secs}");
        }
        assert_eq!(Bumper::new("a.mp4").level_at(0.0, 8.0), 1.0);
    }
}
