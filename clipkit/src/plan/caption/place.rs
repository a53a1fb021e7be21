//! Places captions and title so that they hide neither faces nor each other.

use super::fonts::Estimate;
use super::layout::layout;
use super::text::{segments, visible_text};
use super::typeset::TypesetWord;
use crate::model::{
    CaptionTrack, Cue, CuePlace, FaceTrack, Hook, HookStyle, Layout, Overlay, OverlayContent, Rect, Scene, Span, Timestamp,
};

/// The height of a cue with two lines, in font sizes.
const CUE_HEIGHT: f64 = 2.3;
/// The lower part of a face box that counts as mouth and chin.
const MOUTH_PART: f64 = 0.5;
/// The cost of covering the upper part of a face, relative to covering the mouth.
const FACE_COST: f64 = 0.35;
/// The cost of covering the picture in layouts that leave part of the output free.
const PICTURE_COST: f64 = 0.3;
/// The cost of a title that covers captions or overlays.
const CAPTIONS_COST: f64 = 5.0;
/// The cost per output height of the distance from the preferred position.
const DISTANCE_COST: f64 = 0.25;
/// Captions stay in place if they cover mouths for at most this part of the time.
const TOLERATED_PART: f64 = 0.15;
const STEP: f64 = 0.02;
/// The padding of a title's plate plus the margin around it, in font sizes.
const HOOK_MARGIN: f64 = 0.35;

/// A vertical range of the output, as fractions of its height from the top.
struct Extent {
    top: f64,
    end: f64,
}

/// Places the captions at the style's position or, if they would cover mouths, at the nearest
/// better position inside the safe area. Each kind of layout in the clip has one position, because
/// captions that jump are harder to read than captions that touch a face. In a split layout it is
/// preferably the border between the halves; in a layout with free space it is preferably there.
pub(crate) fn place(track: &mut CaptionTrack, scenes: &[Scene], faces: &[FaceTrack]) {
    let mut known: Vec<(std::mem::Discriminant<Layout>, CuePlace)> = Vec::new();
    let style = track.style.clone();
    for n in 0..track.cues.len() {
        let Some(layout) = main_scene(scenes, track.cues[n].span).map(|scene| &scene.layout) else { continue };
        let kind = std::mem::discriminant(layout);
        let found = known.iter().find(|(other, _)| *other == kind).map(|(_, place)| *place);
        let place = found.unwrap_or_else(|| {
            let alike: Vec<&Scene> = scenes.iter().filter(|scene| std::mem::discriminant(&scene.layout) == kind).collect();
            let place = best(track, &alike, faces);
            known.push((kind, place));
            place
        });
        match (layout, place) {
            // The position in the fill layout is the track's own.
            (Layout::Fill { .. }, CuePlace::Bottom(bottom)) => track.style.position = bottom,
            (_, place) => track.cues[n].place = Some(place).filter(|place| *place != CuePlace::Bottom(style.position)),
        }
    }
}

/// The scene with the longest overlap with a span.
fn main_scene(scenes: &[Scene], span: Span) -> Option<&Scene> {
    scenes.iter().max_by_key(|scene| scene.span.intersection(span).map_or(0, |part| part.duration().as_micros()))
}

/// The best position in scenes with one kind of layout.
fn best(track: &CaptionTrack, scenes: &[&Scene], faces: &[FaceTrack]) -> CuePlace {
    let (style, safe) = (&track.style, track.safe_area);
    let height = CUE_HEIGHT * style.size;
    let shown = face_extents(scenes, faces, Span::between(Timestamp::ZERO, Timestamp::from_micros(i64::MAX)));
    let (highest, lowest) = (safe.y + height, safe.y + safe.height);
    let wanted = style.position.clamp(highest.min(lowest), lowest);
    let hidden = |bottom: f64| if style.avoid_faces { face_cost(&shown, bottom - height, bottom) } else { 0.0 };
    if scenes.iter().any(|scene| matches!(scene.layout, Layout::Split { .. })) && (highest..=lowest).contains(&(0.5 + height / 2.0)) {
        const SEAM: f64 = 0.5;
        if hidden(SEAM + height / 2.0) <= TOLERATED_PART {
            return CuePlace::Middle(SEAM);
        }
    }
    let covered = |bottom: f64| picture_cost(scenes, bottom - height, bottom);
    if hidden(wanted) <= TOLERATED_PART && covered(wanted) <= 0.0 {
        return CuePlace::Bottom(style.position);
    }
    let cost = |bottom: f64| hidden(bottom) + covered(bottom) + DISTANCE_COST * (bottom - wanted).abs();
    CuePlace::Bottom(cheapest(highest, lowest, wanted, cost))
}

/// The position from `least` to `most` with the lowest cost, rounded to thousandths; `wanted` if no
/// other is cheaper.
fn cheapest(least: f64, most: f64, wanted: f64, cost: impl Fn(f64) -> f64) -> f64 {
    let steps = ((most - least) / STEP).max(0.0) as usize;
    let places = (0..=steps).map(|n| least + n as f64 * STEP).chain([most.max(least), wanted]);
    let best = places.min_by(|a, b| cost(*a).total_cmp(&cost(*b))).unwrap_or(wanted);
    (best * 1000.0).round() / 1000.0
}

/// The part of the time in which text from `top` to `bottom` covers a mouth. The upper part of a
/// face counts less.
fn face_cost(shown: &[Extent], top: f64, bottom: f64) -> f64 {
    let over = |from: f64, to: f64| bottom > from && top < to;
    let cost = shown.iter().map(|Extent { top, end }| {
        let lips = end - (end - top) * MOUTH_PART;
        if over(lips, *end) {
            1.0
        } else if over(*top, *end) {
            FACE_COST
        } else {
            0.0
        }
    });
    cost.sum::<f64>() / shown.len().max(1) as f64
}

/// The mean cost over scenes of text from `top` to `bottom` on the picture, in layouts that leave
/// part of the output free.
fn picture_cost(scenes: &[&Scene], top: f64, bottom: f64) -> f64 {
    let cost = scenes.iter().map(|scene| {
        if !matches!(scene.layout, Layout::Fit { .. } | Layout::Pip { .. }) {
            return 0.0;
        }
        let over = |place: Rect| ((place.y + place.height).min(bottom) - place.y.max(top)).max(0.0) / (bottom - top).max(1e-6);
        PICTURE_COST * scene.layout.panes().into_iter().map(|(_, place)| over(place)).sum::<f64>().min(1.0)
    });
    cost.sum::<f64>() / scenes.len().max(1) as f64
}

/// The vertical ranges of the faces in the output during `span`, for each window that shows them.
fn face_extents(scenes: &[&Scene], faces: &[FaceTrack], span: Span) -> Vec<Extent> {
    let mut shown = Vec::new();
    for sample in faces.iter().flat_map(|face| &face.samples).filter(|sample| span.contains(sample.at)) {
        let Some(scene) = scenes.iter().find(|scene| scene.span.contains(sample.at)) else { continue };
        let (x, y) = sample.rect.center();
        for (crop, place) in scene.layout.panes() {
            let window = crop.at(sample.at);
            if (window.x..window.x + window.width).contains(&x) && (window.y..window.y + window.height).contains(&y) {
                let height = |y: f64| place.y + (y - window.y) / window.height * place.height;
                shown.push(Extent { top: height(sample.rect.y), end: height(sample.rect.y + sample.rect.height) });
            }
        }
    }
    shown
}

/// The surroundings of a title. Faces and scenes are on the clip's timeline.
pub(crate) struct HookContext<'a> {
    /// The output's width and height in pixels.
    pub(crate) size: (u32, u32),
    /// The area that the platform's interface leaves free, in fractions of the output.
    pub(crate) safe_area: Rect,
    pub(crate) clip: Span,
    pub(crate) scenes: &'a [Scene],
    pub(crate) faces: &'a [FaceTrack],
    pub(crate) captions: Option<&'a CaptionTrack>,
    pub(crate) overlays: &'a [Overlay],
}

/// The title over the first seconds of the clip, as high in the safe area as possible without
/// covering faces, captions or overlays. `None` if the text has no visible characters.
pub(crate) fn hook(text: &str, style: &HookStyle, context: &HookContext<'_>) -> Option<Hook> {
    let span = Span::between(Timestamp::ZERO, Timestamp::from_secs(style.secs.min(context.clip.duration().as_secs_f64())));
    let words: Vec<TypesetWord> =
        segments(text).iter().map(|word| TypesetWord::new(&visible_text(word, false), &style.font, style.bold, 1.0, &Estimate)).collect();
    if words.iter().all(|word| word.text.is_empty()) {
        return None;
    }
    let (safe, columns, rows) = (context.safe_area, f64::from(context.size.0), f64::from(context.size.1).max(1.0));
    // Like captions, the title is centred in the picture.
    let side = safe.x.max(1.0 - safe.x - safe.width).clamp(0.0, 0.45);
    let room = (1.0 - 2.0 * side) * columns / (style.size * rows) - 2.0 * HOOK_MARGIN;
    let lines = layout(&words, 0.2, room.max(0.1), f64::INFINITY);
    let height = ((lines.lines() as f64 * lines.fit + 2.0 * HOOK_MARGIN) * style.size).min(safe.height);
    let scenes: Vec<&Scene> = context.scenes.iter().collect();
    let seen = face_extents(&scenes, context.faces, span);
    let first: Vec<&Scene> = scenes.iter().copied().filter(|scene| scene.span.intersection(span).is_some()).collect();
    let during = |track: &CaptionTrack| {
        let cues = track.cues.iter().filter(|cue| cue.span.intersection(span).is_some());
        cues.map(|cue| cue_extent(track, cue)).collect()
    };
    let mut taken: Vec<Extent> = context.captions.map_or(Vec::new(), during);
    let end = context.clip.end();
    let overlays = context.overlays.iter().filter(|overlay| overlay.shown(end).is_some_and(|shown| shown.intersection(span).is_some()));
    taken.extend(overlays.map(|overlay| overlay_extent(overlay, context.size)));
    let top = cheapest(safe.y, safe.y + safe.height - height, safe.y, |top| {
        let bottom = top + height;
        let collides = taken.iter().any(|other| bottom > other.top && top < other.end);
        face_cost(&seen, top, bottom)
            + picture_cost(&first, top, bottom)
            + DISTANCE_COST * (top - safe.y)
            + if collides { CAPTIONS_COST } else { 0.0 }
    });
    Some(Hook { text: text.to_owned(), span, area: Rect::new(side, top, 1.0 - 2.0 * side, height), style: style.clone() })
}

/// The vertical range of a cue with two lines.
fn cue_extent(track: &CaptionTrack, cue: &Cue) -> Extent {
    let (height, safe) = (CUE_HEIGHT * track.style.size, track.safe_area);
    let bottom = match cue.place.unwrap_or(CuePlace::Bottom(track.style.position)) {
        CuePlace::Bottom(at) => at,
        CuePlace::Middle(at) => at + height / 2.0,
    };
    let end = bottom.min(safe.y + safe.height).max(safe.y + height);
    Extent { top: end - height, end }
}

/// The vertical range of an overlay. A picture whose file is not read here counts as a square, and
/// each line of a text as one line.
fn overlay_extent(overlay: &Overlay, size: (u32, u32)) -> Extent {
    let rect = overlay.rect(size, Some(1.0));
    let height = match &overlay.content {
        OverlayContent::Text { text, style } => ((text.lines().count() as f64 + 2.0 * HOOK_MARGIN) * style.size).min(rect.height),
        _ => rect.height,
    };
    let top = rect.y + (rect.height - height) * overlay.place.anchor.fractions().1;
    Extent { top, end: top + height }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Anchor, Aspect, CaptionStyle, Crop, CueWord, FaceSample, OverlayPlace, Pane, Platform};

    fn span(from: f64, to: f64) -> Span {
        Span::secs(from, to).unwrap()
    }

    /// Ten cues of one second with one word each.
    fn track(style: &CaptionStyle, platform: Platform) -> CaptionTrack {
        let cue = |n: u32| {
            let span = span(f64::from(n), f64::from(n) + 1.0);
            Cue::new(span, vec![CueWord::new("word", span)])
        };
        CaptionTrack { style: style.clone(), safe_area: platform.safe_area(Aspect::Vertical), cues: (0..10).map(cue).collect() }
    }

    fn face(rect: Rect) -> FaceTrack {
        let sample = |n: u32| FaceSample { at: Timestamp::from_secs(f64::from(n)), rect, confidence: 1.0, mouth: 0.2, speaking: None };
        FaceTrack { id: 1, samples: (0..10).map(sample).collect() }
    }

    fn fill() -> Layout {
        Layout::Fill { crop: Crop::still(Rect::new(0.3, 0.0, 0.3164, 1.0)) }
    }

    fn placed(rect: Rect, style: &CaptionStyle) -> f64 {
        let mut track = track(style, Platform::Generic);
        place(&mut track, &[Scene { span: span(0.0, 10.0), layout: fill() }], &[face(rect)]);
        assert!(track.cues.iter().all(|cue| cue.place.is_none()));
        track.style.position
    }

    #[test]
    fn captions_move_only_if_they_would_cover_the_mouth() {
        let style = CaptionStyle::karaoke();
        let block = CUE_HEIGHT * style.size;
        // A face in the upper third: the captions stay.
        assert_eq!(placed(Rect::new(0.4, 0.15, 0.1, 0.3), &style), style.position);
        // A mouth at the position of the captions.
        let low = Rect::new(0.4, 0.4, 0.1, 0.25);
        let moved = placed(low, &style);
        assert!(moved <= 0.4 + 1e-9 && moved - block >= 269.0 / 1920.0 - 1e-9, "{moved}");
        // The same face outside the window, and with `avoid_faces` off.
        assert_eq!(placed(Rect { x: 0.8, ..low }, &style), style.position);
        assert_eq!(placed(low, &CaptionStyle { avoid_faces: false, ..style.clone() }), style.position);
    }

    #[test]
    fn captions_never_cover_the_mouth_of_a_large_face() {
        let style = CaptionStyle::karaoke();
        let moved = placed(Rect::new(0.35, 0.1, 0.2, 0.6), &style);
        assert!(moved <= 0.4 + 1e-9, "{moved}");
    }

    #[test]
    fn each_layout_has_its_own_caption_position() {
        let half = || Crop::still(Rect::new(0.0, 0.0, 0.5, 0.5));
        let split = Layout::Split { top: half(), bottom: half(), speaking: Vec::new() };
        let fit = Layout::Fit { pane: Pane { crop: Crop::still(Rect::FULL), place: Rect::new(0.0, 0.25, 1.0, 0.3164) } };
        let scenes = [
            Scene { span: span(0.0, 4.0), layout: fill() },
            Scene { span: span(4.0, 7.0), layout: split },
            Scene { span: span(7.0, 10.0), layout: fit },
        ];
        let style = CaptionStyle::karaoke();
        let mut track = track(&style, Platform::Shorts);
        place(&mut track, &scenes, &[]);
        assert_eq!(track.style.position, style.position);
        assert!(track.cues[..4].iter().all(|cue| cue.place.is_none()));
        assert!(track.cues[4..7].iter().all(|cue| cue.place == Some(CuePlace::Middle(0.5))));
        let Some(CuePlace::Bottom(bottom)) = track.cues[9].place else { panic!("{:?}", track.cues[9]) };
        assert!(bottom - CUE_HEIGHT * style.size >= 0.25 + 0.3164 - 0.002 && bottom <= 0.75 + 1e-9, "below the picture: {bottom}");
        // A mouth at the border between the halves moves the captions.
        let mut moved = self::track(&style, Platform::Shorts);
        place(&mut moved, &scenes[1..2], &[face(Rect::new(0.1, 0.35, 0.2, 0.2))]);
        assert!(!moved.cues.iter().any(|cue| cue.place == Some(CuePlace::Middle(0.5))), "{:?}", moved.cues[0]);
    }

    #[test]
    fn a_title_covers_neither_faces_nor_captions() {
        let scenes = [Scene { span: span(0.0, 10.0), layout: fill() }];
        let mut track = track(&CaptionStyle::karaoke(), Platform::Generic);
        let high = [face(Rect::new(0.4, 0.1, 0.1, 0.25))];
        let beside = |text: &str, track: &CaptionTrack, faces: &[FaceTrack], overlays: &[Overlay]| {
            let around = HookContext {
                size: (1080, 1920),
                safe_area: track.safe_area,
                clip: span(0.0, 10.0),
                scenes: &scenes,
                faces,
                captions: Some(track),
                overlays,
            };
            hook(text, &HookStyle::default(), &around)
        };
        let with = |text: &str, track: &CaptionTrack, faces: &[FaceTrack]| beside(text, track, faces, &[]);
        let free = with("Why every clock is wrong", &track, &[]).unwrap();
        assert!((free.area.y - track.safe_area.y).abs() < 0.001 && free.span == span(0.0, 3.0));
        let moved = with("Why every clock is wrong", &track, &high).unwrap().area;
        let captions = cue_extent(&track, &track.cues[0]);
        assert!(moved.y >= 0.35 - 1e-9 && moved.y + moved.height <= captions.top, "{moved:?}");
        // It is below a logo and a handle, unless they come later.
        let logo = Overlay::image("logo.png", OverlayPlace::new(Anchor::TopRight).with_width(0.14));
        let handle = Overlay::text("@clocks", OverlayPlace::new(Anchor::TopLeft));
        let under = |overlays: &[Overlay]| beside("Why every clock is wrong", &track, &[], overlays).unwrap().area.y - track.safe_area.y;
        assert!((under(std::slice::from_ref(&logo)) - 0.14 * 1080.0 / 1920.0).abs() < 0.021, "{}", under(&[logo]));
        assert!((under(std::slice::from_ref(&handle)) - 0.0442).abs() < 0.021, "{}", under(std::slice::from_ref(&handle)));
        assert!(under(&[handle.during(span(4.0, 9.0))]) < 0.001);
        // With captions at the top, the title is below them.
        track.style.position = 0.3;
        let below = with("Why every clock is wrong", &track, &[]).unwrap().area;
        assert!(below.y >= 0.3 - 1e-9, "{below:?}");
        assert!(with(" \u{200b}", &track, &[]).is_none());
        let long = with(&"a very long title ".repeat(40), &track, &[]).unwrap().area;
        assert!(long.y >= track.safe_area.y - 0.001 && long.y + long.height <= track.safe_area.y + track.safe_area.height + 0.001);
    }
}
