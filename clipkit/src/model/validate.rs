use serde::Deserialize;

use super::overlay::check_file;
use super::sound::check_censored;
use super::zoom::check_zooms;
use super::{CaptionTrack, ClipPlan, Hook, Layout, Limit, Limits, Loudness, Output, Piece, Rect, Timestamp};
use crate::error::{Error, ErrorKind, Result};

/// The shortest piece on the clip's timeline, in microseconds. The sound of two pieces is mixed for
/// 10 ms at their join, and a shorter piece would show no frame.
const SHORTEST_PIECE_MICROS: i64 = 40_000;

/// The most font files of a plan.
const MAX_FONTS: usize = 16;

impl ClipPlan {
    /// Reads and validates a plan. The default [`Limits`] hold.
    ///
    /// Invalid JSON, an unsupported version, unknown fields and values out of range are errors of
    /// the kind [`ErrorKind::InvalidPlan`]. A plan that exceeds a limit is one of the kind
    /// [`ErrorKind::TooLarge`].
    pub fn from_json(text: &str) -> Result<Self> {
        ClipPlan::from_json_within(text, &Limits::default())
    }

    /// [`ClipPlan::from_json`] with other limits.
    pub fn from_json_within(text: &str, limits: &Limits) -> Result<Self> {
        limits.check(Limit::DocumentBytes, text.len() as u64)?;
        let plan = ClipPlan::parse(text)?;
        plan.validate()?;
        plan.check_limits(limits)?;
        Ok(plan)
    }

    fn parse(text: &str) -> Result<Self> {
        #[derive(Deserialize)]
        struct Version {
            version: u32,
        }
        let invalid = |error: serde_json::Error| Error::new(ErrorKind::InvalidPlan, format!("this is not a clip plan: {error}"));
        let Version { version } = serde_json::from_str(text).map_err(invalid)?;
        if version == 1 {
            return serde_json::from_value(upgraded(serde_json::from_str(text).map_err(invalid)?)).map_err(invalid);
        }
        if version != ClipPlan::VERSION {
            return Err(Error::new(
                ErrorKind::InvalidPlan,
                format!("the plan has version {version}, this clipkit reads versions 1 to {}", ClipPlan::VERSION),
            )
            .with_advice("make the plan again with this clipkit"));
        }
        serde_json::from_str(text).map_err(invalid)
    }

    /// Checks the plan's duration, with intro and outro, and its numbers of pieces, overlays and
    /// sounds.
    ///
    /// What exceeds a limit is an error of the kind [`ErrorKind::TooLarge`].
    pub fn check_limits(&self, limits: &Limits) -> Result<()> {
        limits.check(Limit::PlanPieces, self.pieces.len() as u64)?;
        limits.check(Limit::PlanOverlays, self.overlays.len() as u64)?;
        limits.check(Limit::PlanSounds, self.sound.len() as u64)?;
        let bumpers = self.bumpers().filter_map(|(_, bumper)| bumper.playing_time()).map(Timestamp::secs).sum::<f64>();
        limits.check(Limit::PlanSecs, (self.timeline().end().secs() + bumpers).max(0.0) as u64)
    }

    /// The plan as indented JSON with a final line feed.
    pub fn to_json(&self) -> Result<String> {
        let mut text = serde_json::to_string_pretty(self)
            .map_err(|error| Error::new(ErrorKind::InvalidPlan, format!("the plan cannot be written: {error}")))?;
        text.push('\n');
        Ok(text)
    }

    /// The JSON Schema of a plan, generated from the types.
    pub fn json_schema() -> serde_json::Value {
        schemars::schema_for!(ClipPlan).to_value()
    }

    /// The number of the clip's own frames: its duration times the output's frame rate, rounded to
    /// the nearest integer, at least 1. Those of intro and outro come on top: [`ClipPlan::parts`].
    pub fn frames(&self) -> u64 {
        self.timeline().frames(self.output.frame_rate)
    }

    /// Checks every value that a renderer relies on. [`Limits`] are another matter
    /// ([`ClipPlan::check_limits`]).
    ///
    /// The first invalid value is an error of the kind [`ErrorKind::InvalidPlan`].
    pub fn validate(&self) -> Result<()> {
        let check = |holds: bool, what: &dyn Fn() -> String| {
            if holds { Ok(()) } else { Err(Error::new(ErrorKind::InvalidPlan, what())) }
        };
        check(self.version == ClipPlan::VERSION, &|| format!("version is {}, not {}", self.version, ClipPlan::VERSION))?;
        check(self.span.start() >= Timestamp::ZERO, &|| format!("span starts before the source does: {}", self.span))?;
        check(!self.span.duration().is_zero(), &|| "span lasts no time".to_owned())?;
        self.check_pieces()?;
        check_output(&self.output)?;

        let clip_end = self.timeline().end();
        check(!self.scenes.is_empty(), &|| "scenes is empty: it must cover the clip".to_owned())?;
        let mut expected = Timestamp::ZERO;
        for (n, scene) in self.scenes.iter().enumerate() {
            let name = format!("scenes[{n}]");
            check(near(scene.span.start(), expected), &|| {
                format!("{name} starts at {}, but the scene before ends at {expected}", scene.span.start())
            })?;
            check(!scene.span.duration().is_zero(), &|| format!("{name} lasts no time"))?;
            expected = scene.span.end();
            for (part, (crop, place)) in scene.layout.parts().iter().zip(scene.layout.panes()) {
                let name = format!("{name}.layout.{part}");
                check(inside(place), &|| format!("{name} is shown outside the output: {place:?}"))?;
                check(!crop.path.is_empty(), &|| format!("{name}'s path is empty: give at least one key"))?;
                for (k, key) in crop.path.iter().enumerate() {
                    let window = Rect::new(key.x, key.y, crop.width, crop.height);
                    check(inside(window), &|| format!("{name} leaves the picture at path[{k}]: {window:?}"))?;
                }
                check(crop.path.is_sorted_by(|a, b| a.at < b.at), &|| format!("{name}'s path is not in order of time"))?;
            }
            if let Layout::Split { speaking, .. } = &scene.layout {
                check(speaking.is_sorted_by(|a, b| a.from < b.from), &|| format!("{name}.layout.speaking is not in order of time"))?;
            }
        }
        check(near(expected, clip_end), &|| format!("scenes end at {expected}, the clip at {clip_end}"))?;

        for (n, sound) in self.sound.iter().enumerate() {
            sound.check(&format!("sound[{n}]"), clip_end)?;
        }
        check_censored(&self.censored, clip_end)?;
        self.captions.as_ref().map_or(Ok(()), CaptionTrack::check)?;
        self.hook.as_ref().map_or(Ok(()), Hook::check)?;
        self.overlays.iter().enumerate().try_for_each(|(n, overlay)| overlay.check(&format!("overlays[{n}]")))?;
        check_zooms(&self.zooms, clip_end)?;
        self.bumpers().try_for_each(|(name, bumper)| bumper.check(name))?;
        self.post.check()?;
        check(self.fonts.len() <= MAX_FONTS, &|| format!("fonts has {} entries; give at most {MAX_FONTS}", self.fonts.len()))?;
        self.fonts.iter().enumerate().try_for_each(|(n, file)| check_file(&format!("fonts[{n}]"), file))
    }

    fn check_pieces(&self) -> Result<()> {
        let refuse = |what: String| Err(Error::new(ErrorKind::InvalidPlan, what));
        let (slowest, fastest) = Piece::SPEEDS;
        for (n, Piece { span, speed }) in self.pieces.iter().enumerate() {
            if span.start() < self.span.start() || self.span.end() < span.end() {
                return refuse(format!("pieces[{n}] ({span}) leaves the plan's span ({})", self.span));
            }
            if !(slowest..=fastest).contains(speed) {
                return refuse(format!("pieces[{n}].speed is {speed}; give {slowest} to {fastest}"));
            }
            if (span.duration().as_micros() as f64 / speed) < SHORTEST_PIECE_MICROS as f64 {
                return refuse(format!("pieces[{n}] lasts {:?}; give at least 40 ms at its speed", span.duration()));
            }
        }
        Ok(())
    }
}

/// Converts a plan of version 1 to version 2: the source's path and id become a media reference.
fn upgraded(mut plan: serde_json::Value) -> serde_json::Value {
    if let Some(source) = plan.get_mut("source").and_then(serde_json::Value::as_object_mut) {
        let mut media = serde_json::Map::new();
        media.extend(source.remove("path").map(|path| ("uri".to_owned(), path)));
        media.extend(source.remove("id").map(|id| ("id".to_owned(), id)));
        source.insert("media".into(), media.into());
    }
    if let Some(plan) = plan.as_object_mut() {
        plan.insert("version".into(), ClipPlan::VERSION.into());
    }
    plan
}

fn check_output(output: &Output) -> Result<()> {
    let refuse = |what: String| Err(Error::new(ErrorKind::InvalidPlan, what));
    if output.codec != Output::H264 {
        return refuse(format!("output.codec is {:?}; this clipkit writes {:?}", output.codec, Output::H264));
    }
    for (name, side) in [("width", output.width), ("height", output.height)] {
        if !(64..=4096).contains(&side) || side % 2 != 0 {
            return refuse(format!("output.{name} is {side}; give an even number from 64 to 4096"));
        }
    }
    if output.crf > 51 {
        return refuse(format!("output.crf is {}; give 0 to 51", output.crf));
    }
    // FFmpeg's rational numbers are signed. At 1 frame per second and more, the denominator is not
    // greater than the numerator.
    if output.frame_rate.num > i32::MAX as u32 {
        return refuse(format!("output.frame_rate.num is {}; give at most {}", output.frame_rate.num, i32::MAX));
    }
    if output.frame_rate.den == 0 || !(1.0..=120.0).contains(&output.frame_rate.fps()) {
        return refuse(format!("output.frame_rate is {}/{}; give 1 to 120 frames a second", output.frame_rate.num, output.frame_rate.den));
    }
    if !(16_000..=512_000).contains(&output.audio_bitrate) {
        return refuse(format!("output.audio_bitrate is {}; give 16000 to 512000", output.audio_bitrate));
    }
    if let Some(loudness) = output.loudness.filter(|loudness| !loudness.is_possible()) {
        let Loudness { integrated, true_peak } = loudness;
        return refuse(format!("output.loudness is {integrated} LUFS up to {true_peak} dBTP; give -40 to -5 and -9 to 0"));
    }
    Ok(())
}

/// Whether two times differ by at most half a millisecond of rounding. Every frame is longer than
/// that.
fn near(a: Timestamp, b: Timestamp) -> bool {
    a.micros().abs_diff(b.micros()) <= 500
}

/// Whether a box has a positive size and lies in the picture, except for rounding errors.
pub(super) fn inside(rect: Rect) -> bool {
    const ROUNDING: f64 = 1e-6;
    let Rect { x, y, width, height } = rect;
    [x, y, width, height].iter().all(|value| value.is_finite())
        && width > ROUNDING
        && height > ROUNDING
        && x >= -ROUNDING
        && y >= -ROUNDING
        && x + width <= 1.0 + ROUNDING
        && y + height <= 1.0 + ROUNDING
}
