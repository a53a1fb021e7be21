//! Overlays are added, removed and moved with what they cover.

use super::*;
use crate::model::{Anchor, Overlay, OverlayPlace, Rgb};

fn logo() -> Overlay {
    Overlay::image("logo.png", OverlayPlace::new(Anchor::TopRight).with_width(0.2))
}

fn during(plan: &ClipPlan) -> Vec<Option<(f64, f64)>> {
    let rounded = |at: Timestamp| (at.secs() * 1000.0).round() / 1000.0;
    plan.overlays.iter().map(|overlay| overlay.span.map(|span| (rounded(span.start()), rounded(span.end())))).collect()
}

#[test]
fn overlays_are_added_in_front_and_removed_by_number() {
    let text = r##"[{"op": "add_overlay", "overlay": {"content": {"kind": "image", "file": "logo.png"}, "place": {"anchor": "top_right", "width": 0.2}}},
        {"op": "add_overlay", "overlay": {"content": {"kind": "progress_bar", "color": "#ffd60a"},
            "place": {"anchor": "bottom", "area": {"x": 0, "y": 0, "width": 1, "height": 1}}}}]"##;
    let ops: Vec<EditOp> = serde_json::from_str(text).unwrap();
    let found = edited(&plan(), &ops).unwrap();
    assert_eq!((found.changes.before.overlays, found.changes.after.overlays), (0, 2));
    assert_eq!(found.changes.steps.iter().map(|step| step.op.as_str()).collect::<Vec<_>>(), ["add_overlay"; 2]);
    // The area of the captions, and the one that was given.
    let areas: Vec<Option<Rect>> = found.plan.overlays.iter().map(|overlay| overlay.place.area).collect();
    assert_eq!(areas, [Some(Rect::new(0.05, 0.1, 0.9, 0.6)), Some(Rect::FULL)]);
    assert_ne!(found.plan.id(), plan().id());
    let left = edited(&found.plan, &[EditOp::RemoveOverlay { overlay: 0 }]).unwrap().plan;
    assert!(left.overlays.len() == 1 && left.overlays[0].file().is_none());
    let none = edited(&left, &[EditOp::RemoveOverlay { overlay: 0 }]).unwrap().plan;
    assert_eq!((none.id(), none.to_json().unwrap()), (plan().id(), plan().to_json().unwrap()));
    let error = edited(&left, &[EditOp::RemoveOverlay { overlay: 1 }]).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.message().contains("there is no overlay 1: the plan has 1"), "{error}");
    let mut wrong = logo();
    wrong.opacity = 2.0;
    let error = one(EditOp::AddOverlay { overlay: wrong }).unwrap_err();
    let shown = "operation 0 (add_overlay): overlays[0].opacity is 2; give 0 to 1";
    assert_eq!((error.kind(), error.message()), (ErrorKind::InvalidPlan, shown));
}

#[test]
fn overlays_follow_what_they_cover() {
    let mut plan = plan();
    plan.overlays = vec![logo(), logo().during(span(2.0, 8.0)), logo().during(span(20.0, 40.0))];
    // Words of half a second each: 6 s to 7 s go, which the second overlay covers.
    let cut = edited(&plan, &[EditOp::DeleteWords { words: WordSelection::range(12, 14) }]).unwrap();
    let gone = cut.changes.before.duration.since(cut.changes.after.duration).secs();
    assert!((gone - 1.0).abs() < 0.2, "{gone}");
    let [None, Some((start, end)), Some((late, last))] = during(&cut.plan)[..] else { panic!("{:?}", during(&cut.plan)) };
    assert!(start == 2.0 && (end - (8.0 - gone)).abs() < 0.002 && (late - (20.0 - gone)).abs() < 0.002, "{start} {end} {late}");
    assert!((last - (30.0 - gone)).abs() < 0.002, "{last}");
    // What an overlay covered is gone, and the overlay is, too.
    let short = edited(&plan, &[EditOp::KeepWords { words: WordSelection::range(0, 30) }]).unwrap().plan;
    assert_eq!(short.overlays.len(), 2);
    // The hook moves to the front, out of the middle of what is covered.
    let hook = edited(&plan, &[EditOp::HookFirst { words: WordSelection::range(8, 12), repeat: true }]).unwrap().plan;
    let spans = during(&hook);
    assert_eq!((spans.len(), spans[0]), (4, None));
    assert_eq!(spans[1].unwrap().0, 0.0);
    let moved = hook.timeline().end().since(plan.timeline().end()).secs();
    assert!((spans[2].unwrap().0 - 2.0 - moved).abs() < 0.002 && (spans[2].unwrap().1 - 8.0 - moved).abs() < 0.002, "{spans:?}");
}

#[test]
fn a_plan_without_overlays_is_written_as_before() {
    let mut with = plan();
    let before = with.to_json().unwrap();
    assert!(!before.contains("overlays"));
    with.overlays.push(Overlay::progress_bar(Rgb(1, 2, 3), OverlayPlace::new(Anchor::Bottom)));
    let text = with.to_json().unwrap();
    assert_eq!(ClipPlan::from_json(&text).unwrap().to_json().unwrap(), text);
    assert_ne!(with.id(), plan().id());
    with.overlays = vec![logo(); 101];
    let error = ClipPlan::from_json(&with.to_json().unwrap()).unwrap_err();
    assert!(error.kind() == ErrorKind::TooLarge && error.message().contains("101 entries; the limit plan_overlays is 100"), "{error}");
}

#[test]
fn a_brand_goes_over_captions_and_title_and_adds_its_overlays() {
    let style = Some(HookStyle::default());
    let start = one(EditOp::HookLine { line: Some("Clocks lie".into()), style }).unwrap().plan;
    let op = r##"{"op": "brand", "brand": {"font": "Inter", "accent": "#ff5a36", "plate": "#7c3aed", "captions": {"like": "pop", "max_words": 2},
        "overlays": [{"content": {"kind": "text", "text": "@clocks"}, "place": {"anchor": "top_left"}}]}}"##;
    let op: EditOp = serde_json::from_str(op).unwrap();
    let found = edited(&start, &[EditOp::AddOverlay { overlay: logo() }, op.clone()]).unwrap().plan;
    let track = found.captions.as_ref().unwrap();
    assert_eq!((track.style.font.as_str(), track.style.highlight, track.style.name.as_str()), ("Inter", Rgb(255, 90, 54), "pop"));
    assert!(track.cues.iter().all(|cue| cue.words.len() <= 2) && texts(&found) == texts(&start));
    let hook = found.hook.as_ref().unwrap();
    assert_eq!((hook.text.as_str(), hook.style.font.as_str(), hook.style.plate), ("Clocks lie", "Inter", Some(Rgb(124, 58, 237))));
    assert_eq!((found.overlays.len(), found.overlays[1].place.area), (2, Some(track.safe_area)));
    assert_eq!((found.hook_line.as_deref(), found.title.as_str()), (Some("Clocks lie"), "A title"));
    // A plan without captions and title gets neither.
    let plain = edited(&start, &[EditOp::CaptionStyle { style: None }, EditOp::HookLine { line: None, style: None }, op]).unwrap().plan;
    assert!(plain.captions.is_none() && plain.hook.is_none() && plain.overlays.len() == 1);
}
