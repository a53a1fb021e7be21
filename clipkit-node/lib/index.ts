import "./exit";
import "./onnx";

export { clip, Pipeline } from "./pipeline";
export { frames } from "./frames";
export type { Frame, FrameOptions } from "./frames";
export type { Clip, Manifest } from "./clip";
export type { ClipOptions, ClipRequest, PipelineOptions, PublisherOption, RunEvent, StageOptions } from "./pipeline";
export { Jobs, Worker } from "./jobs";
export type { ClipLink, DeadLetter, JobClip, JobEvent, JobFilter, JobRequest, JobsOptions, JobStatus, WorkerOptions } from "./jobs";
export { Context } from "./context";
export type { ContextOptions, Progress, RunOptions } from "./context";
export { ClipkitError } from "./errors";
export type { ErrorDetails, Recovery } from "./errors";
export { Cache, Concurrency, RateLimit, Retry, Timeout } from "./layers";
export type { BuiltInLayer, CustomLayer, Next } from "./layers";
export type { CandidateLike, PublisherLike, ReceiptLike, RendererLike, ScorerLike, SourceLike, TrackerLike, TranscriberLike } from "./kinds";
export {
  AutoSource,
  Captions,
  CenterTracker,
  FaceTracker,
  FfmpegRenderer,
  FileSource,
  Folder,
  Heuristic,
  HttpSource,
  Instagram,
  LocalTranscriber,
  MotionTracker,
  ObjectStorePublisher,
  ObjectStoreSource,
  OnnxTracker,
  OpenAiScorer,
  OpenAiTranscriber,
  Publisher,
  Renderer,
  Scorer,
  Source,
  TikTok,
  Transcriber,
  Webhook,
  YouTube,
  YtDlp,
} from "./stages";
export type {
  AutoSourceOptions,
  DescribedOptions,
  HeuristicOptions,
  HttpSourceOptions,
  InstagramOptions,
  ObjectStorePublisherOptions,
  OnnxTrackerOptions,
  OpenAiScorerOptions,
  OpenAiServer,
  OpenAiTranscriberOptions,
  TikTokOptions,
  WebhookOptions,
  YouTubeOptions,
  YtDlpOptions,
} from "./stages";
export { captionStyle, captionStyles, checkPlan, contactSheet, doctor, edit, exportPlan, isConfigured, ModelStore, preview, probe } from "./tools";
export type { EditOp, ExportFormat, ExportOptions, Model } from "./tools";
export type * as documents from "./documents";
export type {
  Candidate,
  CaptionStyle,
  ClipPlan,
  Degrade,
  Edited,
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
  SpeechMap,
  Stage,
  Target,
  Tracking,
  Tracks,
  Transcript,
  Usage,
  Warning,
  Word,
} from "./documents";
