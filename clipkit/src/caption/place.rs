//! Where captions stand, so that they do not hide who speaks.

use crate::model::{CaptionStyle, FaceTrack, Rect, Scene, Timestamp};

/// Two lines, in font sizes.
const BLOCK: f64 = 2.3;
/// The part of a face box that is mouth and chin, from below.
const MOUTH: f64 = 0.5;
/// What it costs to hide the rest of a face, next to hiding the mouth.
const FACE_COST: f64 = 0.35;
/// What it costs to stand a whole height away from where the style wants to.
const AWAY_COST: f64 = 0.25;
/// Captions do not move for faces they hide less of the time than this.
const FORGIVEN: f64 = 0.15;
const STEP: f64 = 0.02;

/// The bottom edge of the captions, as a fraction of the output's height: the style's own, or the nearest inside `safe` that hides mouths
/// less. One place for the whole clip: captions that jump about are harder to read than some that touch a face.
pub(crate) fn position(style: &CaptionStyle, safe: Rect, scenes: &[Scene], faces: &[FaceTrack]) -> f64 {
    let shown: Vec<(f64, f64)> =
        faces.iter().flat_map(|face| face.samples.iter().flat_map(|sample| on_screen(scenes, sample.at, sample.rect))).collect();
    let height = BLOCK * style.size;
    let hidden = |bottom: f64| {
        let over = |from: f64, to: f64| bottom > from && bottom - height < to;
        let cost = shown.iter().map(|(top, end)| {
            let lips = end - (end - top) * MOUTH;
            if over(lips, *end) {
                1.0
            } else if over(*top, *end) {
                FACE_COST
            } else {
                0.0
            }
        });
        cost.sum::<f64>() / shown.len().max(1) as f64
    };
    let (highest, lowest) = (safe.y + height, safe.y + safe.height);
    let wanted = style.position.clamp(highest.min(lowest), lowest);
    if !style.avoid_faces || hidden(wanted) <= FORGIVEN {
        return style.position;
    }
    let steps = ((lowest - highest) / STEP).max(0.0) as usize;
    let cost = |bottom: f64| hidden(bottom) + AWAY_COST * (bottom - wanted).abs();
    let places = (0..=steps).map(|n| highest + n as f64 * STEP).chain([wanted]);
    let best = places.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(wanted);
    (best * 1000.0).round() / 1000.0
}

/// Top and bottom of a face in the output, in each window that it is seen in.
fn on_screen(scenes: &[Scene], at: Timestamp, face: Rect) -> Vec<(f64, f64)> {
    let Some(scene) = scenes.iter().find(|scene| scene.span.contains(at)) else { return Vec::new() };
    let (x, y) = face.center();
    let shown = scene.layout.panes().into_iter().filter_map(|(crop, place)| {
        let window = crop.at(at);
        let inside = (window.x..window.x + window.width).contains(&x) && (window.y..window.y + window.height).contains(&y);
        let height = |y: f64| place.y + (y - window.y) / window.height * place.height;
        inside.then(|| (height(face.y), height(face.y + face.height)))
    });
    shown.collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Aspect, Crop, FaceSample, Layout, Platform, Span};

    fn placed(face: Rect, style: &CaptionStyle) -> f64 {
        let scene =
            Scene { span: Span::secs(0.0, 10.0).unwrap(), layout: Layout::Fill { crop: Crop::still(Rect::new(0.3, 0.0, 0.3164, 1.0)) } };
        let sample = |n: u32| FaceSample { at: Timestamp::from_secs(f64::from(n)), rect: face, confidence: 1.0, mouth: 0.2 };
        let track = FaceTrack { id: 1, samples: (0..10).map(sample).collect() };
        position(style, Platform::Generic.safe_area(Aspect::Vertical), &[scene], &[track])
    }

    #[test]
    fn captions_leave_the_mouth_free_and_stay_put_otherwise() {
        let style = CaptionStyle::karaoke();
        let block = BLOCK * style.size;
        // A face in the upper third, as usual: nothing to do.
        assert_eq!(placed(Rect::new(0.4, 0.15, 0.1, 0.3), &style), style.position);
        // A mouth where the captions would be.
        let low = Rect::new(0.4, 0.4, 0.1, 0.25);
        let moved = placed(low, &style);
        assert!(moved <= 0.4 + 1e-9 && moved - block >= 269.0 / 1920.0 - 1e-9, "{moved}");
        // The same face outside the window, or with faces ignored.
        assert_eq!(placed(Rect { x: 0.8, ..low }, &style), style.position);
        assert_eq!(placed(low, &CaptionStyle { avoid_faces: false, ..style.clone() }), style.position);
    }

    #[test]
    fn a_face_that_fills_the_picture_keeps_its_mouth_at_least() {
        let style = CaptionStyle::karaoke();
        let moved = placed(Rect::new(0.35, 0.1, 0.2, 0.6), &style);
        assert!(moved <= 0.4 + 1e-9, "{moved}");
    }
}
