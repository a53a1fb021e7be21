//! The time of the heuristic scorer for a talk of two and a half hours.

#![allow(missing_docs, clippy::unwrap_used)] // criterion writes the main function.

use clipkit::Context;
use clipkit::model::{Transcript, Word};
use clipkit::stage::{Heuristic, Scorer, Scoring};
use criterion::{Criterion, criterion_group, criterion_main};

/// A generated talk with realistic statistics: sentences of 4 to 27 words, about 2.6 words per
/// second, a long-tailed vocabulary, and some pauses.
fn talk(hours: f64) -> Transcript {
    const SMALL: [&str; 24] = [
        "the", "of", "and", "to", "a", "in", "that", "is", "you", "it", "we", "so", "this", "for", "not", "never", "why", "love",
        "because", "have", "people", "time", "think", "what",
    ];
    // A xorshift generator, so that every run scores the same talk.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut draw = move |below: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % below
    };
    let mut words = Vec::new();
    let mut at = 0.0;
    while at < hours * 3600.0 {
        let length = 4 + draw(24);
        for n in 0..length {
            let rare = draw(40) * draw(60);
            let mut text = if draw(2) == 0 {
                SMALL[draw(24) as usize].to_owned()
            } else {
                format!("{}word{rare}", ["re", "un", "ma", "co"][rare as usize % 4])
            };
            if n == 0 {
                text[..1].make_ascii_uppercase();
            }
            if n + 1 == length {
                text.push(['.', '.', '.', '?', '!'][draw(5) as usize]);
            }
            words.push(Word::new(text, at, at + 0.3));
            at += 0.34;
        }
        at += if draw(30) == 0 { 1.5 } else { 0.25 };
    }
    let mut transcript = Transcript::new(words);
    transcript.language = Some("en".into());
    transcript.origin = "made".into();
    transcript
}

fn scoring(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let cx = Context::new();
    let scoring = Scoring::new(talk(2.5));
    let words = scoring.transcript.words.len();
    criterion.bench_function(&format!("heuristic, 2.5 h, {words} words"), |bencher| {
        bencher.iter(|| runtime.block_on(Heuristic::default().score(&cx, &scoring)).unwrap());
    });
    let mut longer = scoring;
    longer.options.max = std::time::Duration::from_secs(90);
    longer.options.max_clips = 30;
    criterion.bench_function("the same, up to 90 s and 30 clips", |bencher| {
        bencher.iter(|| runtime.block_on(Heuristic::default().score(&cx, &longer)).unwrap());
    });
}

criterion_group!(benches, scoring);
criterion_main!(benches);
