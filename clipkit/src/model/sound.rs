//! Music, effects and censored words in a plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caption::require;
use super::{ContentId, Span, Timestamp};
use crate::error::Result;

/// Ends on the clip's timeline may pass it by so many microseconds, because they are rounded.
const ROUNDING_MICROS: i64 = 500;
/// The longest address of a sound's file, in bytes.
const LONGEST_FILE: usize = 4096;

/// Music or an effect that plays with the clip's own sound.
///
/// The renderer mixes it with the sound of the source before the loudness is set, so gains are
/// relative to the source's sound, and the mix has the plan's loudness and its limit of peaks.
///
/// ```
/// use clipkit::model::Sound;
///
/// let mut music = Sound::new("music.mp3");
/// (music.gain, music.duck) = (-18.0, 9.0);
/// (music.repeat, music.fade_out) = (true, 2.0);
/// let json = r#"{"file": "music.mp3", "gain": -18, "duck": 9, "loop": true, "fade_out": 2}"#;
/// assert_eq!(music, serde_json::from_str(json)?);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Sound {
    /// The path of a file with sound: of audio or of video, whose default audio track plays. A
    /// relative path is resolved against the working folder.
    pub file: String,
    /// The hash of the file's content (`blake3:9f86d0...`). With it, the file is also found in the
    /// media store, a file with another content leaves a warning, and a moved file leaves the
    /// clip's id as it is. Default: the file is taken as it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<ContentId>,
    /// When it plays, on the clip's timeline. Default: during the whole clip.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub span: Option<Span>,
    /// The time in the file at which it starts, in seconds. Default 0.
    #[serde(default, skip_serializing_if = "is_zero_time")]
    pub offset: Timestamp,
    /// The gain in dB, -60 to 20. Default 0: the file's own level.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub gain: f64,
    /// Whether it starts again at `offset` when the file ends, with a crossfade of 10 ms. Default:
    /// it plays once.
    #[serde(default, rename = "loop", skip_serializing_if = "std::ops::Not::not")]
    pub repeat: bool,
    /// The length of the fade at its start, in seconds, 0 to 600. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fade_in: f64,
    /// The length of the fade at its end, in seconds, 0 to 600: the end of its span, or of the file
    /// if that comes first. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub fade_out: f64,
    /// How much lower it plays while the source's sound is heard, in dB, 0 to 60. It is lower from
    /// the start of a voice on, to which it sinks within 0.15 s, and rises within 0.6 s from 0.2 s
    /// after the voice on. Pauses shorter than 0.8 s are part of the voice. Default 0.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub duck: f64,
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_zero(value: &f64) -> bool {
    *value == 0.0
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_zero_time(value: &Timestamp) -> bool {
    *value == Timestamp::ZERO
}

impl Sound {
    /// The lowest and the highest gain in dB.
    pub const GAINS: (f64, f64) = (-60.0, 20.0);
    /// The greatest [`duck`](Sound::duck) in dB.
    pub const MAX_DUCK: f64 = 60.0;
    /// The longest fade in seconds.
    pub const MAX_FADE: f64 = 600.0;

    /// A sound that plays once from the clip's start, at its own level.
    pub fn new(file: impl Into<String>) -> Self {
        Sound {
            file: file.into(),
            id: None,
            span: None,
            offset: Timestamp::ZERO,
            gain: 0.0,
            repeat: false,
            fade_in: 0.0,
            fade_out: 0.0,
            duck: 0.0,
        }
    }

    /// What decides the sound: a file whose content is known counts by that.
    pub(super) fn content(&self) -> Self {
        let file = if self.id.is_some() { String::new() } else { self.file.clone() };
        Sound { file, ..self.clone() }
    }

    /// Checks every value that a renderer relies on. `name` is the sound's name in the document.
    pub(crate) fn check(&self, name: &str, clip_end: Timestamp) -> Result<()> {
        require(!self.file.trim().is_empty(), || format!("{name}.file is empty"))?;
        let is_path = self.file.len() <= LONGEST_FILE && !self.file.contains('\0');
        require(is_path, || format!("{name}.file is no path: it has a zero byte or more than {LONGEST_FILE} bytes"))?;
        if let Some(span) = self.span {
            check_span(&format!("{name}.span"), span, clip_end)?;
        }
        require(self.offset >= Timestamp::ZERO, || format!("{name}.offset is {}; give 0 or more", self.offset.secs()))?;
        let (lowest, highest) = Sound::GAINS;
        for (field, value, least, most) in [
            ("gain", self.gain, lowest, highest),
            ("duck", self.duck, 0.0, Sound::MAX_DUCK),
            ("fade_in", self.fade_in, 0.0, Sound::MAX_FADE),
            ("fade_out", self.fade_out, 0.0, Sound::MAX_FADE),
        ] {
            require((least..=most).contains(&value), || format!("{name}.{field} is {value}; give {least} to {most}"))?;
        }
        Ok(())
    }
}

/// A stretch of the clip whose own sound is not heard, because a censored word is said there.
/// Other sounds of the plan go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Censored {
    /// The stretch on the clip's timeline.
    pub span: Span,
    /// What is heard instead.
    pub with: CensorSound,
}

impl Censored {
    /// A stretch of the clip's timeline and what is heard instead.
    pub const fn new(span: Span, with: CensorSound) -> Self {
        Censored { span, with }
    }
}

/// What is heard instead of a censored word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CensorSound {
    /// A tone of 1 kHz, 6 dB below the loud passages of the clip's own sound: about as loud as the
    /// voice.
    #[default]
    Beep,
    /// Nothing.
    Mute,
}

/// Checks the censored stretches of a plan.
pub(super) fn check_censored(censored: &[Censored], clip_end: Timestamp) -> Result<()> {
    for (n, stretch) in censored.iter().enumerate() {
        check_span(&format!("censored[{n}].span"), stretch.span, clip_end)?;
    }
    let in_order = censored.is_sorted_by(|a, b| a.span.end() <= b.span.start());
    require(in_order, || "censored has stretches that overlap or are not in order of time".to_owned())
}

/// Checks that a span lasts some time and lies in the clip.
pub(super) fn check_span(name: &str, span: Span, clip_end: Timestamp) -> Result<()> {
    require(!span.duration().is_zero(), || format!("{name} lasts no time"))?;
    let inside = span.start() >= Timestamp::ZERO && span.end().micros() <= clip_end.micros().saturating_add(ROUNDING_MICROS);
    require(inside, || format!("{name} ({span}) leaves the clip, which lasts from 0 to {clip_end}"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    const END: Timestamp = Timestamp::from_micros(10_000_000);

    fn refused(change: impl FnOnce(&mut Sound)) -> String {
        let mut sound = Sound::new("music.mp3");
        change(&mut sound);
        let error = sound.check("sound[2]", END).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidPlan);
        error.message().to_owned()
    }

    #[test]
    fn a_refused_value_is_named() {
        Sound::new("music.mp3").check("sound[0]", END).unwrap();
        assert_eq!(refused(|it| it.gain = f64::NAN), "sound[2].gain is NaN; give -60 to 20");
        assert_eq!(refused(|it| it.gain = 21.0), "sound[2].gain is 21; give -60 to 20");
        assert_eq!(refused(|it| it.duck = -1.0), "sound[2].duck is -1; give 0 to 60");
        assert_eq!(refused(|it| it.fade_in = f64::INFINITY), "sound[2].fade_in is inf; give 0 to 600");
        assert_eq!(refused(|it| it.fade_out = -0.1), "sound[2].fade_out is -0.1; give 0 to 600");
        assert_eq!(refused(|it| it.offset = Timestamp::from_secs(-1.0)), "sound[2].offset is -1; give 0 or more");
        assert!(refused(|it| it.file = " ".into()).contains("sound[2].file is empty"));
        assert!(refused(|it| it.file = "a\0b".into()).contains("zero byte"));
        assert!(refused(|it| it.span = Span::secs(9.0, 10.1).ok()).contains("sound[2].span"));
        assert!(refused(|it| it.span = Span::secs(-1.0, 2.0).ok()).contains("leaves the clip"));
        assert!(refused(|it| it.span = Span::secs(2.0, 2.0).ok()).contains("lasts no time"));
    }

    #[test]
    fn censored_stretches_are_in_order_and_inside_the_clip() {
        let of = |spans: &[(f64, f64)]| {
            let stretch = |&(from, to): &(f64, f64)| Censored::new(Span::secs(from, to).unwrap(), CensorSound::Mute);
            check_censored(&spans.iter().map(stretch).collect::<Vec<_>>(), END)
        };
        of(&[(0.0, 1.0), (1.0, 2.0), (9.0, 10.0004)]).unwrap();
        assert!(of(&[(0.0, 1.0), (0.9, 2.0)]).unwrap_err().message().contains("overlap"));
        assert!(of(&[(3.0, 4.0), (1.0, 2.0)]).unwrap_err().message().contains("order"));
        assert!(of(&[(9.0, 11.0)]).unwrap_err().message().contains("censored[0].span"));
    }

    #[test]
    fn default_values_are_not_written() {
        assert_eq!(serde_json::to_string(&Sound::new("a.wav")).unwrap(), r#"{"file":"a.wav"}"#);
        let full = r#"{"file":"a.wav","id":"blake3:00","span":{"start":1.0,"end":2.0},"offset":0.5,"gain":-3.0,"loop":true,"fade_in":0.1,"fade_out":0.2,"duck":6.0}"#;
        assert_eq!(serde_json::to_string(&serde_json::from_str::<Sound>(full).unwrap()).unwrap(), full);
        assert!(serde_json::from_str::<Sound>(r#"{"file":"a.wav","volume":1}"#).is_err());
    }
}
