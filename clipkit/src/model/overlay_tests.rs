//! Tests of the geometry, the times and the validation of overlays.

use proptest::prelude::*;

use super::*;
use crate::error::ErrorKind;

const SIZE: (u32, u32) = (1080, 1920);

fn logo(place: OverlayPlace) -> Overlay {
    Overlay::image("logo.png", place)
}

#[test]
fn documents_leave_out_what_is_usual() {
    let text = r#"{"content":{"kind":"image","file":"logo.png"},"place":{"anchor":"top_right","width":0.25}}"#;
    let read: Overlay = serde_json::from_str(text).unwrap();
    assert_eq!(read, logo(OverlayPlace::new(Anchor::TopRight).with_width(0.25)));
    assert_eq!(serde_json::to_string(&read).unwrap(), text);
    for text in [
        r##"{"content":{"kind":"text","text":"Ada\nCountess","style":{"color":"#ff0000"}},"span":{"start":1.0,"end":3.0},
           "place":{"anchor":"bottom_left","x":0.1,"y":-0.1,"height":0.2},"opacity":0.5,"fade_in":0.3,"fade_out":0.2}"##,
        r##"{"content":{"kind":"progress_bar","color":"#ffd60a","back":"#000000"},
           "place":{"anchor":"bottom","area":{"x":0,"y":0,"width":1,"height":1}}}"##,
    ] {
        let read: Overlay = serde_json::from_str(text).unwrap();
        read.check("overlays[0]").unwrap();
        assert_eq!(serde_json::from_str::<Overlay>(&serde_json::to_string(&read).unwrap()).unwrap(), read);
    }
    for wrong in [
        r#"{"content":{"kind":"image","file":"a.png"}}"#,
        r#"{"content":{"kind":"film","file":"a.png"},"place":{"anchor":"top"}}"#,
        r#"{"content":{"kind":"image","file":"a.png"},"place":{"anchor":"top"},"colour":1}"#,
        r#"{"content":{"kind":"image","file":"a.png","url":"x"},"place":{"anchor":"top"}}"#,
    ] {
        assert!(serde_json::from_str::<Overlay>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn an_image_keeps_its_aspect_at_every_anchor_of_the_safe_area() {
    let safe = Platform::Generic.safe_area(Aspect::Vertical);
    let at = |anchor, picture| logo(OverlayPlace::new(anchor).with_width(0.2)).rect(SIZE, Some(picture));
    let corner = at(Anchor::TopLeft, 2.0);
    assert_eq!((corner.x, corner.y, corner.width), (safe.x, safe.y, 0.2));
    // 216 x 108 pixels.
    assert!((corner.height * 1920.0 - 108.0).abs() < 1e-9, "{corner:?}");
    let other = at(Anchor::BottomRight, 2.0);
    assert!((other.x + other.width - safe.x - safe.width).abs() < 1e-9 && (other.y + other.height - safe.y - safe.height).abs() < 1e-9);
    let (x, y) = at(Anchor::Center, 2.0).center();
    assert!((x - safe.center().0).abs() < 1e-9 && (y - safe.center().1).abs() < 1e-9);
    // With both lengths it is as large as fits, with none it has the usual width.
    let boxed = logo(OverlayPlace::new(Anchor::Top).with_width(0.5).with_height(0.1)).rect(SIZE, Some(1.0));
    assert!((boxed.height - 0.1).abs() < 1e-9 && (boxed.width * 1080.0 - 192.0).abs() < 1e-9, "{boxed:?}");
    assert_eq!(logo(OverlayPlace::new(Anchor::Top)).rect(SIZE, Some(1.0)).width, IMAGE_WIDTH);
    // A very high one is made smaller.
    let high = at(Anchor::Top, 0.01);
    assert!((high.height - safe.height).abs() < 1e-9 && high.width < 0.02, "{high:?}");
}

#[test]
fn a_bar_is_as_wide_as_its_area() {
    let bar = |place| Overlay::progress_bar(Rgb(255, 0, 0), place).rect(SIZE, None);
    let safe = Platform::Generic.safe_area(Aspect::Vertical);
    assert_eq!(bar(OverlayPlace::new(Anchor::Bottom)).width, safe.width);
    let edge = bar(OverlayPlace::new(Anchor::Bottom).with_area(Rect::FULL).with_height(0.01));
    assert_eq!((edge.x, edge.y, edge.width, edge.height), (0.0, 0.99, 1.0, 0.01));
}

#[test]
fn opacity_follows_the_fades() {
    let at = Timestamp::from_secs;
    let mut overlay = logo(OverlayPlace::new(Anchor::Top)).during(Span::secs(1.0, 5.0).unwrap());
    (overlay.opacity, overlay.fade_in, overlay.fade_out) = (0.8, 1.0, 2.0);
    let shown = overlay.shown(at(10.0)).unwrap();
    let found: Vec<f64> = [0.9, 1.0, 1.5, 2.5, 4.0, 5.0].iter().map(|secs| overlay.opacity_at(at(*secs), shown)).collect();
    for (found, expected) in found.iter().zip([0.0, 0.0, 0.4, 0.8, 0.4, 0.0]) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    // The clip ends at 2 s, so that one second is left for both fades.
    let short = overlay.shown(at(2.0)).unwrap();
    let (fade_in, fade_out) = overlay.fades(short);
    assert!((fade_in - 1.0 / 3.0).abs() < 1e-9 && (fade_out - 2.0 / 3.0).abs() < 1e-9);
    assert_eq!(overlay.shown(at(1.0)), None);
    overlay.span = None;
    assert_eq!(overlay.shown(at(2.0)), Some(Span::secs(0.0, 2.0).unwrap()));
}

#[test]
fn hostile_values_are_refused_by_name() {
    type Change = fn(&mut Overlay);
    let table: [(Change, &str); 19] = [
        (|it| it.opacity = f64::NAN, "x.opacity"),
        (|it| it.opacity = 1.1, "x.opacity"),
        (|it| it.fade_in = -0.1, "x.fade_in"),
        (|it| it.fade_out = f64::INFINITY, "x.fade_out"),
        (|it| it.place.x = f64::NAN, "x.place.x"),
        (|it| it.place.y = -1.5, "x.place.y"),
        (|it| it.place.width = Some(0.0), "x.place.width"),
        (|it| it.place.height = Some(f64::NAN), "x.place.height"),
        (|it| it.place.height = Some(1.2), "x.place.height"),
        (|it| it.place.area = Some(Rect::new(0.5, 0.0, 0.6, 1.0)), "x.place.area"),
        (|it| it.place.area = Some(Rect::new(0.0, f64::NAN, 0.6, 1.0)), "x.place.area"),
        (|it| it.span = Some(Span::secs(2.0, 2.0).unwrap()), "x.span lasts no time"),
        (|it| it.span = Some(Span::secs(-1.0, 2.0).unwrap()), "x.span starts before"),
        (|it| it.content = OverlayContent::Image { file: String::new() }, "x.content.file"),
        (|it| it.content = OverlayContent::Image { file: "a\0.png".into() }, "x.content.file"),
        (|it| it.content = OverlayContent::Image { file: "a".repeat(5000) }, "x.content.file"),
        (|it| it.content = OverlayContent::Text { text: " \n".into(), style: OverlayTextStyle::default() }, "x.content.text is empty"),
        (|it| it.content = OverlayContent::Text { text: "a".repeat(501), style: OverlayTextStyle::default() }, "x.content.text is longer"),
        (
            |it| {
                let style = OverlayTextStyle { size: f64::NAN, ..OverlayTextStyle::default() };
                it.content = OverlayContent::Text { text: "a".into(), style };
            },
            "x.content.style.size",
        ),
    ];
    for (change, part) in table {
        let mut overlay = logo(OverlayPlace::new(Anchor::Top));
        overlay.check("x").unwrap();
        change(&mut overlay);
        let error = overlay.check("x").unwrap_err();
        assert!(error.kind() == ErrorKind::InvalidPlan && error.message().starts_with(part), "{part}: {error}");
    }
}

const ANCHORS: [Anchor; 9] = [
    Anchor::TopLeft,
    Anchor::Top,
    Anchor::TopRight,
    Anchor::Left,
    Anchor::Center,
    Anchor::Right,
    Anchor::BottomLeft,
    Anchor::Bottom,
    Anchor::BottomRight,
];

proptest! {
    #[test]
    fn every_overlay_stays_in_its_area(
        anchor in 0..9_usize, x in -1.0..1.0f64, y in -1.0..1.0f64,
        width in proptest::option::of(0.001..1.0f64), height in proptest::option::of(0.001..1.0f64),
        area in proptest::option::of((0.0..0.9f64, 0.0..0.9f64, 0.05..1.0f64, 0.05..1.0f64)),
        picture in 0.01..100.0f64, columns in 32..2048_u32, rows in 32..2048_u32, kind in 0..3,
    ) {
        let area = area.map(|(x, y, w, h)| Rect::new(x, y, w.min(1.0 - x), h.min(1.0 - y)));
        let place = OverlayPlace { anchor: ANCHORS[anchor], x, y, width, height, area };
        let overlay = match kind {
            0 => Overlay::image("logo.png", place),
            1 => Overlay::text("Ada", place),
            _ => Overlay::progress_bar(Rgb(1, 2, 3), place),
        };
        prop_assert!(overlay.check("x").is_ok());
        let size = (columns * 2, rows * 2);
        let rect = overlay.rect(size, (kind == 0).then_some(picture));
        let area = area.unwrap_or_else(|| Platform::default().safe_area(Aspect::of(size)));
        prop_assert!(rect.width > 0.0 && rect.height > 0.0, "{:?}", rect);
        prop_assert!(rect.x >= area.x - 1e-9 && rect.y >= area.y - 1e-9, "{:?} {:?}", rect, area);
        prop_assert!(rect.x + rect.width <= area.x + area.width + 1e-9, "{:?} {:?}", rect, area);
        prop_assert!(rect.y + rect.height <= area.y + area.height + 1e-9, "{:?} {:?}", rect, area);
        if kind == 0 {
            let shape = rect.width * f64::from(size.0) / (rect.height * f64::from(size.1));
            prop_assert!((shape / picture - 1.0).abs() < 1e-6);
        }
    }
}
