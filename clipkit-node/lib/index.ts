import "./onnx";

export { clip, Pipeline } from "./pipeline";
export { frames } from "./frames";
export type { Frame, FrameOptions } from "./frames";
export type { Clip, Manifest } from "./clip";
export type { ClipOptions, ClipRequest, PipelineOptions, PublisherOption, RunEvent, StageOptions } from "./pipeline";
export { Context } from "./context";
export type { ContextOptions, Progress, RunOptions } from "./context";
export { ClipkitError } from "./errors";
export type { ErrorDetails, Recovery } from "./errors";
export { Cache, Concurrency, RateLimit, Retry, Timeout } from "./layers";
export type { BuiltInLayer, CustomLayer, Next } from "./layers";
export type { CandidateLike, PublisherLike, ReceiptLike, RendererLike, ScorerLike, SourceLike, TrackerLike, TranscriberLike } from "./kinds";
export {
  Captions,
  CenterTracker,
  FaceTracker,
  FfmpegRenderer,
  FileSource,
  Folder,
  Heuristic,
  LocalTranscriber,
  MotionTracker,
  OnnxTracker,
  OpenAiScorer,
  OpenAiTranscriber,
  Publisher,
  Renderer,
  Scorer,
  Source,
  Transcriber,
} from "./stages";
export type { DescribedOptions, HeuristicOptions, OnnxTrackerOptions, OpenAiScorerOptions, OpenAiServer, OpenAiTranscriberOptions } from "./stages";
export { captionStyle, captionStyles, checkPlan, contactSheet, edit, isConfigured, ModelStore, probe } from "./tools";
export type { ClipMeasure, EditOp, Edited, Model, SpeechMap } from "./tools";
export type * as documents from "./documents";
export type {
  Candidate,
  CaptionStyle,
  ClipPlan,
  Degrade,
  ErrorKind,
  ErrorReport,
  Event,
  FaceTrack,
  FailedClip,
  LayerConfig,
  Media,
  MediaRef,
  PipelineConfig,
  Planned,
  Post,
  RankedPlan,
  Receipt,
  Rect,
  RenderedClip,
  Score,
  Scoring,
  Shot,
  Span,
  Stage,
  Target,
  Tracking,
  Tracks,
  Transcript,
  Usage,
  Warning,
  Word,
} from "./documents";
