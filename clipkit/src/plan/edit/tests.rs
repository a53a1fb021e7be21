mod overlays;
mod sound;
mod tighten;
mod zooms;

use proptest::prelude::*;

use super::*;
use crate::model::{
    CaptionStyle, CaptionTrack, CensorSound, Censored, ContentId, Crop, CropKey, Cue, CueWord, FaceSample, FaceTrack, FrameRate, HookStyle,
    Layout, LayoutChoice, MediaRef, Output, Piece, PlanSource, PostTexts, Rect, Scene, Score, Shot, Sound, Span, Word,
};

/// Where the clip of [`plan`] starts in its source, in seconds.
const START: f64 = 100.0;

fn span(start: f64, end: f64) -> Span {
    Span::secs(start, end).unwrap()
}

fn at(secs: f64) -> Timestamp {
    Timestamp::from_secs(secs)
}

/// Sixty words, one every half second, in sentences of six. The word `n` is `word{n}`.
fn transcript() -> Transcript {
    let word = |n: usize| {
        let end = if n % 6 == 5 { "." } else { "" };
        let case = if n.is_multiple_of(6) { "Word" } else { "word" };
        let start = START - 9.0 + n as f64 * 0.5;
        Word::new(format!("{case}{n}{end}"), start, start + 0.4)
    };
    let mut transcript = Transcript::new((0..100).map(word).collect());
    transcript.language = Some("en".into());
    transcript
}

/// A clip of thirty seconds: the words 18 to 77 in captions of up to four, two scenes, one face.
fn plan() -> ClipPlan {
    let source = PlanSource::new(MediaRef::new("talk.mp4", ContentId::new("test", "0")), 1920, 1080, at(300.0));
    let moving =
        vec![CropKey { at: at(12.0), x: 0.2, y: 0.0 }, CropKey { at: at(20.0), x: 0.6, y: 0.0 }, CropKey { at: at(30.0), x: 0.3, y: 0.0 }];
    let scenes = vec![
        Scene::new(span(0.0, 12.0), Layout::Fill { crop: Crop::still(Rect::new(0.1, 0.0, 0.31, 1.0)) }),
        Scene::new(span(12.0, 30.0), Layout::Fill { crop: Crop::new(0.31, 1.0, moving) }),
    ];
    let mut plan = ClipPlan::new(
        source,
        span(START, START + 30.0),
        "A title",
        Score::of(80.0),
        scenes,
        Output::h264(1080, 1920, FrameRate::new(30, 1)),
    );
    plan.shots = vec![Shot::new(span(0.0, 12.0)), Shot::new(span(12.0, 30.0))];
    let sample = |n: u32| FaceSample::new(at(f64::from(n) * 0.5), Rect::new(0.4 + f64::from(n) * 0.003, 0.2, 0.1, 0.18), 0.9);
    plan.faces = vec![FaceTrack::new(3, (0..60).map(sample).collect())];
    let words: Vec<CueWord> = transcript().words[18..78]
        .iter()
        .map(|word| CueWord::new(word.text.clone(), Span::between(word.start, word.end).since(at(START))))
        .collect();
    let cues =
        words.chunks(4).map(|words| Cue::new(Span::between(words[0].span.start(), words[words.len() - 1].span.end()), words.to_vec()));
    plan.captions = Some(CaptionTrack::new(CaptionStyle::karaoke(), Rect::new(0.05, 0.1, 0.9, 0.6), cues.collect()));
    plan.validate().unwrap();
    plan
}

fn edited(plan: &ClipPlan, ops: &[EditOp]) -> Result<Edited> {
    let transcript = transcript();
    let sources = EditSources::new().with_transcript(&transcript);
    let found = edit(plan, ops, &sources)?;
    assert_eq!(edit(plan, ops, &sources).unwrap(), found, "equal inputs give equal plans");
    found.plan.validate().unwrap();
    Ok(found)
}

fn one(op: EditOp) -> Result<Edited> {
    edited(&plan(), &[op])
}

fn texts(plan: &ClipPlan) -> Vec<String> {
    plan.captions.iter().flat_map(|track| &track.cues).flat_map(|cue| &cue.words).map(|word| word.text.clone()).collect()
}

/// The number in a word's text.
fn number(text: &str) -> usize {
    text.chars().filter(char::is_ascii_digit).collect::<String>().parse().unwrap()
}

/// Captions, faces and crop windows are where their sound and picture are.
fn follows_its_source(edited: &ClipPlan) {
    let (before, timeline) = (plan(), edited.timeline());
    let original = transcript();
    let joins: Vec<Timestamp> = timeline.joins().collect();
    for cue in &edited.captions.as_ref().unwrap().cues {
        for word in &cue.words {
            let said = &original.words[number(&word.text)];
            let found = timeline.source_time(word.span.start());
            let cut = said.start.max(timeline.pieces()[timeline.index_at(retime::middle(word.span))].source.start());
            assert!(found.since(cut).secs().abs() < 1e-5, "{} is said at {}, shown at {found}", word.text, said.start);
            assert!(cue.span.start() <= word.span.start());
        }
    }
    for sample in edited.faces.iter().flat_map(|face| &face.samples) {
        let found = timeline.source_time(sample.at).since(at(START));
        assert!(before.faces[0].samples.iter().any(|old| old.rect == sample.rect && old.at.since(found).secs().abs() < 1e-5), "{sample:?}");
    }
    let count = (timeline.end().secs() * 30.0) as usize;
    for clip in (0..count).map(|n| at(n as f64 / 30.0)) {
        if joins.iter().any(|join| join.since(clip).secs().abs() < 0.002) {
            continue;
        }
        let window = |plan: &ClipPlan, at: Timestamp| {
            let scene = plan.scenes.iter().rev().find(|scene| scene.span.start() <= at).unwrap();
            scene.layout.panes()[0].0.at(at)
        };
        let old = timeline.source_time(clip).since(at(START)).clamp(at(0.0), at(30.0));
        let (was, is) = (window(&before, old), window(edited, clip));
        assert!((was.x - is.x).abs() < 1e-5, "{clip}: {} instead of {}", is.x, was.x);
    }
}

#[test]
fn deleted_words_go_with_their_sound_and_picture() {
    let found = one(EditOp::DeleteWords { words: WordSelection::range(10, 14) }).unwrap();
    let Changes { before, after, steps } = &found.changes;
    assert_eq!((before.words, before.joins, before.duration), (60, 0, at(30.0)));
    assert_eq!((after.words, after.joins, after.duration), (56, 1, at(28.0)));
    assert_eq!((steps.len(), steps[0].op.as_str()), (1, "delete_words"));
    let pieces: Vec<Span> = found.plan.pieces.iter().map(|piece| piece.span).collect();
    assert_eq!(pieces, [span(100.0, 104.95), span(106.95, 130.0)]);
    let left = texts(&found.plan);
    assert!(left.iter().map(|text| number(text)).eq((18..28).chain(32..78)), "{left:?}");
    follows_its_source(&found.plan);
    assert_ne!(found.plan.id(), plan().id());
}

#[test]
fn ends_that_are_cut_move_and_a_clip_without_joins_has_no_pieces() {
    let found = one(EditOp::KeepWords { words: WordSelection::range(6, 24) }).unwrap();
    assert_eq!((found.changes.after.words, found.changes.after.joins), (18, 0));
    assert!(found.plan.pieces.is_empty());
    // The end keeps half of the short pause.
    assert_eq!(found.plan.span, span(102.95, 111.95));
    follows_its_source(&found.plan);
    assert!(one(EditOp::DeleteWords { words: WordSelection::range(0, 60) }).unwrap_err().message().contains("nothing"));
}

#[test]
fn words_are_found_by_what_is_said() {
    let quote = |quote: &str, occurrence, all| WordSelection::Quote(WordQuote { quote: quote.into(), occurrence, all });
    let found = one(EditOp::DeleteWords { words: quote("WORD23, word24!", None, false) }).unwrap();
    assert!(!texts(&found.plan).iter().any(|text| [23, 24].contains(&number(text))) && found.changes.after.words == 58);
    let error = one(EditOp::DeleteWords { words: quote("word5", None, false) }).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidInput && error.message().starts_with("operation 0 (delete_words): nobody says"), "{error}");

    let mut doubled = plan();
    for cue in &mut doubled.captions.as_mut().unwrap().cues {
        cue.words[0].text = "Um,".into();
    }
    let remove = |words| edit(&doubled, &[EditOp::DeleteWords { words }], &EditSources::new());
    let error = remove(quote("um", None, false)).unwrap_err();
    assert!(error.message().contains("15 times") && error.advice().is_some(), "{error}");
    assert_eq!(remove(quote("um", Some(3), false)).unwrap().changes.after.words, 59);
    assert!(remove(quote("um", Some(16), false)).is_err() && remove(quote("um", Some(0), false)).is_err());
    let all = remove(quote("um", None, true)).unwrap();
    assert_eq!((all.changes.after.words, all.changes.after.joins), (45, 14));
    assert!(remove(quote(" - ", None, true)).is_err());
}

#[test]
fn operations_read_from_json_and_refuse_what_they_do_not_know() {
    let ops: Vec<EditOp> = serde_json::from_str(
        r#"[
            {"op": "delete_words", "words": {"from": 3, "to": 5}},
            {"op": "keep_words", "words": {"quote": "word30 word31", "occurrence": 1}},
            {"op": "move_start", "to": {"sentences": -1}},
            {"op": "move_end", "to": {"quote": "word40"}},
            {"op": "order_pieces", "order": [1, 0]},
            {"op": "hook_first", "words": {"quote": "word30"}},
            {"op": "tighten", "level": "gentle"},
            {"op": "title", "title": "New"},
            {"op": "hook_line", "line": "Look", "style": {}},
            {"op": "correct_caption", "words": {"from": 0, "to": 1}, "text": "Right"},
            {"op": "caption_style", "style": "pop"},
            {"op": "layout", "scene": 0, "layout": "fit"},
            {"op": "crop", "scene": 0, "change": {"kind": "move", "x": 0.1}},
            {"op": "crop", "scene": 1, "window": 0, "change": {"kind": "follow", "face": 3}},
            {"op": "crop", "scene": 1, "change": {"kind": "hold"}}
        ]"#,
    )
    .unwrap();
    let text = serde_json::to_string(&ops).unwrap();
    assert_eq!(serde_json::from_str::<Vec<EditOp>>(&text).unwrap(), ops);
    for (op, value) in ops.iter().zip(serde_json::to_value(&ops).unwrap().as_array().unwrap()) {
        assert_eq!(value["op"], op.name());
    }
    for wrong in [
        r#"{"op": "explode"}"#,
        r#"{"op": "title", "title": "x", "more": 1}"#,
        r#"{"op": "delete_words", "words": {"from": 3, "to": 5, "quote": "x"}}"#,
        r#"{"op": "delete_words", "words": {"qoute": "x"}}"#,
        r#"{"op": "crop", "scene": 0, "change": {"kind": "move", "z": 0.1}}"#,
    ] {
        assert!(serde_json::from_str::<EditOp>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_hook_plays_first() {
    let hook = |repeat| EditOp::HookFirst { words: WordSelection::quote("word60 word61"), repeat };
    let moved = one(hook(false)).unwrap();
    let left: Vec<usize> = texts(&moved.plan).iter().map(|text| number(text)).collect();
    assert!(left.iter().copied().eq([60, 61].into_iter().chain(18..60).chain(62..78)), "{left:?}");
    assert_eq!((moved.changes.after.duration, moved.changes.after.joins, moved.changes.after.words), (at(30.0), 2, 60));
    follows_its_source(&moved.plan);

    let repeated = one(hook(true)).unwrap();
    assert_eq!((repeated.changes.after.duration, repeated.changes.after.joins, repeated.changes.after.words), (at(31.0), 1, 62));
    follows_its_source(&repeated.plan);
    assert_eq!(repeated.plan.span, plan().span);

    // Back in order: the clip plays as it did.
    let back = edited(&moved.plan, &[EditOp::OrderPieces { order: vec![1, 0, 2] }]).unwrap();
    assert!(back.plan.pieces.is_empty() && back.plan.span == plan().span && texts(&back.plan) == texts(&plan()));
    follows_its_source(&back.plan);
    for order in [vec![], vec![0], vec![0, 0, 1], vec![0, 1, 3]] {
        assert!(edited(&moved.plan, &[EditOp::OrderPieces { order }]).unwrap_err().message().contains("each of the 3 pieces once"));
    }
}

#[test]
fn ends_move_to_sentences_and_new_words_get_captions() {
    // Sentences start with the words 18, 24, 30 ...
    let earlier = one(EditOp::MoveStart { to: SentencePlace::sentences(-1) }).unwrap();
    assert_eq!(earlier.plan.span, span(96.95, 130.0));
    assert!(earlier.plan.pieces.is_empty());
    assert!(texts(&earlier.plan).iter().map(|text| number(text)).eq(12..78), "{:?}", texts(&earlier.plan));
    follows_its_source_but_for_crops(&earlier.plan);
    // The window of the first scene is held.
    assert_eq!(earlier.plan.scenes[0].span, span(0.0, 15.05));

    let later = one(EditOp::MoveStart { to: SentencePlace::sentences(2) }).unwrap();
    assert_eq!(later.plan.span, span(105.95, 130.0));
    follows_its_source(&later.plan);

    let quote = SentencePlace::Quote(WordQuote { quote: "word80".into(), occurrence: None, all: false });
    let longer = one(EditOp::MoveEnd { to: quote }).unwrap();
    assert!(texts(&longer.plan).iter().map(|text| number(text)).eq(18..84));
    assert_eq!(longer.plan.span, span(100.0, 132.95));
    follows_its_source_but_for_crops(&longer.plan);
    let shorter = one(EditOp::MoveEnd { to: SentencePlace::sentences(-1) }).unwrap();
    assert!(texts(&shorter.plan).iter().map(|text| number(text)).eq(18..72));
    assert_eq!(shorter.plan.span, span(100.0, 126.95));
    follows_its_source(&shorter.plan);

    let error = edit(&plan(), &[EditOp::MoveStart { to: SentencePlace::sentences(1) }], &EditSources::new()).unwrap_err();
    assert!(error.message().contains("needs the transcript"), "{error}");
}

/// What the clip did not play before has no window in the plan.
fn follows_its_source_but_for_crops(edited: &ClipPlan) {
    let timeline = edited.timeline();
    let original = transcript();
    for word in edited.captions.iter().flat_map(|track| &track.cues).flat_map(|cue| &cue.words) {
        let said = original.words[number(&word.text)].start;
        assert!(timeline.source_time(word.span.start()).since(said).secs().abs() < 1e-5, "{word:?} is said at {said}");
    }
}

#[test]
fn captions_are_corrected_with_their_times() {
    let correct = |from, to, text: &str| EditOp::CorrectCaption { words: WordSelection::range(from, to), text: text.into() };
    let found = one(correct(3, 5, "Łukasz's clock,")).unwrap().plan;
    assert_eq!(texts(&found)[2..6], ["word20", "Łukasz's", "clock,", "word23."].map(String::from));
    let spans = |plan: &ClipPlan| -> Vec<Span> {
        plan.captions.iter().flat_map(|track| &track.cues).flat_map(|cue| &cue.words).map(|word| word.span).collect()
    };
    assert_eq!(spans(&found), spans(&plan()));
    let split = one(correct(4, 5, "two words")).unwrap().plan;
    assert_eq!(texts(&split)[4..6], ["two", "words"].map(String::from));
    let (was, is) = (spans(&plan())[4], &spans(&split)[4..6]);
    assert_eq!((is[0].start(), is[0].end(), is[1].end()), (was.start(), is[1].start(), was.end()));
    assert!(one(correct(3, 5, "three words here")).unwrap_err().message().contains("several captions"));
    assert!(one(correct(3, 5, " ")).is_err() && one(correct(59, 61, "x y")).is_err());
}

#[test]
fn styles_titles_and_hook_lines_change() {
    let mut style = CaptionStyle::pop();
    style.max_words = 2;
    let found = one(EditOp::CaptionStyle { style: Some(style) }).unwrap().plan;
    let track = found.captions.as_ref().unwrap();
    assert!(track.cues.iter().all(|cue| cue.words.len() <= 2) && track.style.max_words == 2);
    assert_eq!(texts(&found), texts(&plan()));
    let plain = edited(&found, &[EditOp::CaptionStyle { style: None }]).unwrap();
    // Without captions, words are those of the transcript.
    assert_eq!((plain.plan.captions.is_none(), plain.changes.after.words), (true, 60));
    let again = edited(&plain.plan, &[EditOp::CaptionStyle { style: Some(CaptionStyle::karaoke()) }]).unwrap();
    assert_eq!(texts(&again.plan), texts(&plan()));

    let line = |line: &str, style| EditOp::HookLine { line: Some(line.into()), style };
    let drawn = one(line("Why clocks lie", Some(HookStyle::default()))).unwrap().plan;
    assert_eq!((drawn.hook_line.as_deref(), drawn.hook.as_ref().unwrap().text.as_str()), (Some("Why clocks lie"), "Why clocks lie"));
    let other = edited(&drawn, &[line("Other", None), EditOp::Title { title: "T".into() }]).unwrap().plan;
    assert_eq!((other.hook.as_ref().unwrap().text.as_str(), other.title.as_str()), ("Other", "T"));
    assert_eq!(other.hook.as_ref().unwrap().area, drawn.hook.as_ref().unwrap().area);
    assert!(edited(&other, &[EditOp::HookLine { line: None, style: None }]).unwrap().plan.hook.is_none());
    assert!(one(line("\u{200b}", Some(HookStyle::default()))).is_err());
}

#[test]
fn layouts_and_crops_are_corrected() {
    let fit = one(EditOp::Layout { scene: 1, layout: LayoutChoice::Fit }).unwrap().plan;
    assert!(matches!(fit.scenes[1].layout, Layout::Fit { .. }) && fit.scenes[0] == plan().scenes[0]);
    let filled = edited(&fit, &[EditOp::Layout { scene: 1, layout: LayoutChoice::Fill }]).unwrap().plan;
    // The window is planned from the face: it is in view at all times.
    for secs in [12.0, 18.0, 24.0, 29.5] {
        let (window, face) = (
            filled.scenes.iter().rev().find(|scene| scene.span.start() <= at(secs)).unwrap().layout.panes()[0].0.at(at(secs)),
            0.4 + secs * 0.006,
        );
        assert!(window.x <= face && face + 0.1 <= window.x + window.width, "{secs}: {window:?}");
    }
    assert!(one(EditOp::Layout { scene: 1, layout: LayoutChoice::Split }).unwrap_err().message().contains("two people"));
    assert!(one(EditOp::Layout { scene: 2, layout: LayoutChoice::Fit }).is_err());

    let crop = |scene, change| one(EditOp::Crop { scene, window: 0, change });
    let path = |edited: &ClipPlan, scene: usize| match &edited.scenes[scene].layout {
        Layout::Fill { crop } => crop.path.iter().map(|key| (key.x * 1e6).round() / 1e6).collect::<Vec<_>>(),
        _ => Vec::new(),
    };
    assert_eq!(path(&crop(1, CropChange::Move { x: 0.1, y: 0.0 }).unwrap().plan, 1), [0.3, 0.69, 0.4]);
    assert_eq!(path(&crop(1, CropChange::Hold { at: Some(at(16.0)) }).unwrap().plan, 1), [0.4]);
    assert_eq!(path(&crop(1, CropChange::Hold { at: None }).unwrap().plan, 1), [0.2]);
    let followed = crop(0, CropChange::Follow { face: 3 }).unwrap().plan;
    for secs in [0.0, 6.0, 11.9] {
        let (window, face) = (followed.scenes[0].layout.panes()[0].0.at(at(secs)), 0.4 + secs * 0.006);
        assert!(window.x <= face && face + 0.1 <= window.x + window.width, "{secs}: {window:?}");
    }
    let error = crop(0, CropChange::Follow { face: 4 }).unwrap_err();
    assert!(error.advice().unwrap().contains("[3]"), "{error}");
    assert!(
        crop(0, CropChange::Move { x: f64::NAN, y: 0.0 }).is_err()
            && one(EditOp::Crop { scene: 0, window: 1, change: CropChange::Hold { at: None } }).is_err()
    );
}
