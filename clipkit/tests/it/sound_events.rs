//! What captions say of laughter and applause reaches the model that judges, with its sentence.

use clipkit::prelude::*;
use serde_json::Value;

use crate::scorer::{answer, bodies, fair, material, said, scorer, serving, talk};
use crate::support::with;

#[tokio::test]
async fn sounds_are_shown_with_the_sentence_that_they_follow() {
    let server = serving(|request| said(&answer(&request.body_json().unwrap(), fair))).await;
    // Every second sentence or so, and one event that is too long to be shown whole.
    let events = (0..60).map(|n| {
        let span = Span::secs(f64::from(n) * 6.0, f64::from(n) * 6.0 + 1.0).unwrap();
        SoundEvent::new(if n == 30 { "x".repeat(200) } else { "Laughter".into() }, span)
    });
    let scoring = with(talk(), |it| it.transcript.events = events.collect());
    scorer(&server).score(&Context::new(), &scoring).await.unwrap();
    let sentences: Vec<Value> = bodies(&server)
        .await
        .iter()
        .flat_map(|body| material(body)["spans"].as_array().cloned().unwrap_or_default())
        .flat_map(|span| span["sentences"].as_array().cloned().unwrap())
        .collect();
    let sounds: Vec<&str> =
        sentences.iter().filter_map(|sentence| sentence["sounds"].as_array()).flatten().filter_map(Value::as_str).collect();
    let silent = sentences.iter().filter(|sentence| sentence.get("sounds").is_none()).count();
    assert!(sounds.contains(&"Laughter") && sounds.iter().all(|sound| sound.len() <= 40) && silent > 0, "{sounds:?}, {silent} without");
    assert!(sentences.iter().all(|sentence| !sentence["text"].as_str().unwrap().contains("Laughter")));
}
