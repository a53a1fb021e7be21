//! SMPTE time codes (ST 12-1): labels of frames.

use std::fmt;
use std::str::FromStr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::error::{Error, ErrorKind, Result};
use crate::model::FrameRate;

/// A time code: the label of a frame, `01:00:00:00`. A semicolon before the frames, `01:00:00;00`,
/// means drop frame, which exists at 29.97 and 59.94 frames a second.
///
/// Drop frame skips labels, not frames: the first two (at 59.94, four) labels of each minute are
/// left out, except in each tenth minute, so that the labels follow the clock. Non-drop labels run
/// 3.6 s behind the clock after an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String")]
pub struct Timecode {
    hours: u32,
    minutes: u32,
    seconds: u32,
    frames: u32,
    drop: bool,
}

impl Default for Timecode {
    /// `01:00:00:00`, where timelines start by custom.
    fn default() -> Self {
        Timecode { hours: 1, minutes: 0, seconds: 0, frames: 0, drop: false }
    }
}

impl Timecode {
    /// Whether the label counts in drop frame.
    pub fn is_drop_frame(self) -> bool {
        self.drop
    }

    /// The number of frames from `00:00:00:00` to this label.
    ///
    /// It is an error of the kind [`ErrorKind::Config`] if the rate has no such label.
    pub fn frames(self, rate: FrameRate) -> Result<u64> {
        let base = nominal(rate);
        let refuse = |what: String, advice: &str| Err(Error::new(ErrorKind::Config, what).with_advice(advice));
        if self.frames >= base {
            return refuse(
                format!("the time code {self} names a frame that {rate} frames a second do not have"),
                "use a lower last number",
            );
        }
        let minutes = self.hours * 60 + self.minutes;
        let labels = u64::from(minutes * 60 + self.seconds) * u64::from(base) + u64::from(self.frames);
        if !self.drop {
            return Ok(labels);
        }
        let Some(skipped) = skipped_labels(rate) else {
            return refuse(
                format!("the time code {self} is drop frame, which {rate} frames a second do not have"),
                "write a colon before the frames: 01:00:00:00",
            );
        };
        if self.seconds == 0 && self.frames < skipped && !self.minutes.is_multiple_of(10) {
            return refuse(format!("drop frame leaves the time code {self} out"), "use the next label, or a full ten minutes");
        }
        Ok(labels - u64::from(skipped) * u64::from(minutes - minutes / 10))
    }

    /// The label of a frame, counted from `00:00:00:00`. After 24 hours, labels start again.
    pub(super) fn of(frame: u64, rate: FrameRate, drop: bool) -> Self {
        let base = u64::from(nominal(rate));
        let skipped = skipped_labels(rate).filter(|_| drop).map(u64::from);
        let mut label = frame;
        if let Some(skipped) = skipped {
            let (minute, ten_minutes) = (base * 60 - skipped, base * 600 - 9 * skipped);
            let (tens, rest) = (frame / ten_minutes, frame % ten_minutes);
            // The first minute of ten is longer by the labels that the others leave out.
            let minutes = if rest < base * 60 { 0 } else { 1 + (rest - base * 60) / minute };
            label += skipped * (9 * tens + minutes);
        }
        let seconds = label / base;
        let part = |value: u64| u32::try_from(value).unwrap_or(0);
        Timecode {
            hours: part(seconds / 3600 % 24),
            minutes: part(seconds / 60 % 60),
            seconds: part(seconds % 60),
            frames: part(label % base),
            drop: skipped.is_some(),
        }
    }
}

/// The number of labels a second: the rate, rounded up for the rates of NTSC.
pub(super) fn nominal(rate: FrameRate) -> u32 {
    (rate.fps().round() as u32).max(1)
}

/// The name of drop frame or non-drop frame in Apple's formats.
pub(super) fn display_format(drop: bool) -> &'static str {
    if drop { "DF" } else { "NDF" }
}

/// The number of labels that drop frame leaves out in a minute. `None` if the rate has no drop
/// frame.
fn skipped_labels(rate: FrameRate) -> Option<u32> {
    match (rate.num, rate.den) {
        (30_000, 1001) => Some(2),
        (60_000, 1001) => Some(4),
        _ => None,
    }
}

impl FromStr for Timecode {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let wrong = || {
            Error::new(ErrorKind::Config, format!("{text:?} is not a time code"))
                .with_advice("write 01:00:00:00, or 01:00:00;00 for drop frame")
        };
        let parts: Vec<&str> = text.split([':', ';']).collect();
        let [hours, minutes, seconds, frames] = parts[..] else { return Err(wrong()) };
        let is_number = |part: &&str| (1..=3).contains(&part.len()) && part.bytes().all(|byte| byte.is_ascii_digit());
        if !parts.iter().all(is_number) || text.find(';').is_some_and(|at| at + frames.len() + 1 != text.len()) {
            return Err(wrong());
        }
        let number = |part: &str| part.parse::<u32>().map_err(|_| wrong());
        let code = Timecode {
            hours: number(hours)?,
            minutes: number(minutes)?,
            seconds: number(seconds)?,
            frames: number(frames)?,
            drop: text.contains(';'),
        };
        if code.hours > 23 || code.minutes > 59 || code.seconds > 59 { Err(wrong()) } else { Ok(code) }
    }
}

impl fmt::Display for Timecode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = if self.drop { ';' } else { ':' };
        write!(f, "{:02}:{:02}:{:02}{before}{:02}", self.hours, self.minutes, self.seconds, self.frames)
    }
}

impl TryFrom<String> for Timecode {
    type Error = Error;

    fn try_from(text: String) -> Result<Self> {
        text.parse()
    }
}

impl From<Timecode> for String {
    fn from(code: Timecode) -> String {
        code.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const NTSC: FrameRate = FrameRate::new(30_000, 1001);

    #[test]
    fn labels_count_frames() {
        for (label, rate, frames) in [
            ("01:00:00:00", FrameRate::new(25, 1), 90_000),
            ("01:00:00:00", FrameRate::new(24_000, 1001), 86_400),
            ("01:00:00:00", NTSC, 108_000),
            // An hour of the clock has 107 892 frames.
            ("01:00:00;00", NTSC, 107_892),
            ("00:00:59;29", NTSC, 1799),
            ("00:01:00;02", NTSC, 1800),
            ("00:10:00;00", NTSC, 17_982),
            ("01:00:00;00", FrameRate::new(60_000, 1001), 215_784),
        ] {
            let code: Timecode = label.parse().unwrap();
            assert_eq!(code.frames(rate).unwrap(), frames, "{label}");
            assert_eq!(Timecode::of(frames, rate, code.is_drop_frame()).to_string(), label);
        }
    }

    #[test]
    fn what_is_no_label_is_refused() {
        for text in
            ["", "1", "01:00:00", "01;00:00:00", "01:00;00;00", "24:00:00:00", "00:60:00:00", "-1:00:00:00", "00:00:00:1000", "a:b:c:d"]
        {
            assert_eq!(text.parse::<Timecode>().unwrap_err().kind(), ErrorKind::Config, "{text}");
        }
        for (label, rate) in [("00:00:00:25", FrameRate::new(25, 1)), ("00:00:00;00", FrameRate::new(25, 1)), ("00:01:00;00", NTSC)] {
            assert_eq!(label.parse::<Timecode>().unwrap().frames(rate).unwrap_err().kind(), ErrorKind::Config, "{label}");
        }
    }

    proptest! {
        #[test]
        fn every_frame_of_a_day_has_its_label(frame in 0_u64..2_589_408, drop: bool, rate in 0..5_usize) {
            let rate = [NTSC, FrameRate::new(60_000, 1001), FrameRate::new(24_000, 1001), FrameRate::new(50, 1), FrameRate::new(30, 1)][rate];
            let code = Timecode::of(frame % (86_400 * u64::from(nominal(rate)) * 999 / 1000), rate, drop);
            let again: Timecode = code.to_string().parse().unwrap();
            prop_assert_eq!(code, again);
            prop_assert_eq!(code.frames(rate).unwrap(), frame % (86_400 * u64::from(nominal(rate)) * 999 / 1000));
        }
    }
}
