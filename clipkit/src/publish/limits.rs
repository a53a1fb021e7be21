//! What platforms accept: limits of clips and of texts, as data with their source and date. Pure.

use std::path::Path;

use crate::error::{Error, ErrorKind, Recovery, Result};
use crate::model::{ClipPlan, FrameRate, Output, X264Preset, script};

/// What a platform accepts of a clip.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClipLimits {
    pub(crate) name: &'static str,
    /// The page that says so, and when it was read.
    pub(crate) source: &'static str,
    /// Seconds.
    pub(crate) shortest: f64,
    /// Seconds.
    pub(crate) longest: f64,
    pub(crate) most_bytes: u64,
    /// Whether the clip may not be wider than high.
    pub(crate) upright: bool,
    /// The most pixels of the width.
    pub(crate) widest: u32,
    /// Frames per second.
    pub(crate) frame_rates: (f64, f64),
    /// The most bits per second, sound included, on average. `None` means without limit.
    pub(crate) most_bits: Option<f64>,
}

const GIB: u64 = 1 << 30;

/// A Short on YouTube.
pub(crate) const SHORTS: ClipLimits = ClipLimits {
    name: "YouTube Shorts",
    source: "support.google.com/youtube/answer/15424877 and /71673, 2026-11",
    shortest: 1.0,
    longest: 180.0,
    most_bytes: 256 * GIB,
    upright: true,
    widest: 4320,
    frame_rates: (1.0, 60.0),
    most_bits: None,
};

/// Any video on YouTube, of an account without verification.
pub(crate) const YOUTUBE: ClipLimits = ClipLimits { name: "YouTube", longest: 900.0, upright: false, widest: 7680, ..SHORTS };

/// A video on TikTok. Each account has a longest length of its own, which is asked for.
pub(crate) const TIKTOK: ClipLimits = ClipLimits {
    name: "TikTok",
    source: "developers.tiktok.com/doc/content-posting-api-media-transfer-guide, 2026-11",
    shortest: 1.0,
    longest: 3600.0,
    most_bytes: 4_000_000_000,
    upright: false,
    widest: 4096,
    frame_rates: (23.0, 60.0),
    most_bits: None,
};

/// A Reel on Instagram.
pub(crate) const REELS: ClipLimits = ClipLimits {
    name: "Instagram",
    source: "developers.facebook.com/docs/instagram-platform/instagram-graph-api/reference/ig-user/media, 2026-11",
    shortest: 3.0,
    longest: 900.0,
    most_bytes: 300_000_000,
    upright: false,
    widest: 1920,
    frame_rates: (23.0, 60.0),
    most_bits: Some(25_000_000.0),
};

/// What is known about a clip without opening it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct ClipFacts {
    pub(crate) bytes: u64,
    /// Of the plan, if the post has one: seconds, width and height in pixels, frames per second.
    pub(crate) planned: Option<(f64, u32, u32, f64)>,
}

impl ClipFacts {
    /// The facts of a clip's file and plan.
    pub(crate) fn of(video: &Path, plan: Option<&Path>) -> Result<Self> {
        let bytes = std::fs::metadata(video).map_err(|error| Error::io(video, "read the file", error))?.len();
        let planned = match plan {
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|error| Error::io(path, "read the plan", error))?;
                let plan = ClipPlan::from_json(&text).map_err(|error| error.with_path(path))?;
                Some((plan.parts()?.end().secs(), plan.output.width, plan.output.height, plan.output.frame_rate.fps()))
            }
            None => None,
        };
        Ok(ClipFacts { bytes, planned })
    }
}

/// The most pixels of the shorter and of the longer side of a strict output, and the most frames
/// per second: what every platform plays.
const STRICT_SIDES: (u32, u32) = (1080, 1920);
const STRICT_RATE: f64 = 30.0;
/// The least of x264's constant rate factor of a strict output: x264's own default.
const STRICT_CRF: u8 = 23;

impl ClipLimits {
    /// The output to encode a clip with that was refused: at most 1080x1920 pixels, at most 30
    /// frames per second, and a moderate bit rate. `None` if the output is that already, or is
    /// wider than high where that is not accepted: such a clip is framed anew, not only encoded.
    pub(crate) fn strict(&self, output: &Output) -> Option<Output> {
        if self.upright && output.width > output.height {
            return None;
        }
        let (short, long) = (output.width.min(output.height), output.width.max(output.height));
        let fit = |side: u32, most: u32| f64::from(most.min(self.widest)) / f64::from(side.max(1));
        let scale = fit(short, STRICT_SIDES.0).min(fit(long, STRICT_SIDES.1)).min(1.0);
        let even = |side: u32| if scale < 1.0 { ((f64::from(side) * scale / 2.0).floor() as u32 * 2).max(2) } else { side };
        let mut frame_rate = output.frame_rate;
        if frame_rate.fps() > STRICT_RATE + 0.05 {
            // Every second frame, so that motion stays even: 59.94 becomes 29.97.
            let FrameRate { num, den } = frame_rate;
            frame_rate = if num.is_multiple_of(2) { FrameRate::new(num / 2, den) } else { FrameRate::new(num, den.saturating_mul(2)) };
        }
        if frame_rate.fps() < self.frame_rates.0.max(23.0) || frame_rate.fps() > STRICT_RATE + 0.05 {
            frame_rate = FrameRate::new(30, 1);
        }
        let strict = Output {
            width: even(output.width),
            height: even(output.height),
            frame_rate,
            crf: output.crf.max(STRICT_CRF),
            preset: output.preset.max(X264Preset::Veryfast),
            audio_bitrate: output.audio_bitrate.min(128_000),
            ..output.clone()
        };
        (strict != *output).then_some(strict)
    }

    /// Refuses a clip that breaks a rule, and names the rule.
    ///
    /// # Errors
    ///
    /// [`ErrorKind::InvalidInput`], to be encoded again where that can help.
    pub(crate) fn check(&self, facts: &ClipFacts) -> Result<()> {
        let ClipLimits { name, source, shortest, longest, most_bytes, upright, widest, frame_rates, most_bits } = self;
        let refuse = |rule: String, recovery: Recovery| {
            Err(Error::new(ErrorKind::InvalidInput, format!("{name} does not accept this clip: {rule} ({source})")).with_recovery(recovery))
        };
        if facts.bytes == 0 {
            return refuse("the file is empty".into(), Recovery::Reencode);
        }
        if facts.bytes > *most_bytes {
            return refuse(format!("it has {} bytes, and at most {most_bytes} are accepted", facts.bytes), Recovery::Reencode);
        }
        let Some((seconds, width, height, rate)) = facts.planned else { return Ok(()) };
        if seconds < *shortest || seconds > *longest {
            return refuse(format!("it lasts {seconds:.1} s, and {shortest} to {longest} s are accepted"), Recovery::GiveUp);
        }
        if *upright && width > height {
            return refuse(format!("it is {width}x{height}, and wider than high is no Short"), Recovery::Reencode);
        }
        if width > *widest {
            return refuse(format!("it is {width} pixels wide, and at most {widest} are accepted"), Recovery::Reencode);
        }
        // Rates such as 59.94 and 23.976 are meant, too.
        if rate < frame_rates.0 - 0.05 || rate > frame_rates.1 + 0.05 {
            let (least, most) = frame_rates;
            return refuse(format!("it has {rate:.2} frames per second, and {least} to {most} are accepted"), Recovery::Reencode);
        }
        let bits = facts.bytes as f64 * 8.0 / seconds;
        if let Some(most) = most_bits.filter(|most| bits > *most) {
            let (has, most) = (bits / 1e6, most / 1e6);
            return refuse(format!("it has {has:.1} Mbit/s, and at most {most} are accepted"), Recovery::Reencode);
        }
        Ok(())
    }
}

/// What YouTube accepts of the texts of a post: characters of titles and tags, bytes of
/// descriptions.
#[derive(Clone, Copy, Debug)]
pub(crate) struct TextLimits {
    pub(crate) title: usize,
    pub(crate) description: usize,
    /// All tags together, as the platform counts them.
    pub(crate) tags: usize,
    /// Characters that the platform refuses.
    pub(crate) refused: &'static [char],
}

/// What the length of a text counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Unit {
    Characters,
    Bytes,
    /// Of UTF-16, as JavaScript and Java count.
    Utf16,
}

impl Unit {
    fn cost(self, letter: char) -> usize {
        match self {
            Unit::Characters => 1,
            Unit::Bytes => letter.len_utf8(),
            Unit::Utf16 => letter.len_utf16(),
        }
    }

    pub(crate) fn length(self, text: &str) -> usize {
        text.chars().map(|letter| self.cost(letter)).sum()
    }
}

/// developers.google.com/youtube/v3/docs/videos, 2026-11.
pub(crate) const YOUTUBE_TEXTS: TextLimits = TextLimits { title: 100, description: 5000, tags: 500, refused: &['<', '>'] };

/// A text that fits: without refused and control characters, cut at a word if it is too long.
/// The second value says whether it was changed.
pub(crate) fn fitted(text: &str, longest: usize, unit: Unit, refused: &[char]) -> (String, bool) {
    let keep = |letter: &char| !refused.contains(letter) && (!letter.is_control() || *letter == '\n');
    let plain: String = text.chars().filter(keep).collect();
    let plain = plain.trim();
    if unit.length(plain) <= longest {
        return (plain.to_owned(), plain != text.trim());
    }
    (script::cut_at_word(plain, longest, |letter| unit.cost(letter)), true)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facts(seconds: f64, width: u32, height: u32, rate: f64) -> ClipFacts {
        ClipFacts { bytes: 1000, planned: Some((seconds, width, height, rate)) }
    }

    #[test]
    fn a_clip_that_breaks_a_rule_is_refused_and_the_rule_is_named() {
        for (limits, facts, expected) in [
            (SHORTS, facts(30.0, 1080, 1920, 30.0), None),
            (SHORTS, facts(180.0, 1080, 1080, 59.94), None),
            (SHORTS, facts(180.5, 1080, 1920, 30.0), Some("lasts 180.5 s")),
            (SHORTS, facts(30.0, 1920, 1080, 30.0), Some("no Short")),
            (YOUTUBE, facts(500.0, 1920, 1080, 30.0), None),
            (YOUTUBE, facts(901.0, 1920, 1080, 30.0), Some("900 s")),
            (SHORTS, facts(0.5, 1080, 1920, 30.0), Some("1 to 180")),
            (SHORTS, facts(30.0, 1080, 1920, 60.5), Some("60.50 frames")),
            (YOUTUBE, facts(30.0, 8192, 4320, 30.0), Some("8192 pixels")),
            (SHORTS, ClipFacts { bytes: 256 * GIB + 1, planned: None }, Some("bytes")),
            (SHORTS, ClipFacts { bytes: 0, planned: None }, Some("empty")),
            (SHORTS, ClipFacts { bytes: 1, planned: None }, None),
            (TIKTOK, facts(30.0, 1080, 1920, 23.976), None),
            (TIKTOK, facts(30.0, 1080, 1920, 15.0), Some("23 to 60")),
            (TIKTOK, ClipFacts { bytes: 4_000_000_001, planned: None }, Some("4000000000")),
            (REELS, facts(2.0, 1080, 1920, 30.0), Some("3 to 900")),
            (REELS, facts(30.0, 2160, 3840, 30.0), Some("1920")),
            (REELS, ClipFacts { bytes: 100_000_000, planned: Some((30.0, 1080, 1920, 30.0)) }, Some("26.7 Mbit/s")),
            (REELS, ClipFacts { bytes: 90_000_000, planned: Some((30.0, 1080, 1920, 30.0)) }, None),
        ] {
            let result = limits.check(&facts);
            match expected {
                None => assert!(result.is_ok(), "{} {facts:?}: {result:?}", limits.name),
                Some(rule) => {
                    let error = result.unwrap_err();
                    assert!(error.kind() == ErrorKind::InvalidInput && error.to_string().contains(rule), "{error}");
                    assert!(error.to_string().contains("2026-11"), "{error}");
                }
            }
        }
    }

    #[test]
    fn a_strict_output_is_small_and_is_its_own() {
        let output = |width, height, rate| Output { crf: 18, preset: X264Preset::Ultrafast, ..Output::h264(width, height, rate) };
        let strict = REELS.strict(&output(2160, 3840, FrameRate::new(60_000, 1001))).unwrap();
        assert_eq!((strict.width, strict.height, strict.crf), (1080, 1920, 23));
        assert_eq!((strict.frame_rate, strict.preset), (FrameRate::new(30_000, 1001), X264Preset::Veryfast));
        assert_eq!(REELS.strict(&strict), None);
        let wide = TIKTOK.strict(&output(3840, 2160, FrameRate::new(15, 1))).unwrap();
        assert_eq!((wide.width, wide.height, wide.frame_rate), (1920, 1080, FrameRate::new(30, 1)));
        assert_eq!(SHORTS.strict(&output(1920, 1080, FrameRate::new(60, 1))), None);
        assert_eq!(YOUTUBE.strict(&output(720, 1280, FrameRate::new(50, 1))).unwrap().frame_rate.fps(), 25.0);
    }

    #[test]
    fn texts_are_cut_at_words_and_lose_what_is_refused() {
        let fit = |text: &str, longest| fitted(text, longest, Unit::Characters, &['<', '>']);
        assert_eq!(fit(" Why clocks lie ", 100), ("Why clocks lie".into(), false));
        assert_eq!(fit("a <b> c\u{7}", 100), ("a b c".into(), true));
        assert_eq!(fit("Why clocks lie to us", 12), ("Why clocks\u{2026}".into(), true));
        assert_eq!(fit("Why clocks lie to us", 11), ("Why clocks\u{2026}".into(), true));
        assert_eq!(fit("Donaudampfschifffahrt", 8), ("Donauda\u{2026}".into(), true));
        let (bytes, cut) = fitted(&"\u{e9}\u{1F600} ".repeat(40), 50, Unit::Bytes, &[]);
        let (wide, _) = fitted(&"\u{1F600}".repeat(40), 50, Unit::Utf16, &[]);
        assert_eq!((Unit::Utf16.length(&wide), wide.chars().count()), (49, 25));
        assert!(cut && bytes.len() <= 50 && bytes.ends_with('\u{2026}'), "{bytes}");
        for longest in 0..30 {
            let (text, _) = fit("\u{1F600} word \u{e9}t\u{e9} and more words", longest);
            assert!(text.chars().count() <= longest.max(1), "{longest}: {text}");
        }
    }
}
