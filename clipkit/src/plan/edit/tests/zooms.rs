//! Punch-ins, and what changes a whole plan: aspect ratio, language, a brand's sounds and fonts.

use super::*;
use crate::model::{Aspect, Platform, SoundEvent, Zoom};
use crate::plan::{Brand, PunchIn};

fn zoom(from: f64, to: f64) -> Zoom {
    Zoom::new(span(from, to), 1.2)
}

#[test]
fn punch_ins_are_added_in_order_moved_with_their_picture_and_removed() {
    let with = one(EditOp::AddZoom { zoom: zoom(20.0, 24.0) }).unwrap().plan;
    let with = edited(&with, &[EditOp::AddZoom { zoom: zoom(2.0, 6.0) }]).unwrap().plan;
    assert_eq!(with.zooms.iter().map(|zoom| zoom.span.start().secs()).collect::<Vec<_>>(), [2.0, 20.0]);
    assert_ne!(with.id(), plan().id());
    let error = edited(&with, &[EditOp::AddZoom { zoom: zoom(5.0, 7.0) }]).unwrap_err();
    assert!(error.message().contains("overlaps"), "{error}");
    // Words 6 to 9 go, which is 2 s from 3 s on.
    let short = edited(&with, &[EditOp::DeleteWords { words: WordSelection::range(6, 10) }]).unwrap().plan;
    let spans: Vec<Span> = short.zooms.iter().map(|zoom| zoom.span).collect();
    assert_eq!(spans.len(), 2);
    assert!((spans[0].duration().as_secs_f64() - 2.0).abs() < 0.01 && (spans[1].start().secs() - 18.0).abs() < 0.01, "{spans:?}");
    let without = edited(&with, &[EditOp::RemoveZoom { zoom: 0 }]).unwrap().plan;
    assert_eq!(without.zooms, [zoom(20.0, 24.0)]);
    assert!(edited(&with, &[EditOp::RemoveZoom { zoom: 2 }]).unwrap_err().message().contains("no punch-in 2"));
    let none = edited(&with, &[EditOp::PunchIn { at: None }]).unwrap().plan;
    assert_eq!(none, plan());
}

/// A face in the middle of the first scene's window.
fn with_a_face() -> ClipPlan {
    let mut plan = plan();
    for sample in &mut plan.faces[0].samples {
        sample.rect = Rect::new(0.22, 0.3, 0.07, 0.15);
    }
    plan.scenes[1].layout = plan.scenes[0].layout.clone();
    plan.validate().unwrap();
    plan
}

#[test]
fn laughter_of_the_transcript_and_joins_are_planned() {
    let plan = with_a_face();
    let mut transcript = transcript();
    transcript.events = vec![
        SoundEvent::new("audience laughing", span(START + 4.0, START + 5.0)),
        SoundEvent::new("Music", span(START + 9.0, START + 10.0)),
    ];
    let sources = EditSources::new().with_transcript(&transcript);
    let emphasis = edit(&plan, &[EditOp::PunchIn { at: Some(PunchIn::Emphasis) }], &sources).unwrap().plan;
    let starts = |plan: &ClipPlan| plan.zooms.iter().map(|zoom| zoom.span.start().secs()).collect::<Vec<_>>();
    // Every word of this transcript has a number; all that start 4 s from each other.
    assert!(starts(&emphasis).contains(&3.8), "{:?}", emphasis.zooms);
    assert!(starts(&emphasis).windows(2).all(|pair| pair[1] - pair[0] >= 4.0));
    let cut = [
        EditOp::DeleteWords { words: WordSelection::range(6, 10) },
        EditOp::DeleteWords { words: WordSelection::range(12, 16) },
        EditOp::PunchIn { at: Some(PunchIn::Joins) },
    ];
    let joined = edit(&plan, &cut, &sources).unwrap().plan;
    let joins: Vec<Timestamp> = joined.timeline().joins().collect();
    assert_eq!((joined.zooms.len(), joined.zooms[0].span), (1, Span::between(joins[0], joins[1])));
    assert_eq!(joined.zooms[0].ease, 0.0);
}

#[test]
fn another_aspect_ratio_frames_anew_and_keeps_texts_in_its_safe_area() {
    let mut plan = with_a_face();
    let vertical = Platform::Shorts.safe_area(Aspect::Vertical);
    plan.captions.as_mut().unwrap().safe_area = vertical;
    let ops = [
        EditOp::HookLine { line: Some("Why clocks lie".into()), style: Some(HookStyle::default()) },
        EditOp::AddOverlay { overlay: crate::model::Overlay::text("@clocks", crate::model::OverlayPlace::new(crate::model::Anchor::Top)) },
        EditOp::AddZoom { zoom: zoom(2.0, 4.0) },
        EditOp::Aspect { aspect: Aspect::Square },
    ];
    let square = edited(&plan, &ops).unwrap().plan;
    assert_eq!((square.output.width, square.output.height), Aspect::Square.size());
    let safe = Platform::Shorts.safe_area(Aspect::Square);
    assert_eq!((square.captions.as_ref().unwrap().safe_area, square.overlays[0].place.area), (safe, Some(safe)));
    assert!(square.zooms.is_empty());
    let (_, hook) = (square.hook_line.as_deref(), square.hook.as_ref().unwrap());
    assert!(hook.text == "Why clocks lie" && hook.area.y >= safe.y - 1e-9);
    for scene in &square.scenes {
        for (crop, place) in scene.layout.panes() {
            let ratio = (crop.width * 1920.0) / (crop.height * 1080.0) / (place.width / place.height);
            assert!((ratio - 1.0).abs() < 0.01, "{ratio}");
        }
    }
    // The face is still shown.
    let window = square.scenes[0].layout.panes()[0].0.at(at(1.0));
    assert!(window.x <= 0.22 && window.x + window.width >= 0.29, "{window:?}");
}

#[test]
fn captions_can_be_in_another_language() {
    let mut german = transcript();
    german.language = Some("de-DE".into());
    for word in &mut german.words {
        word.text = word.text.replace("word", "wort").replace("Word", "Wort");
    }
    let sources = EditSources::new().with_transcript(&german);
    let op = |language: &str| [EditOp::Language { language: language.into() }];
    let found = edit(&plan(), &op("de"), &sources).unwrap().plan;
    assert!(texts(&found).iter().all(|text| text.starts_with("wort") || text.starts_with("Wort")) && texts(&found).len() == 60);
    assert_eq!(found.captions.as_ref().unwrap().safe_area, plan().captions.unwrap().safe_area);
    follows_its_source(&edit(&found, &[EditOp::DeleteWords { words: WordSelection::range(3, 5) }], &sources).unwrap().plan);
    let error = edit(&plan(), &op("fr"), &sources).unwrap_err();
    assert!(error.message().contains("de-DE, not in fr") && error.advice().is_some(), "{error}");
    assert!(edit(&plan(), &op("fr"), &EditSources::new()).unwrap_err().message().contains("no transcript in fr"));
}

#[test]
fn texts_of_posts_are_set_and_change_no_identity() {
    let op = |text: &str| serde_json::from_str::<EditOp>(text).unwrap();
    let found = edited(&plan(), &[op(r#"{"op": "post", "description": "A clock.", "tags": ["clocks", "time"]}"#)]).unwrap().plan;
    assert_eq!((found.post.description.as_str(), found.post.tags.len(), found.id()), ("A clock.", 2, plan().id()));
    let found = edited(&found, &[op(r#"{"op": "post", "tags": []}"#)]).unwrap().plan;
    assert_eq!((found.post.description.as_str(), found.post.tags.len()), ("A clock.", 0));
    let error = edited(&found, &[op(r#"{"op": "post", "tags": [" "]}"#)]).unwrap_err();
    assert!(error.message().contains("post.tags[0] is empty"), "{error}");
}

#[test]
fn a_brand_brings_sounds_and_fonts() {
    let brand = Brand::from_json(
        r#"{"font": "Mine", "font_files": ["mine.ttf"], "sound": [{"file": "music.mp3", "loop": true, "duck": 9}, {"file": "end.wav", "span": {"start": 29, "end": 40}}]}"#,
    )
    .unwrap();
    let op = EditOp::Brand { brand: Box::new(brand) };
    let found = edited(&plan(), &[op.clone(), op]).unwrap().plan;
    assert_eq!((found.fonts, found.sound.len()), (vec!["mine.ttf".to_owned()], 4));
    assert_eq!(found.sound[1].span, Some(span(29.0, 30.0)));
    assert_eq!(found.captions.unwrap().style.font, "Mine");
}
