//! The six stages of a pipeline: a trait for each, and the stages that this crate has.

pub use crate::config::AnyStage;
pub use crate::layer::StageExt;
pub use crate::openai::{OpenAiServer, Price};
pub use crate::publish::{Folder, Publisher, Target};
pub use crate::render::{FfmpegRenderer, Renderer, contact_sheet};
pub use crate::score::{Genre, Heuristic, OpenAiScorer, ScoreOptions, Scorer, Scoring};
pub use crate::source::{FileSource, Source};
pub use crate::track::{
    CenterTracker, FaceModel, FaceTracker, Frame, FrameOptions, Frames, MotionTracker, OnnxTracker, OnnxTrackerOptions, Tracking,
};
pub use crate::transcribe::{AutoTranscriberOptions, Captions, LocalTranscriber, OpenAiTranscriber, SpeechModel, Transcriber};
