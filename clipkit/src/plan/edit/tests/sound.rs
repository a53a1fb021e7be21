//! Sounds and censored words follow the edits.

use super::*;

fn with_sounds() -> ClipPlan {
    let mut plan = plan();
    let mut effect = Sound::new("hit.wav");
    effect.span = Some(span(10.0, 14.0));
    plan.sound = vec![Sound::new("music.mp3"), effect];
    plan.censored = vec![Censored::new(span(12.1, 12.4), CensorSound::Mute)];
    plan
}

fn moved(ops: &[EditOp]) -> (Vec<Option<Span>>, Vec<Span>) {
    let plan = edited(&with_sounds(), ops).unwrap().plan;
    (plan.sound.iter().map(|sound| sound.span).collect(), plan.censored.iter().map(|stretch| stretch.span).collect())
}

#[test]
fn sounds_and_censored_stretches_follow_the_cuts() {
    // The word `n` of the clip starts at `n / 2` seconds; 4 and 5 lie from 2 to 3 s.
    let delete = |from, to| EditOp::DeleteWords { words: WordSelection::range(from, to) };
    let (sounds, censored) = moved(&[delete(4, 6)]);
    assert_eq!((&sounds[..], &censored[..]), (&[None, Some(span(9.0, 13.0))][..], &[span(11.1, 11.4)][..]));
    // A second of the effect's own stretch goes.
    let (sounds, censored) = moved(&[delete(22, 24)]);
    assert_eq!((sounds[1], &censored[..]), (Some(span(10.0, 13.0)), &[span(11.1, 11.4)][..]));
    // Nothing of it is left, and the censored word went with its stretch.
    let (sounds, censored) = moved(&[delete(19, 30)]);
    assert_eq!((sounds, censored.len()), (vec![None], 0));
    // A hook that is repeated is censored twice.
    let hook = EditOp::HookFirst { words: WordSelection::range(24, 26), repeat: true };
    assert_eq!(moved(&[hook]).1.len(), 2);
}

#[test]
fn sounds_are_added_and_removed() {
    let mut music = Sound::new("b.mp3");
    (music.gain, music.duck) = (-18.0, 9.0);
    let added = one(EditOp::AddSound { sound: music.clone() }).unwrap().plan;
    assert_eq!(added.sound, [music.clone()]);
    let op: EditOp = serde_json::from_str(r#"{"op": "add_sound", "sound": {"file": "b.mp3", "gain": -18, "duck": 9}}"#).unwrap();
    assert_eq!((op.name(), &op), ("add_sound", &EditOp::AddSound { sound: music }));
    assert_eq!(edited(&added, &[EditOp::RemoveSound { sound: 0 }]).unwrap().plan, plan());
    let error = edited(&added, &[EditOp::RemoveSound { sound: 1 }]).unwrap_err();
    assert!(
        error.kind() == ErrorKind::InvalidInput && error.message().contains("operation 0 (remove_sound): there is no sound 1"),
        "{error}"
    );
    let error = one(EditOp::AddSound { sound: Sound::new("") }).unwrap_err();
    assert!(error.kind() == ErrorKind::InvalidPlan && error.message().contains("sound[0].file is empty"), "{error}");
}

#[test]
fn words_are_censored_in_sound_and_text_and_stay_so() {
    let mut named = plan();
    (named.title, named.hook_line) = ("Word24 and more".into(), Some("why word25?".into()));
    named.post = PostTexts::new("About word24.", vec!["word25".into(), "clocks".into()]);
    let op: EditOp = serde_json::from_str(r#"{"op": "censor", "words": ["WORD24", "word25"], "with": "mute"}"#).unwrap();
    let found = edited(&named, std::slice::from_ref(&op)).unwrap().plan;
    // The words 24 and 25 of the transcript lie from 3 to 3.4 s and from 3.5 to 3.9 s of the clip.
    assert_eq!(
        found.censored.iter().map(|stretch| (stretch.span, stretch.with)).collect::<Vec<_>>(),
        [(span(2.95, 3.45), CensorSound::Mute), (span(3.45, 3.95), CensorSound::Mute),]
    );
    assert_eq!(texts(&found)[5..9], ["word23.", "W*****", "w*****", "word26"]);
    assert_eq!((found.title.as_str(), found.hook_line.as_deref()), ("W***** and more", Some("why w*****?")));
    assert_eq!(found.post, PostTexts::new("About w*****.", vec!["clocks".into()]));
    assert_ne!(found.id(), named.id());
    // Corrections and new styles do not bring them back.
    let style = EditOp::CaptionStyle { style: Some(CaptionStyle::pop()) };
    let back = EditOp::CorrectCaption { words: WordSelection::range(6, 7), text: "Word24".into() };
    for plan in [edited(&found, &[back]).unwrap().plan, edited(&found, std::slice::from_ref(&style)).unwrap().plan] {
        assert!(texts(&plan).contains(&"W*****".to_owned()) && !texts(&plan).contains(&"Word24".to_owned()), "{:?}", texts(&plan));
    }
    // Captions that are made later, from the transcript.
    let bare = edited(&found, &[EditOp::CaptionStyle { style: None }, style]).unwrap().plan;
    assert!(!texts(&bare).iter().any(|text| text.contains("ord24") || text.contains("ord25")), "{:?}", texts(&bare));
    // The same again changes nothing.
    assert_eq!(edited(&found, &[op]).unwrap().plan.censored, found.censored);
    assert_eq!(one(EditOp::Censor { words: vec!["*".into()], with: CensorSound::Beep }).unwrap_err().kind(), ErrorKind::Config);
}
