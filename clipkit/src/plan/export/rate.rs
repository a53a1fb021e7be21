//! Frame rates of timelines.

use super::ExportFormat;
use crate::model::{FrameRate, VideoStream};

/// The frame rates that editors know.
const STANDARD: [FrameRate; 13] = [
    FrameRate::new(15, 1),
    FrameRate::new(24_000, 1001),
    FrameRate::new(24, 1),
    FrameRate::new(25, 1),
    FrameRate::new(30_000, 1001),
    FrameRate::new(30, 1),
    FrameRate::new(48, 1),
    FrameRate::new(50, 1),
    FrameRate::new(60_000, 1001),
    FrameRate::new(60, 1),
    FrameRate::new(100, 1),
    FrameRate::new(120_000, 1001),
    FrameRate::new(120, 1),
];

/// Rates that differ by less are the same rate, written less exactly (`2997/100`). Those of film
/// and NTSC differ by one part in a thousand.
const SAME: f64 = 1e-4;

/// The frame rate of a timeline, and whether it is the source's.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct TimelineRate {
    pub(super) rate: FrameRate,
    /// Why the rate is not the source's. `None` if it is.
    pub(super) inexact: Option<&'static str>,
}

/// The rate for a source in a format: the source's exact rate, or the nearest standard rate if the
/// source's varies or the format has no such rate.
pub(super) fn timeline_rate(video: &VideoStream, format: ExportFormat) -> TimelineRate {
    let source = video.frame_rate;
    let nearest = nearest(source, format);
    let differs = (nearest.fps() - source.fps()).abs() > source.fps() * SAME;
    if video.variable_rate {
        return TimelineRate { rate: nearest, inexact: Some("the source's frame rate varies") };
    }
    match (differs, format) {
        (false, _) => TimelineRate { rate: nearest, inexact: None },
        // These formats state any fraction.
        (true, ExportFormat::Otio | ExportFormat::Fcpxml) => TimelineRate { rate: reduced(source), inexact: None },
        (true, _) => TimelineRate { rate: nearest, inexact: Some("the format has no such frame rate") },
    }
}

fn nearest(source: FrameRate, format: ExportFormat) -> FrameRate {
    // A time code of CMX 3600 has two digits for the frames.
    let usable = |rate: &&FrameRate| format != ExportFormat::Edl || rate.fps() <= 60.0;
    let away = |rate: &&FrameRate| (rate.fps() / source.fps().max(f64::MIN_POSITIVE)).ln().abs();
    STANDARD.iter().filter(usable).min_by(|a, b| away(a).total_cmp(&away(b))).copied().unwrap_or(FrameRate::new(25, 1))
}

/// The fraction in lowest terms.
fn reduced(rate: FrameRate) -> FrameRate {
    let (num, den) = (rate.num.max(1), rate.den.max(1));
    let divisor = gcd(num.into(), den.into()) as u32;
    FrameRate::new(num / divisor, den / divisor)
}

/// The greatest common divisor.
pub(super) fn gcd(a: u64, b: u64) -> u64 {
    if b == 0 { a.max(1) } else { gcd(b, a % b) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chosen(num: u32, den: u32, variable: bool, format: ExportFormat) -> (u32, u32, bool) {
        let mut video = VideoStream::new(0, "h264", 1920, 1080, FrameRate::new(num, den));
        video.variable_rate = variable;
        let TimelineRate { rate, inexact } = timeline_rate(&video, format);
        (rate.num, rate.den, inexact.is_none())
    }

    #[test]
    fn the_rate_is_the_sources_where_the_format_has_it() {
        use ExportFormat::{Edl, Fcpxml, Otio, Xmeml};
        for format in [Edl, Fcpxml, Otio, Xmeml] {
            assert_eq!(chosen(30_000, 1001, false, format), (30_000, 1001, true));
            assert_eq!(chosen(2997, 100, false, format), (30_000, 1001, true));
            assert_eq!(chosen(23_976, 1000, false, format), (24_000, 1001, true));
            assert_eq!(chosen(24, 1, false, format), (24, 1, true));
            assert_eq!(chosen(50, 2, false, format), (25, 1, true));
            assert_eq!(chosen(28_750, 1000, true, format), (30_000, 1001, false));
        }
        assert_eq!(chosen(37, 2, false, Otio), (37, 2, true));
        assert_eq!(chosen(74, 4, false, Fcpxml), (37, 2, true));
        assert_eq!(chosen(37, 2, false, Xmeml), (15, 1, false));
        assert_eq!(chosen(120, 1, false, Xmeml), (120, 1, true));
        assert_eq!(chosen(120, 1, false, Edl), (60, 1, false));
    }
}
