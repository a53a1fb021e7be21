// The inputs and outputs of each kind of stage.

import type { Context } from "./context";
import type * as doc from "./documents";

/** The input of each kind of stage. */
export interface Inputs {
  source: string;
  transcriber: doc.Media;
  scorer: doc.Scoring;
  tracker: doc.Tracking;
  renderer: doc.ClipPlan;
  publisher: doc.Post;
}

/** The output of each kind of stage. */
export interface Outputs {
  source: doc.Media;
  transcriber: doc.Transcript;
  scorer: doc.Candidate[];
  tracker: doc.Tracks;
  renderer: doc.RenderedClip;
  publisher: doc.Receipt;
}

export type Kind = keyof Inputs;

/** The one method of each kind. */
export const METHODS = {
  source: "fetch",
  transcriber: "transcribe",
  scorer: "score",
  tracker: "track",
  renderer: "render",
  publisher: "publish",
} as const satisfies Record<Kind, string>;

/** The name that documents and events use for each kind. */
export const STAGES = {
  source: "source",
  transcriber: "transcribe",
  scorer: "score",
  tracker: "track",
  renderer: "render",
  publisher: "publish",
} as const satisfies Record<Kind, doc.Stage>;

/** A span that could become a clip, as a scorer of yours may return it: with start and end, and with one score from 0 to 100. */
export interface CandidateLike {
  start?: number;
  end?: number;
  span?: doc.Span;
  score: number | doc.Score;
  title?: string;
  reason?: string;
  hook_line?: string | null;
}

/** A receipt, as a publisher of yours may return it. Target and account default to the publisher's `target`. */
export type ReceiptLike = Omit<doc.Receipt, "target"> & { target?: string };

type Awaitable<T> = T | Promise<T>;

/** Fetches a video to this machine. It may return the file's path alone; then the file is probed. */
export interface SourceLike {
  fetch(cx: Context, uri: string): Awaitable<doc.Media | string>;
}

/** Transcribes a video: words in order, with times in seconds of the source, punctuation with its word. */
export interface TranscriberLike {
  transcribe(cx: Context, media: doc.Media): Awaitable<doc.Transcript>;
  /** What the answers depend on besides the input, for a `Cache` around it. */
  fingerprint?: string | (() => string | null | undefined);
}

/** Chooses and ranks spans, best first: at most `options.max_clips`, of `options.min` to `options.max` seconds, without overlaps. */
export interface ScorerLike {
  score(cx: Context, scoring: doc.Scoring): Awaitable<CandidateLike[]>;
  /** What the answers depend on besides the input, for a `Cache` around it. */
  fingerprint?: string | (() => string | null | undefined);
}

/** Detects shots and faces in a span: times in seconds of the source, boxes as fractions of the displayed picture. Omitted lists are empty. */
export interface TrackerLike {
  track(cx: Context, tracking: doc.Tracking): Awaitable<Partial<doc.Tracks>>;
  /** What the answers depend on besides the input, for a `Cache` around it. */
  fingerprint?: string | (() => string | null | undefined);
}

/** Renders the file that a plan describes, in `cx.scratch`. `cx.locate(plan.source.media)` is the source's path. */
export interface RendererLike {
  render(cx: Context, plan: doc.ClipPlan): Awaitable<doc.RenderedClip>;
  /** The columns and rows that plans are made for. */
  size?: [number, number];
}

/**
 * Publishes a rendered clip. It reads the post's files and never moves or changes them. The same post twice is one publication, also in another
 * process: `cx.idempotencyKey` identifies it. It may return the clip's address or id alone.
 */
export interface PublisherLike {
  publish(cx: Context, post: doc.Post): Awaitable<ReceiptLike | string>;
  /** Receives the manifest after the run's last clip. */
  conclude?(cx: Context, manifest: doc.Manifest): Awaitable<void>;
  /** Where it publishes: a platform's name, or the name and the account. Default `custom`. Two publishers of a pipeline have different targets. */
  target?: string | doc.Target;
  /** The folder on whose file system clips are rendered. Default: the system's folder for temporary files. */
  staging?: string;
}

/** Objects that can be used as a stage of each kind. */
export interface Likes {
  source: SourceLike;
  transcriber: TranscriberLike;
  scorer: ScorerLike;
  tracker: TrackerLike;
  renderer: RendererLike;
  publisher: PublisherLike;
}
