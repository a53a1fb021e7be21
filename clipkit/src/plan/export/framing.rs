//! Crop windows as keyframes of a transform.

use std::ops::Range;

use crate::model::{Crop, FrameRate, Rect, Timestamp, Zoom};

/// How a clip's picture is placed in the frame, over time.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Framing {
    /// The keyframes in order, at least one. Values are linear between them.
    pub(super) keys: Vec<FramingKey>,
}

/// A keyframe.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct FramingKey {
    /// The frame, from the clip's first one.
    pub(super) frame: u64,
    /// The part of the displayed source picture that is shown.
    window: Rect,
    /// The part of the output that it fills.
    place: Rect,
}

/// The placing of the whole source picture that puts a window into its place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Transform {
    /// Pixels of the output for a pixel of the source.
    pub(super) scale: f64,
    /// How far the picture's middle is from the output's, in pixels of the output, to the right and
    /// down.
    pub(super) x: f64,
    pub(super) y: f64,
    /// The parts of the picture to hide, as fractions of its width and height: left, top, right,
    /// bottom. They are 0 where the output's edge hides what is outside the window.
    pub(super) trim: [f64; 4],
}

impl Framing {
    /// Whether the picture does not move.
    pub(super) fn is_still(&self) -> bool {
        self.keys.len() == 1
    }

    /// Whether a part of the picture is hidden at some time.
    pub(super) fn is_trimmed(&self) -> bool {
        self.keys.iter().any(|key| key.place != Rect::FULL)
    }

    /// The first keyframe, where a picture that does not move is.
    pub(super) fn first(&self, source: (u32, u32), output: (u32, u32)) -> Transform {
        let whole = FramingKey { frame: 0, window: Rect::FULL, place: Rect::FULL };
        self.keys.first().unwrap_or(&whole).transform(source, output)
    }
}

impl FramingKey {
    /// The transform of a picture of `source` pixels in an output of `output` pixels.
    pub(super) fn transform(&self, source: (u32, u32), output: (u32, u32)) -> Transform {
        let FramingKey { window, place, .. } = self;
        let (width, height) = (f64::from(source.0), f64::from(source.1));
        let (out_width, out_height) = (f64::from(output.0), f64::from(output.1));
        let scale = place.width * out_width / (window.width * width).max(f64::MIN_POSITIVE);
        let middle = |start: f64, length: f64| start + length / 2.0 - 0.5;
        let trim = if *place == Rect::FULL {
            [0.0; 4]
        } else {
            let part = |value: f64| value.clamp(0.0, 1.0);
            [part(window.x), part(window.y), part(1.0 - window.x - window.width), part(1.0 - window.y - window.height)]
        };
        Transform {
            scale,
            x: middle(place.x, place.width) * out_width - middle(window.x, window.width) * width * scale,
            y: middle(place.y, place.height) * out_height - middle(window.y, window.height) * height * scale,
            trim,
        }
    }
}

/// The keyframes of a clip that starts at frame `start` of the plan. Each window is shown in its
/// frames, which follow each other; between two windows the picture jumps. A window with punch-ins
/// has a keyframe at every frame of them.
pub(super) fn framing(windows: &[(Range<u64>, &Crop, Rect, &[Zoom])], rate: FrameRate, start: u64) -> Framing {
    let mut keys: Vec<FramingKey> = Vec::new();
    for (frames, crop, place, zooms) in windows {
        let last = frames.end.saturating_sub(1);
        let frame_of = |at: Timestamp| (at.secs().max(0.0) * rate.fps()).round() as u64;
        let inner = crop.path.iter().map(|key| frame_of(key.at));
        let eased = zooms.iter().flat_map(|zoom| frame_of(zoom.span.start()).saturating_sub(1)..=frame_of(zoom.span.end()) + 1);
        let inner = inner.chain(eased).filter(|frame| frames.start < *frame && *frame < last);
        let mut at: Vec<u64> = std::iter::once(frames.start).chain(inner).chain([last]).collect();
        at.sort_unstable();
        at.dedup();
        keys.extend(at.into_iter().map(|frame| FramingKey {
            frame: frame.saturating_sub(start),
            window: {
                let (at, window) = (rate.frame_start(frame), crop.at(rate.frame_start(frame)));
                Zoom::active(zooms, at).map_or(window, |zoom| zoom.window(window, at))
            },
            place: *place,
        }));
    }
    // A keyframe between two equal ones says nothing.
    let same = |a: &FramingKey, b: &FramingKey| a.window == b.window && a.place == b.place;
    let mut kept: Vec<FramingKey> = Vec::new();
    for (n, key) in keys.iter().enumerate() {
        let between = kept.last().is_some_and(|last| same(last, key)) && keys.get(n + 1).is_none_or(|next| same(next, key));
        if !between {
            kept.push(*key);
        }
    }
    if kept.is_empty() {
        kept.push(FramingKey { frame: 0, window: Rect::FULL, place: Rect::FULL });
    }
    Framing { keys: kept }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{CropKey, Span};

    const RATE: FrameRate = FrameRate::new(25, 1);

    #[test]
    fn a_window_fills_its_place() {
        let crop = Crop::still(Rect::new(0.5, 0.0, 0.316_406_25, 1.0));
        let framing = framing(&[(0..50, &crop, Rect::FULL, &[])], RATE, 0);
        assert!(framing.is_still() && !framing.is_trimmed());
        let found = framing.first((1920, 1080), (1080, 1920));
        // 607.5 source pixels fill 1080, and the window's middle, 303.75 right of the picture's,
        // moves to the output's.
        assert!((found.scale - 1920.0 / 1080.0).abs() < 1e-9);
        assert!((found.x + 303.75 * found.scale).abs() < 1e-6 && found.y.abs() < 1e-6, "{found:?}");
    }

    #[test]
    fn a_window_in_a_half_hides_the_rest() {
        let crop = Crop::still(Rect::new(0.25, 0.1, 0.5, 0.8));
        let lower = framing(&[(10..20, &crop, Rect::new(0.0, 0.5, 1.0, 0.5), &[])], RATE, 10).first((1920, 1080), (1080, 1920));
        assert!((lower.scale - 1.125).abs() < 1e-9 && lower.x.abs() < 1e-9 && (lower.y - 480.0).abs() < 1e-9);
        for (found, expected) in lower.trim.into_iter().zip([0.25, 0.1, 0.25, 0.1]) {
            assert!((found - expected).abs() < 1e-9);
        }
    }

    #[test]
    fn windows_move_linearly_and_jump_between_scenes() {
        let key = |secs: f64, x: f64| CropKey { at: Timestamp::from_secs(secs), x, y: 0.0 };
        let moving = Crop::new(0.3, 1.0, vec![key(0.4, 0.0), key(0.8, 0.5)]);
        let still = Crop::still(Rect::new(0.7, 0.0, 0.3, 1.0));
        let framing = framing(&[(0..25, &moving, Rect::FULL, &[]), (25..50, &still, Rect::FULL, &[])], RATE, 0);
        let found: Vec<(u64, f64)> = framing.keys.iter().map(|key| (key.frame, key.window.x)).collect();
        assert_eq!(found, [(0, 0.0), (10, 0.0), (20, 0.5), (24, 0.5), (25, 0.7)]);
    }

    #[test]
    fn a_punch_in_has_keyframes() {
        let crop = Crop::still(Rect::new(0.2, 0.0, 0.4, 1.0));
        let zoom = Zoom::new(Span::secs(0.4, 1.2).unwrap(), 1.25);
        let framing = framing(&[(0..50, &crop, Rect::FULL, &[zoom])], RATE, 0);
        let width = |frame: u64| framing.keys.iter().find(|key| key.frame == frame).map(|key| (key.window.width * 1000.0).round());
        assert_eq!([0, 9, 10, 20, 30].map(width), [Some(400.0), None, Some(400.0), None, Some(400.0)]);
        assert!(framing.keys.iter().any(|key| (key.window.width - 0.32).abs() < 1e-9));
        assert!(framing.keys.len() < 25, "{}", framing.keys.len());
    }
}
