//! The six stages of a pipeline: a trait for each, and the stages that this crate has.

#[cfg(feature = "ffmpeg")]
pub use crate::config::AnyStage;
pub use crate::layer::StageExt;
pub use crate::openai::{OpenAiServer, Price};
pub use crate::publish::{Folder, Instagram, ObjectStorePublisher, Publisher, Target, TikTok, TikTokPrivacy, Webhook, YouTube};
pub use crate::render::Renderer;
#[cfg(feature = "ffmpeg")]
pub use crate::render::{FfmpegRenderer, contact_sheet, export, export_file, preview};
pub use crate::score::{Genre, Heuristic, OpenAiScorer, ScoreOptions, Scorer, Scoring};
pub use crate::source::Source;
#[cfg(feature = "ffmpeg")]
pub use crate::source::{AutoSource, FileSource, HttpSource, ObjectStoreSource, YtDlp};
pub use crate::track::{CenterTracker, FaceTracker, Tracking};
#[cfg(feature = "ffmpeg")]
pub use crate::track::{FaceModel, Frame, FrameOptions, Frames, MotionTracker, OnnxTracker, OnnxTrackerOptions};
#[cfg(feature = "ffmpeg")]
pub use crate::transcribe::{AutoTranscriberOptions, CaptionOffset, Captions, LocalTranscriber, OpenAiTranscriber, SpeechModel};
pub use crate::transcribe::{ReadCounts, ReadOptions, ReadTranscript, Transcriber, read_transcript};
