// What each kind of stage is given and answers.

import type { Context } from "./context";
import type * as doc from "./documents";

/** What each kind is given. */
export interface Inputs {
  source: string;
  transcriber: doc.Media;
  scorer: doc.Scoring;
  tracker: doc.Tracking;
  renderer: doc.ClipPlan;
  publisher: doc.Post;
}

/** What each kind answers. */
export interface Outputs {
  source: doc.Media;
  transcriber: doc.Transcript;
  scorer: doc.Candidate[];
  tracker: doc.Tracks;
  renderer: doc.Clip;
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

/** A span that could become a clip, as a scorer of yours may answer it: with its ends, and its score as one number from 0 to 100. */
export interface CandidateLike {
  start?: number;
  end?: number;
  span?: doc.Span;
  score: number | doc.Score;
  title?: string;
  reason?: string;
  hook_line?: string | null;
}

type Awaitable<T> = T | Promise<T>;

/** Gets a video onto this machine. It may answer the file's path alone: then the file is probed. */
export interface SourceLike {
  fetch(cx: Context, uri: string): Awaitable<doc.Media | string>;
}

/** Says what is spoken in a video, and when: seconds of the source, in order, punctuation with its word. */
export interface TranscriberLike {
  transcribe(cx: Context, media: doc.Media): Awaitable<doc.Transcript>;
  /** What decides the answers besides the input, for a `Cache` around it. */
  fingerprint?: string | (() => string | null | undefined);
}

/** Chooses and ranks spans, best first: at most `options.max_clips`, from `options.min` to `options.max` seconds, none overlapping. */
export interface ScorerLike {
  score(cx: Context, scoring: doc.Scoring): Awaitable<CandidateLike[]>;
  /** What decides the answers besides the input, for a `Cache` around it. */
  fingerprint?: string | (() => string | null | undefined);
}

/** Finds shots and faces in a span: seconds of the source, boxes as fractions of the displayed picture. What is left out was not seen. */
export interface TrackerLike {
  track(cx: Context, tracking: doc.Tracking): Awaitable<Partial<doc.Tracks>>;
  /** What decides the answers besides the input, for a `Cache` around it. */
  fingerprint?: string | (() => string | null | undefined);
}

/** Makes the file that a plan describes, below `cx.scratch`. */
export interface RendererLike {
  render(cx: Context, plan: doc.ClipPlan): Awaitable<doc.Clip>;
  /** Columns and rows that plans are made for. */
  size?: [number, number];
}

/** Hands a rendered clip over. It may answer the clip's place alone. */
export interface PublisherLike {
  publish(cx: Context, post: doc.Post): Awaitable<doc.Receipt | string>;
  /** Is told what a run made, after its last clip. */
  conclude?(cx: Context, manifest: doc.Manifest): Awaitable<void>;
  /** The folder on whose file system clips are best rendered. */
  staging?: string;
}

/** Objects that fit where a stage of a kind is wanted. */
export interface Likes {
  source: SourceLike;
  transcriber: TranscriberLike;
  scorer: ScorerLike;
  tracker: TrackerLike;
  renderer: RendererLike;
  publisher: PublisherLike;
}
