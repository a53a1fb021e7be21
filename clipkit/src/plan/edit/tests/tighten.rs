//! Pauses, fillers and repeated words are cut.

use super::*;

/// A talk with pauses: words and where each pause is silent.
struct Talk {
    plan: ClipPlan,
    transcript: Transcript,
    speech: SpeechMap,
    surplus: f64,
}

/// Words of 0.4 s with a pause of 1.1 s after every fifth. A pause for which `is_loud` holds is
/// filled with laughter, which is no speech.
fn talk(texts: &dyn Fn(usize) -> String, is_loud: fn(usize) -> bool) -> Talk {
    let (mut words, mut voices) = (Vec::new(), Vec::new());
    let mut levels = vec![110; 3000];
    let fill = |levels: &mut Vec<u8>, from: f64, to: f64, level: u8| {
        let at = |secs: f64| (secs * 20.0) as usize;
        levels[at(from)..at(to)].fill(level);
    };
    let mut time = START;
    let (mut surplus, mut voice) = (0.0, START);
    for n in 0..60 {
        words.push(Word::new(texts(n), time, time + 0.4));
        fill(&mut levels, time, time + 0.4, 40);
        time += 0.4;
        if n % 5 == 4 {
            voices.push(span(voice, time));
            if n < 59 {
                if is_loud(n) {
                    fill(&mut levels, time, time + 1.1, 44);
                } else {
                    surplus += 1.1;
                }
            }
            time += 1.1;
            voice = time;
        }
    }
    let mut plan = plan();
    plan.span = span(START, time);
    let end = at(time - START);
    plan.scenes = vec![Scene::new(Span::between(Timestamp::ZERO, end), Layout::Fill { crop: Crop::still(Rect::new(0.1, 0.0, 0.31, 1.0)) })];
    (plan.shots, plan.faces, plan.captions) = (Vec::new(), Vec::new(), None);
    let mut transcript = Transcript::new(words);
    transcript.language = Some("en-GB".into());
    let mut speech = SpeechMap::default();
    (speech.spans, speech.levels) = (voices, levels);
    Talk { plan, transcript, speech, surplus }
}

impl Talk {
    fn tightened(&self, level: TightenLevel) -> Result<Edited> {
        let sources = EditSources::new().with_transcript(&self.transcript).with_speech(&self.speech);
        edit(&self.plan, &[EditOp::Tighten { level }], &sources)
    }
}

#[test]
fn surplus_pauses_go_and_speech_stays() {
    let talk = talk(&|n| format!("word{n}"), |_| false);
    for (level, pause) in [(TightenLevel::Gentle, 0.7), (TightenLevel::Normal, 0.4), (TightenLevel::Tight, 0.2)] {
        let found = talk.tightened(level).unwrap();
        let gone = found.changes.before.duration.since(found.changes.after.duration).secs();
        let wanted = talk.surplus - 11.0 * pause;
        assert!(gone >= 0.95 * wanted && gone <= wanted + 1e-3, "{level:?}: {gone} of {wanted}");
        assert_eq!((found.changes.after.joins, found.changes.after.words), (11, 60));
        let timeline = found.plan.timeline();
        for word in &talk.transcript.words {
            let near = Span::between(word.start.plus(-0.03), word.end.plus(0.03)).intersection(talk.plan.span).unwrap();
            let kept: Vec<Span> = timeline.clip_spans(near).collect();
            assert!(kept.len() == 1 && kept[0].duration().abs_diff(near.duration()).as_micros() < 3, "{level:?}: {} is cut", word.text);
        }
    }
    let error = edit(&talk.plan, &[EditOp::Tighten { level: TightenLevel::Tight }], &EditSources::new().with_transcript(&talk.transcript))
        .unwrap_err();
    assert!(error.message().contains("speech map"), "{error}");
}

#[test]
fn a_pause_that_is_not_silent_is_not_cut() {
    // Laughter after word 14, and after word 34.
    let laughter = talk(&|n| format!("word{n}"), |n| n == 14 || n == 34);
    let found = laughter.tightened(TightenLevel::Tight).unwrap();
    assert_eq!(found.changes.after.joins, 9);
    for n in [14, 34] {
        let pause = Span::between(laughter.transcript.words[n].end, laughter.transcript.words[n + 1].start);
        let kept: f64 = found.plan.timeline().clip_spans(pause).map(|span| span.duration().as_secs_f64()).sum();
        assert!((kept - 1.1).abs() < 1e-5, "{kept}");
    }
    // A word that the transcript lacks, but the voice detector heard.
    let mut unwritten = talk(&|n| format!("word{n}"), |_| false);
    let pause = Span::between(unwritten.transcript.words[4].end, unwritten.transcript.words[5].start);
    let heard = Span::between(pause.start().plus(0.3), pause.start().plus(0.7));
    unwritten.speech.spans.push(heard);
    unwritten.speech.spans.sort_by_key(|span| span.start());
    let found = unwritten.tightened(TightenLevel::Tight).unwrap();
    assert_eq!(found.plan.timeline().clip_spans(heard).map(Span::duration).sum::<std::time::Duration>(), heard.duration());
}

#[test]
fn fillers_and_repeats_go_where_they_mean_nothing() {
    let said = "Um, I I think that, you know, the clock the clock is very very wrong and you know that. Uh I like it";
    let words: Vec<&str> = said.split(' ').collect();
    let talk = talk(&|n| words.get(n).map_or_else(|| format!("word{n}"), |word| (*word).to_owned()), |_| false);
    let mut captioned = talk.plan.clone();
    let sources = EditSources::new().with_transcript(&talk.transcript).with_speech(&talk.speech);
    captioned = edit(&captioned, &[EditOp::CaptionStyle { style: Some(CaptionStyle::karaoke()) }], &sources).unwrap().plan;
    let left = |level| texts(&edit(&captioned, &[EditOp::Tighten { level }], &sources).unwrap().plan).join(" ");
    assert!(left(TightenLevel::Gentle).starts_with(said));
    let tight = left(TightenLevel::Normal);
    assert!(tight.starts_with("I think that, the clock is very very wrong and you know that. I like it word23"), "{tight}");
}

proptest! {
    #[test]
    fn any_cuts_and_orders_keep_everything_in_its_place(
        raw in prop::collection::vec((0..5_u8, 0..80_usize, 1..14_usize), 1..7),
    ) {
        let mut current = plan();
        for (kind, from, count) in raw {
            let words = texts(&current).len();
            let range = WordSelection::range(from % words.max(1), (from % words.max(1) + count).min(words));
            let op = match kind {
                0 | 1 => EditOp::DeleteWords { words: range },
                2 => EditOp::KeepWords { words: WordSelection::range(from % 7 % words.max(1), words) },
                3 => EditOp::HookFirst { words: range, repeat: from % 2 == 0 },
                _ => {
                    let pieces = current.timeline().pieces().len();
                    let mut order: Vec<usize> = (0..pieces).collect();
                    order.rotate_left(from % pieces);
                    EditOp::OrderPieces { order }
                }
            };
            match edit(&current, &[op], &EditSources::new()) {
                Ok(found) => {
                    prop_assert!(found.changes.after.words == texts(&found.plan).len());
                    current = found.plan;
                }
                Err(error) => prop_assert!(error.kind() == ErrorKind::InvalidInput, "{}", error),
            }
            if texts(&current).is_empty() {
                break;
            }
            follows_its_source(&current);
            let text = current.to_json().unwrap();
            let read = ClipPlan::from_json(&text).unwrap();
            prop_assert_eq!(read.timeline(), current.timeline());
            prop_assert!(current.pieces.iter().all(|piece| piece.speed == Piece::NORMAL_SPEED));
        }
    }
}
