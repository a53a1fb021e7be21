//! Punch-ins in a plan.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::caption::require;
use super::sound::check_span;
use super::{Rect, Span, Timestamp};
use crate::error::Result;

/// The longest easing in seconds.
const MAX_EASE_SECS: f64 = 10.0;
/// The usual easing in seconds.
const EASE_SECS: f64 = 0.3;

/// A punch-in: for a while, the crop window is smaller, so what it shows is larger.
///
/// It concerns scenes whose layout is `fill`. In other layouts the picture stays as it is.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Zoom {
    /// When it lasts, on the clip's timeline, with its easing.
    pub span: Span,
    /// How many times larger the picture is, 1 to 2.
    pub scale: f64,
    /// The point that stays in its place in the output, as a fraction of the window's width and
    /// height from its top left corner. Default: 0.5 each, the middle.
    #[serde(default = "middle", skip_serializing_if = "is_middle")]
    pub x: f64,
    /// See `x`.
    #[serde(default = "middle", skip_serializing_if = "is_middle")]
    pub y: f64,
    /// How long the picture takes to become larger, and at the end smaller, in seconds, 0 to 10.
    /// 0 is at once. Default 0.3. If the span is too short, half of it.
    #[serde(default = "usual_ease", skip_serializing_if = "is_usual_ease")]
    pub ease: f64,
}

fn middle() -> f64 {
    0.5
}

fn usual_ease() -> f64 {
    EASE_SECS
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_middle(value: &f64) -> bool {
    *value == middle()
}

#[allow(clippy::trivially_copy_pass_by_ref)] // Serde passes a reference.
fn is_usual_ease(value: &f64) -> bool {
    *value == usual_ease()
}

impl Zoom {
    /// The greatest [`scale`](Zoom::scale).
    pub const MAX_SCALE: f64 = 2.0;

    /// A punch-in on the middle of the window.
    pub fn new(span: Span, scale: f64) -> Self {
        Zoom { span, scale, x: middle(), y: middle(), ease: EASE_SECS }
    }

    /// How many times larger the picture is at a moment: 1 outside the span. In between, it follows
    /// the smoothstep curve 3p² - 2p³.
    pub fn scale_at(&self, at: Timestamp) -> f64 {
        if !self.span.contains(at) {
            return 1.0;
        }
        let ease = self.ease.min(self.span.duration().as_secs_f64() / 2.0);
        let part = |secs: f64| if ease > 0.0 { (secs / ease).clamp(0.0, 1.0) } else { 1.0 };
        let part = part(at.since(self.span.start()).secs()).min(part(self.span.end().since(at).secs()));
        1.0 + (self.scale - 1.0) * part * part * (3.0 - 2.0 * part)
    }

    /// What is left of a crop window at a moment.
    pub fn window(&self, window: Rect, at: Timestamp) -> Rect {
        let left = 1.0 / self.scale_at(at);
        let start = |from: f64, length: f64, focus: f64| from + length * focus * (1.0 - left);
        let (x, y) = (start(window.x, window.width, self.x), start(window.y, window.height, self.y));
        Rect::new(x, y, window.width * left, window.height * left)
    }

    /// The layout with the punch-in that lasts at a moment. `None` if none does, or if the layout
    /// is not `fill`.
    #[cfg(feature = "ffmpeg")]
    pub(crate) fn punched_in(zooms: &[Zoom], layout: &super::Layout, at: Timestamp) -> Option<super::Layout> {
        let (super::Layout::Fill { crop }, Some(zoom)) = (layout, Zoom::active(zooms, at)) else { return None };
        Some(super::Layout::Fill { crop: super::Crop::still(zoom.window(crop.at(at), at)) })
    }

    /// The one that lasts at a moment, of a plan's.
    pub(crate) fn active(zooms: &[Zoom], at: Timestamp) -> Option<&Zoom> {
        let next = zooms.partition_point(|zoom| zoom.span.start() <= at);
        next.checked_sub(1).and_then(|last| zooms.get(last)).filter(|zoom| zoom.span.contains(at))
    }
}

/// Checks the punch-ins of a plan.
pub(super) fn check_zooms(zooms: &[Zoom], clip_end: Timestamp) -> Result<()> {
    for (n, zoom) in zooms.iter().enumerate() {
        let name = format!("zooms[{n}]");
        check_span(&format!("{name}.span"), zoom.span, clip_end)?;
        for (field, value, least, most) in [
            ("scale", zoom.scale, 1.0, Zoom::MAX_SCALE),
            ("x", zoom.x, 0.0, 1.0),
            ("y", zoom.y, 0.0, 1.0),
            ("ease", zoom.ease, 0.0, MAX_EASE_SECS),
        ] {
            require((least..=most).contains(&value), || format!("{name}.{field} is {value}; give {least} to {most}"))?;
        }
    }
    let in_order = zooms.is_sorted_by(|a, b| a.span.end() <= b.span.start());
    require(in_order, || "zooms overlap or are not in order of time".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::ErrorKind;

    fn zoom(from: f64, to: f64) -> Zoom {
        Zoom::new(Span::secs(from, to).unwrap(), 1.25)
    }

    #[test]
    fn a_zoom_eases_in_and_out_around_its_focus() {
        let mut zoom = zoom(2.0, 4.0);
        (zoom.x, zoom.y) = (0.25, 0.0);
        let scale = |secs: f64| zoom.scale_at(Timestamp::from_secs(secs));
        for (secs, expected) in [(1.9, 1.0), (2.0, 1.0), (2.15, 1.125), (2.3, 1.25), (3.7, 1.25), (3.85, 1.125), (4.0, 1.0), (9.0, 1.0)] {
            assert!((scale(secs) - expected).abs() < 1e-9, "{secs}: {}", scale(secs));
        }
        let window = zoom.window(Rect::new(0.2, 0.1, 0.4, 0.8), Timestamp::from_secs(3.0));
        let expected = Rect::new(0.2 + 0.4 * 0.25 * 0.2, 0.1, 0.32, 0.64);
        assert!((window.x - expected.x).abs() < 1e-9 && (window.width - expected.width).abs() < 1e-9, "{window:?}");
        assert!((window.y - expected.y).abs() < 1e-9 && (window.height - expected.height).abs() < 1e-9, "{window:?}");
        zoom.ease = 0.0;
        assert_eq!(zoom.scale_at(Timestamp::from_secs(2.0)), 1.25);
        // The easing is at most half of the span.
        zoom.ease = 9.0;
        assert_eq!(zoom.scale_at(Timestamp::from_secs(3.0)), 1.25);
    }

    #[test]
    fn the_active_one_is_found() {
        let zooms = [zoom(1.0, 2.0), zoom(2.0, 3.0), zoom(5.0, 6.0)];
        let found = |secs: f64| Zoom::active(&zooms, Timestamp::from_secs(secs)).map(|zoom| zoom.span.start().secs());
        assert_eq!([0.5, 1.0, 2.0, 3.5, 5.5, 6.0].map(found), [None, Some(1.0), Some(2.0), None, Some(5.0), None]);
    }

    #[test]
    fn a_refused_value_is_named() {
        let end = Timestamp::from_secs(10.0);
        let refused = |change: &dyn Fn(&mut Zoom)| {
            let mut zoom = zoom(1.0, 2.0);
            change(&mut zoom);
            let error = check_zooms(&[self::zoom(0.0, 0.5), zoom], end).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::InvalidPlan);
            error.message().to_owned()
        };
        assert_eq!(refused(&|it| it.scale = 2.1), "zooms[1].scale is 2.1; give 1 to 2");
        assert_eq!(refused(&|it| it.scale = f64::NAN), "zooms[1].scale is NaN; give 1 to 2");
        assert_eq!(refused(&|it| it.x = -0.1), "zooms[1].x is -0.1; give 0 to 1");
        assert_eq!(refused(&|it| it.ease = 11.0), "zooms[1].ease is 11; give 0 to 10");
        assert!(refused(&|it| it.span = Span::secs(9.0, 10.1).unwrap()).contains("leaves the clip"));
        assert!(refused(&|it| it.span = Span::secs(2.0, 2.0).unwrap()).contains("lasts no time"));
        assert!(refused(&|it| it.span = Span::secs(0.4, 2.0).unwrap()).contains("overlap"));
        check_zooms(&[zoom(0.0, 1.0), zoom(1.0, 10.0)], end).unwrap();
        assert_eq!(serde_json::to_string(&zoom(1.0, 2.0)).unwrap(), r#"{"span":{"start":1.0,"end":2.0},"scale":1.25}"#);
    }
}
