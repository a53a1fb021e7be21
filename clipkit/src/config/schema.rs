//! The JSON Schema of all documents, from which the types of the bindings are generated.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value};

use crate::config::PipelineConfig;
use crate::context::Event;
use crate::doctor::Diagnosis;
use crate::error::ErrorKind;
use crate::model::{Candidate, ClipPlan, HookStyle, Limits, Manifest, Media, Post, Receipt, RenderedClip, SpeechMap, Tracks, Transcript};
use crate::pipeline::Planned;
use crate::plan::edit::{EditOp, Edited};
use crate::publish::Target;
use crate::score::{ScoreOptions, Scoring};
use crate::track::FrameOptions;
use crate::track::{OnnxTrackerOptions, Tracking};

/// The schemas of all documents: stage inputs and outputs, configuration, events and the manifest.
/// The result is one schema whose `$defs` have the names of the Rust types. The clip plan also has
/// its own schema: [`ClipPlan::json_schema`].
///
/// The schemas describe what is *read*: optional fields are not required, although they are always
/// written if they have a value.
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
        SpeechMap,
        ClipPlan,
        EditOp,
        Edited,
        HookStyle,
        Planned,
        RenderedClip,
        Post,
        Receipt,
        Target,
        Manifest,
        Event,
        Limits,
        Diagnosis,
        ErrorKind
    );
    let mut document = Map::new();
    document.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
    document.insert("title".into(), "clipkit".into());
    document.insert("$defs".into(), generator.take_definitions(true).into());
    document.into()
}
