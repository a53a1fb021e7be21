//! A build without optional stages reads the same configuration, and its errors name the Cargo
//! feature that a stage needs. `.ci/checks features` runs it with the feature `ffmpeg` alone.
#![cfg(all(feature = "ffmpeg", not(any(feature = "onnx", feature = "openai"))))]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)] // As in every test.

use clipkit::prelude::*;
use serde_json::json;

fn names_the_feature(error: &Error, feature: &str) {
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
    assert!(error.to_string().contains(&format!("`{feature}`")), "{error}");
}

#[test]
fn a_configuration_with_missing_stages_is_read() {
    let document = json!({
        "transcriber": {"kind": "openai", "model": "whisper-1"},
        "scorer": {"kind": "openai", "model": "a model"},
        "tracker": {"kind": "onnx"},
    });
    let config = PipelineConfig::from_json(&document.to_string()).unwrap();
    let written = serde_json::to_value(&config).unwrap();
    for stage in ["transcriber", "scorer", "tracker"] {
        assert_eq!(written[stage]["kind"], document[stage]["kind"]);
    }
}

#[tokio::test]
async fn a_missing_stage_names_its_feature() {
    names_the_feature(&OnnxTracker::load("model.onnx").unwrap_err(), "onnx");
    names_the_feature(&LocalTranscriber::load("speech").unwrap_err(), "local-speech");
    let mut server = OpenAiServer::default();
    server.base_url = Some("http://127.0.0.1:9/v1".into());
    let mut scorer = OpenAiScorer::default();
    scorer.server = server;
    let scoring: Scoring = serde_json::from_value(json!({"transcript": {"words": []}})).unwrap();
    names_the_feature(&scorer.score(&Context::new(), &scoring).await.unwrap_err(), "openai");
}

/// Before a run begins, and not when its first clip is rendered.
#[tokio::test]
async fn a_store_that_is_not_built_is_refused_with_the_configuration() {
    for (url, feature) in [("s3://bucket/clips", "s3"), ("gs://bucket/clips", "gcs"), ("az://container/clips", "azure")] {
        let document = json!({"publishers": [{"kind": "object_store", "url": url}]});
        let config = PipelineConfig::from_json(&document.to_string()).unwrap();
        names_the_feature(&Pipeline::from_config(&Context::new(), &config).await.unwrap_err(), feature);
    }
}
