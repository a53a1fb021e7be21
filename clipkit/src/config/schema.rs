//! The JSON Schema of every document that goes in or out, for other languages' types.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::config::PipelineConfig;
use crate::context::Event;
use crate::error::ErrorKind;
use crate::model::{Candidate, ClipPlan, HookStyle, Manifest, Media, Post, Receipt, RenderedClip, Tracks, Transcript};
use crate::pipeline::Planned;
use crate::publish::Target;
use crate::score::{ScoreOptions, Scoring};
use crate::track::FrameOptions;
use crate::track::{OnnxTrackerOptions, Tracking};

/// The schemas of all documents: data that stages hand to each other, configuration, events, the manifest. One document whose `$defs` are named
/// as the types are here. The clip plan has one of its own, too: [`ClipPlan::json_schema`].
///
/// They say what is *read*: a field that may be left out is not required, although it is always written where it has a value.
pub fn json_schemas() -> Value {
    let mut generator = SchemaSettings::draft2020_12().into_generator();
    macro_rules! all {
        ($($document:ty),*) => {
            $(let _ = generator.subschema_for::<$document>();)*
        };
    }
    all!(
        PipelineConfig,
        Media,
        Transcript,
        Scoring,
        ScoreOptions,
        Candidate,
        Tracking,
        Tracks,
        OnnxTrackerOptions,
        FrameOptions,
        ClipPlan,
        HookStyle,
        Planned,
        RenderedClip,
        Post,
        Receipt,
        Target,
        Manifest,
        Event,
        ErrorKind
    );
    let mut document = Map::new();
    document.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    document.insert("title".into(), "clipkit".into());
    document.insert("$defs".into(), generator.take_definitions(true).into());
    document.into()
}
