// The six kinds of stage: built-in ones, those of users, and layers around them.

import * as native from "../native";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling, ClipkitError, departing, hostErrors } from "./errors";
import { METHODS, STAGES } from "./kinds";
import type { Inputs, Kind, Likes, Outputs } from "./kinds";
import { BuiltInLayer, nativeLayer, type CustomLayer } from "./layers";
import { read, snake, write } from "./transfer";

/** The native stage of each object that has one. */
const handles = new WeakMap<object, native.Stage>();
/**
 * The objects that a native stage calls. They must live as long as it does; it cannot hold them itself, since a reference cycle through native
 * code would never be collected.
 */
const held = new WeakMap<object, object[]>();

/** Makes `self` the JavaScript object of a native stage. */
function adopt<T extends object>(self: T, handle: native.Stage, ...keep: object[]): T {
  handles.set(self, handle);
  held.set(handle, [...(held.get(handle) ?? []), ...keep]);
  return self;
}

/** The native stage of an object: its own, or a new one that calls the object's methods. @internal */
export function handleOf(kind: Kind, stage: object): native.Stage {
  const own = handles.get(stage);
  if (own) return own;
  if (typeof (stage as Methods)[METHODS[kind]] !== "function") {
    throw new ClipkitError("config", `this is no ${kind}: it has no method ${METHODS[kind]}`);
  }
  const { fingerprint, size, staging, target, conclude, [BUILTIN]: builtin } = stage as Properties;
  const facts = JSON.stringify({
    fingerprint: typeof fingerprint === "function" ? (fingerprint.call(stage) as unknown) : fingerprint,
    size,
    staging,
    target: target === undefined ? undefined : targetOf(target),
    concludes: typeof conclude === "function",
    builtin: builtin === true,
  });
  const called = new WeakRef(stage);
  const handle = calling(() => native.Stage.host(STAGES[kind], (call) => void answer(call, called.deref()), hostErrors, facts));
  held.set(handle, [stage]);
  return handle;
}

/** Marks a layer of a user's around a stage of clipkit's own. */
const BUILTIN = Symbol("builtin");

/** The properties of a user's stage that are read once. */
interface Properties {
  fingerprint?: unknown;
  size?: unknown;
  staging?: unknown;
  target?: string | doc.Target;
  conclude?: unknown;
  [BUILTIN]?: boolean;
}

function targetOf(target: string | doc.Target = "custom"): doc.Target {
  return typeof target === "string" ? { name: target } : target;
}

/** Answers a call from the native module. */
async function answer(call: native.Call, stage: object | undefined): Promise<void> {
  try {
    const method = call.method;
    const [inner, document] = [call.context(), call.input()];
    if (!inner || !document || !stage) throw new Error(`the stage with the method ${method} no longer exists`);
    const cx = new Context({}, inner);
    const answered = await (stage as Methods)[method]?.(cx, await read(document));
    call.resolve(await write(await shaped(method, answered, cx, stage)));
  } catch (error) {
    call.reject(departing(error));
  }
}

type Methods = Record<string, (cx: Context, input: unknown) => unknown>;

/** The document of what a user's stage returned. */
async function shaped(method: string, answer: unknown, cx: Context, stage: object): Promise<unknown> {
  if (method === "fetch" && typeof answer === "string") return new FileSource().fetch(cx, answer);
  if (method === "track") return { shots: [], faces: [], ...(answer as object) };
  if (method === "publish") {
    const { name, account } = targetOf((stage as Properties).target);
    const receipt = typeof answer === "string" ? { id: answer, ...(answer.includes("://") && { url: answer }) } : answer;
    return { target: name, account, ...(receipt as object) };
  }
  if (method === "conclude") return null;
  return answer;
}

type Cx = Context | RunOptions | null | undefined;

/** The context of each rendered clip or post, whose files are in the context's scratch space. */
const contexts = new WeakMap<object, Context>();

/** Keeps a context alive as long as what was rendered under it. @internal */
export function keeping<T extends object>(cx: Context, rendered: T): T {
  contexts.set(rendered, cx);
  return rendered;
}

/** Refuses to render without a context that owns the files. @internal */
export function owner(cx: unknown, method: string): Context {
  if (cx instanceof Context) return cx;
  throw new ClipkitError("config", `${method} writes files to its context's scratch space: give a Context and close it when the files are no longer needed`);
}

/** Methods of every stage. */
abstract class AnyStage<K extends Kind> {
  /** @internal */
  protected abstract get kind(): K;

  /** @internal */
  protected async invoke(cx: Cx, input: Inputs[K]): Promise<Outputs[K]> {
    const handle = handles.get(this);
    if (!handle) throw new TypeError(`${this.constructor.name} has no method ${METHODS[this.kind]} of its own`);
    return Context.run(cx, async (inner) => read<Outputs[K]>(await handle.call(inner, await write(input))));
  }

  /** This stage inside a layer. The last layer is outermost, and the order matters. */
  layer(layer: BuiltInLayer | CustomLayer<Inputs[K], Outputs[K]>): Faces[K] {
    const inner = handleOf(this.kind, this);
    const known = layer instanceof BuiltInLayer ? nativeLayer(layer) : undefined;
    if (known) return face(this.kind, calling(() => inner.layer(known)), inner);
    return face(this.kind, handleOf(this.kind, around(this.kind, inner, layer as CustomLayer)), inner);
  }

  /** This stage, with `other` as its fallback. The use of the fallback leaves a warning. */
  or(other: Likes[K]): Faces[K] {
    const [first, second] = [handleOf(this.kind, this), handleOf(this.kind, other)];
    return face(this.kind, calling(() => first.or(second)), first, second);
  }
}

/** A stage object that calls a user's layer around a stage. */
function around(kind: Kind, inner: native.Stage, layer: CustomLayer): object {
  const inside = face(kind, inner) as unknown as Methods & Publisher;
  const method = METHODS[kind];
  return {
    fingerprint: inner.fingerprint ?? undefined,
    size: inner.size ?? undefined,
    staging: inner.staging ?? undefined,
    target: inner.target == null ? undefined : (JSON.parse(inner.target) as doc.Target),
    [BUILTIN]: inner.isBuiltin,
    [method]: (cx: Context, input: unknown) => layer.call(cx, input, async (cx, input) => inside[method]?.(cx, input)),
    ...(kind === "publisher" && { conclude: (cx: Context, manifest: doc.Manifest) => inside.conclude(cx, manifest) }),
  };
}

/** The stage of a kind that a configuration describes. */
async function described<K extends Kind>(kind: K, config: object, options: DescribedOptions): Promise<Faces[K]> {
  const { layers, ...rest } = options;
  const stage = STAGES[kind];
  const described = kind === "publisher" ? { publishers: [config] } : { [kind]: config };
  const document = snake({ ...described, layers: layers && { [stage]: layers } });
  const builder = calling(() => new native.PipelineBuilder(JSON.stringify(document)));
  return Context.run(rest, async (cx) => face(kind, await builder.stage(cx, stage)));
}

/** Options of `fromConfig`. */
export interface DescribedOptions extends RunOptions {
  /** Layers around it, the first one innermost. Default: a cache around a stage that uses a model or an API. */
  layers?: doc.LayerConfig[];
}

/** Fetches a video to this machine and probes it. Extend it, or use an object with `fetch`. */
export abstract class Source extends AnyStage<"source"> {
  protected get kind() {
    return "source" as const;
  }

  /** Fetches the video at a path or an address. */
  fetch(cx: Cx, uri: string): Promise<doc.Media> {
    return this.invoke(cx, uri);
  }

  /** A stage from an object with `fetch`, to put layers around it. */
  static from(source: Likes["source"]): Source {
    return face("source", handleOf("source", source));
  }

  /** The source that a configuration describes. */
  static fromConfig(config: doc.SourceConfig, options: DescribedOptions = {}): Promise<Source> {
    return described("source", config, options);
  }
}

/** Transcribes a video. Extend it, or use an object with `transcribe`. */
export abstract class Transcriber extends AnyStage<"transcriber"> {
  protected get kind() {
    return "transcriber" as const;
  }

  /** Transcribes the whole video. */
  transcribe(cx: Cx, media: doc.Media): Promise<doc.Transcript> {
    return this.invoke(cx, media);
  }

  /** A stage from an object with `transcribe`, to put layers around it. */
  static from(transcriber: Likes["transcriber"]): Transcriber {
    return face("transcriber", handleOf("transcriber", transcriber));
  }

  /** The transcriber that a configuration describes. */
  static fromConfig(config: doc.TranscriberConfig, options: DescribedOptions = {}): Promise<Transcriber> {
    return described("transcriber", config, options);
  }
}

/** Chooses and ranks the spans that are worth a clip. Extend it, or use an object with `score`. */
export abstract class Scorer extends AnyStage<"scorer"> {
  protected get kind() {
    return "scorer" as const;
  }

  /** Chooses the spans, best first. */
  score(cx: Cx, scoring: doc.Scoring): Promise<doc.Candidate[]> {
    return this.invoke(cx, scoring);
  }

  /** A stage from an object with `score`, to put layers around it. */
  static from(scorer: Likes["scorer"]): Scorer {
    return face("scorer", handleOf("scorer", scorer));
  }

  /** The scorer that a configuration describes. */
  static fromConfig(config: doc.ScorerConfig, options: DescribedOptions = {}): Promise<Scorer> {
    return described("scorer", config, options);
  }
}

/** Detects shots and faces in a span of a video. Extend it, or use an object with `track`. */
export abstract class FaceTracker extends AnyStage<"tracker"> {
  protected get kind() {
    return "tracker" as const;
  }

  /** Detects shots and faces in the span. */
  track(cx: Cx, tracking: doc.Tracking): Promise<doc.Tracks> {
    return this.invoke(cx, tracking);
  }

  /** A stage from an object with `track`, to put layers around it. */
  static from(tracker: Likes["tracker"]): FaceTracker {
    return face("tracker", handleOf("tracker", tracker));
  }

  /** The tracker that a configuration describes. For `onnx`, a missing model is downloaded. */
  static fromConfig(config: doc.TrackerConfig, options: DescribedOptions = {}): Promise<FaceTracker> {
    return described("tracker", config, options);
  }
}

/** Renders the file that a plan describes. Extend it, or use an object with `render`. */
export abstract class Renderer extends AnyStage<"renderer"> {
  protected get kind() {
    return "renderer" as const;
  }

  /** Renders the plan into the scratch space of `cx`. The files are removed when `cx` is closed; until then the returned clip keeps `cx` alive. */
  async render(cx: Context, plan: doc.ClipPlan): Promise<doc.RenderedClip> {
    return keeping(cx, await this.invoke(owner(cx, "render"), plan));
  }

  /** A stage from an object with `render`, to put layers around it. */
  static from(renderer: Likes["renderer"]): Renderer {
    return face("renderer", handleOf("renderer", renderer));
  }

  /** The renderer that a configuration describes. */
  static fromConfig(config: doc.RendererConfig, options: DescribedOptions = {}): Promise<Renderer> {
    return described("renderer", config, options);
  }
}

/** Publishes rendered clips to one target. Extend it, or use an object with `publish`. */
export abstract class Publisher extends AnyStage<"publisher"> {
  protected get kind() {
    return "publisher" as const;
  }

  /** Publishes one clip. */
  publish(cx: Cx, post: doc.Post): Promise<doc.Receipt> {
    return this.invoke(cx, post);
  }

  /** Receives the manifest of a run after its last clip. */
  async conclude(cx: Cx, manifest: doc.Manifest): Promise<void> {
    const handle = handles.get(this);
    if (handle) await Context.run(cx, async (inner) => handle.conclude(inner, await write(manifest)));
  }

  /** A stage from an object with `publish`, to put layers around it. */
  static from(publisher: Likes["publisher"]): Publisher {
    return face("publisher", handleOf("publisher", publisher));
  }

  /** The publisher that a configuration describes. */
  static fromConfig(config: doc.PublisherConfig, options: DescribedOptions = {}): Promise<Publisher> {
    return described("publisher", config, options);
  }
}

/** The class of each kind. */
interface Faces {
  source: Source;
  transcriber: Transcriber;
  scorer: Scorer;
  tracker: FaceTracker;
  renderer: Renderer;
  publisher: Publisher;
}

const PROTOTYPES: { [K in Kind]: Faces[K] } = {
  source: Source.prototype,
  transcriber: Transcriber.prototype,
  scorer: Scorer.prototype,
  tracker: FaceTracker.prototype,
  renderer: Renderer.prototype,
  publisher: Publisher.prototype,
};

function face<K extends Kind>(kind: K, handle: native.Stage, ...keep: object[]): Faces[K] {
  return adopt(Object.create(PROTOTYPES[kind]) as Faces[K], handle, ...keep);
}

function builtIn(self: object, name: string, options: object): void {
  adopt(self, calling(() => native.Stage.builtin(name, JSON.stringify(snake(options)))));
}

/** Reads a file on this machine, given by its path. */
export class FileSource extends Source {
  constructor() {
    super();
    builtIn(this, "FileSource", {});
  }
}

/** Takes a media file on an HTTP server into the media store. A download that breaks off continues. */
export class HttpSource extends Source {
  constructor(options: HttpSourceOptions = {}) {
    super();
    builtIn(this, "HttpSource", options);
  }
}

/** Options of an {@link HttpSource}. */
export interface HttpSourceOptions {
  /** The most bytes that a file may have; default 10 GiB. */
  maxBytes?: number;
  /** The longest time of a download in seconds; default 6 hours. */
  timeout?: number;
  /** The longest wait for the next bytes in seconds; default 30. */
  idleTimeout?: number;
  /** Private addresses and networks that may be connected to; default none. */
  allowPrivate?: string[];
}

/** Takes a file in an object store into the media store: `s3://`, `gs://`, `az://`. */
export class ObjectStoreSource extends Source {
  /** `maxBytes`: the most bytes that an object may have; default 10 GiB. */
  constructor(options: { maxBytes?: number } = {}) {
    super();
    builtIn(this, "ObjectStoreSource", options);
  }
}

/** Takes a video on a platform that yt-dlp knows, with its metadata and captions. */
export class YtDlp extends Source {
  constructor(options: YtDlpOptions = {}) {
    super();
    builtIn(this, "YtDlp", options);
  }
}

/** Options of {@link YtDlp}. */
export interface YtDlpOptions {
  /** The program; default `CLIPKIT_YTDLP`, else `yt-dlp` in `PATH`. */
  program?: string;
  /** The part to fetch, in seconds; default all of the video. */
  section?: { start: number; end: number };
  /** The largest resolution by the shorter side in pixels; default 1080. */
  height?: number;
  /** A file with cookies, used if the platform wants a login. */
  cookies?: string;
  /** A proxy for metadata and captions only. */
  proxyMetadata?: string;
  /** The most bytes that the media may have; default 10 GiB. */
  maxBytes?: number;
  /** The longest time of the download in seconds; default 6 hours. */
  timeout?: number;
  /** Private addresses and networks that may be connected to; default none. */
  allowPrivate?: string[];
}

/** Takes a path, a URL of a media file, an object's address, else asks yt-dlp. The default. */
export class AutoSource extends Source {
  constructor(options: AutoSourceOptions = {}) {
    super();
    builtIn(this, "AutoSource", options);
  }
}

/** Options of an {@link AutoSource}. */
export interface AutoSourceOptions {
  /** Whether paths are accepted; default true. */
  local?: boolean;
  /** The part to fetch of a platform's video, in seconds; default all of it. */
  section?: { start: number; end: number };
  /** Private addresses and networks that may be connected to; default none. */
  allowPrivate?: string[];
  /** Options for URLs of media files. */
  http?: HttpSourceOptions;
  /** Options for pages. */
  ytdlp?: YtDlpOptions;
}

/** Reads an existing transcript: SRT, WebVTT, ASS, json3, word times in JSON, a subtitle stream. */
export class Captions extends Transcriber {
  /**
   * `file`: the transcript. Default: one beside the video or inside it. `encoding`: the text encoding
   * of a file, such as `gbk`. Default: detected. `language` is preferred among several files and
   * streams. `offset` is added to every time, in seconds; `"auto"` is what the voice shows.
   */
  constructor(options: { file?: string; encoding?: string; language?: string; offset?: number | "auto" } = {}) {
    super();
    builtIn(this, "Captions", options);
  }
}

/** A server with OpenAI's API. Defaults come from `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. */
export interface OpenAiServer {
  baseUrl?: string;
  organization?: string;
  /** It is not part of any document and is never logged. */
  apiKey?: string;
  /** Layers around each request, the first one innermost. Default: a retry. */
  layers?: doc.LayerConfig[];
}

/** Transcribes with a Whisper-style API. */
export class OpenAiTranscriber extends Transcriber {
  constructor(options: OpenAiTranscriberOptions = {}) {
    super();
    builtIn(this, "OpenAiTranscriber", options);
  }
}

/** Options of an {@link OpenAiTranscriber}. */
export type OpenAiTranscriberOptions = Omit<doc.OpenAiTranscriberOptions, "server" | "timeout_secs"> & {
  server?: OpenAiServer;
  /** The timeout of one request, in seconds; default 600. */
  timeoutSecs?: number;
};

/** Transcribes on this machine, with a NeMo transducer (Parakeet TDT) or a CTC model in ONNX. */
export class LocalTranscriber extends Transcriber {
  private constructor() {
    super();
  }

  /**
   * Opens a model. `model`: its folder or name; a named model is downloaded if it is missing; default the default speech
   * model. `language`: the spoken language (`"en"`), which these models do not return.
   */
  static async load(model?: string, options: RunOptions & { language?: string } = {}): Promise<LocalTranscriber> {
    const settings = JSON.stringify({ model, language: options.language });
    const handle = await Context.run(options, (cx) => native.Stage.load(cx, "LocalTranscriber", settings));
    return adopt(new LocalTranscriber(), handle);
  }
}

/** Chooses spans by rules over the words: hook, completeness, density, emotion. */
export class Heuristic extends Scorer {
  constructor(options: HeuristicOptions = {}) {
    super();
    builtIn(this, "Heuristic", options);
  }
}

/** Options of a {@link Heuristic}: none yet. */
export type HeuristicOptions = Record<string, never>;

/** A language model rates the heuristic's candidates, then compares the best. */
export class OpenAiScorer extends Scorer {
  constructor(options: OpenAiScorerOptions = {}) {
    super();
    builtIn(this, "OpenAiScorer", options);
  }
}

/** Options of an {@link OpenAiScorer}. */
export type OpenAiScorerOptions = Omit<Extract<doc.ScorerConfig, { kind: "openai" }>, "kind" | "server" | "timeout_secs"> & {
  server?: OpenAiServer;
  /** The timeout of one answer with its retries, in seconds; default 120. */
  timeoutSecs?: number;
};

/** Detects faces with a neural network, and cuts by comparing frames. */
export class OnnxTracker extends FaceTracker {
  private constructor() {
    super();
  }

  /** Loads a face detection model by its name (a missing one is downloaded) or the path of its file. Default: `ultraface-rfb-320`. */
  static async load(model = "ultraface-rfb-320", options: OnnxTrackerOptions & RunOptions = {}): Promise<OnnxTracker> {
    const { signal, onEvent, onProgress, ...settings } = options;
    const text = JSON.stringify({ model, options: snake(settings) });
    const handle = await Context.run({ signal, onEvent, onProgress }, (cx) => native.Stage.load(cx, "OnnxTracker", text));
    return adopt(new OnnxTracker(), handle);
  }
}

/** Options of an {@link OnnxTracker}. */
export interface OnnxTrackerOptions {
  /** Detections a second, 1 to 30; default 5. */
  samplesPerSecond?: number;
  /** The lowest confidence of a face, 0 to 1; default: what the model's authors use. */
  confidence?: number;
  /** Threads for one inference; default 1, which needs the least CPU time. 0 is one for each core. */
  threads?: number;
  /** The path of the ONNX Runtime library. A process loads only the first one that is asked for. */
  library?: string;
}

/** Follows motion, without a model. */
export class MotionTracker extends FaceTracker {
  constructor() {
    super();
    builtIn(this, "MotionTracker", {});
  }
}

/** Detects nothing: the crop stays in the middle. */
export class CenterTracker extends FaceTracker {
  constructor() {
    super();
    builtIn(this, "CenterTracker", {});
  }
}

/** Renders with the FFmpeg libraries, in this process. */
export class FfmpegRenderer extends Renderer {
  /**
   * `size`: columns and rows, both even; default: from the options' `aspect`. `threads`: for one clip; default: the cores divided by the number of
   * clips that are rendered concurrently.
   */
  constructor(options: { size?: [number, number]; threads?: number } = {}) {
    super();
    builtIn(this, "FfmpegRenderer", options);
  }
}

/** Publishes to a folder: `NN-title.mp4`, its plan and cover, and the manifest `clips.json`. */
export class Folder extends Publisher {
  /** The folder. */
  readonly path: string;

  /** `keepOthers`: whether a run keeps the clips of earlier runs of the same video in the manifest; default false. */
  constructor(path: string, options: { keepOthers?: boolean } = {}) {
    super();
    this.path = path;
    builtIn(this, "Folder", { path, ...options });
  }
}

/** Publishes into an object store: `s3://bucket/prefix`, `gs://`, `az://`, `file:///folder`. */
export class ObjectStorePublisher extends Publisher {
  constructor(options: ObjectStorePublisherOptions) {
    super();
    builtIn(this, "ObjectStorePublisher", options);
  }
}

/** Options of an {@link ObjectStorePublisher}. */
export interface ObjectStorePublisherOptions {
  /** The store and the prefix of all keys. */
  url: string;
  /** The key of a clip without extension; default `{id}/{rank}-{slug}`. */
  key?: string;
  /** The `Cache-Control` header of the objects; default none. */
  cacheControl?: string;
  /** How long the link in the receipt is valid, in seconds, at most 604800; default no link. */
  link?: number;
  /** The address of a CDN at which everybody can get what lies below the prefix; default none. */
  publicUrl?: string;
  /** The size of the parts of large files in bytes; default 8 MiB. */
  partSize?: number;
}

/** Posts each clip, and then the manifest, to a server of yours, signed as Standard Webhooks describe. */
export class Webhook extends Publisher {
  constructor(options: WebhookOptions) {
    super();
    builtIn(this, "Webhook", options);
  }
}

/** Options of a {@link Webhook}. */
export interface WebhookOptions {
  /** The address. */
  url: string;
  /** The secret; default the variable `CLIPKIT_WEBHOOK_SECRET`. */
  secret?: string;
  /** The variable with the secret; its name starts with `CLIPKIT_WEBHOOK_`. */
  secretVariable?: string;
  /** Whether the clip's files are posted; default true. */
  video?: boolean;
  /** Whether the manifest is posted after the last clip; default true. */
  manifest?: boolean;
  /** The longest time for one delivery in seconds; default 600. */
  timeout?: number;
  /** Private addresses and networks that may be connected to; default none. */
  allowPrivate?: string[];
}

/** Uploads to a channel on YouTube. Credentials come from the environment or a file. */
export class YouTube extends Publisher {
  constructor(options: YouTubeOptions = {}) {
    super();
    builtIn(this, "YouTube", options);
  }
}

/** Options of a {@link YouTube} publisher. */
export interface YouTubeOptions {
  /** The account's name, by which its credentials are found; default `default`. */
  account?: string;
  /** Where the credentials are; default the environment, else a file. */
  credentials?: { kind: "auto" } | { kind: "environment" } | { kind: "file"; folder?: string };
  /** Whether clips are meant as Shorts; default true. */
  shorts?: boolean;
  /** The id of the category; default `22`. */
  category?: string;
  /** Whether subscribers are told; default true. */
  notify?: boolean;
  /** Whether the cover becomes the thumbnail; default true. */
  thumbnail?: boolean;
  /** Whether the captions become a caption track; default true. */
  captions?: boolean;
  /** When clips without a time of their own are published; default at once. */
  schedule?: {
    zone?: string;
    windows?: { days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[]; start: string; minutes?: number }[];
    from?: string;
    spacing?: number;
    perDay?: number;
  };
  /** The size of a chunk in bytes, a multiple of 256 KiB; default 8 MiB. */
  chunkSize?: number;
}

/** Uploads to an account on TikTok. Credentials come from a file: `clipkit login tiktok`. */
export class TikTok extends Publisher {
  constructor(options: TikTokOptions = {}) {
    super();
    builtIn(this, "TikTok", options);
  }
}

/** Options of a {@link TikTok} publisher. */
export interface TikTokOptions {
  /** The account's name, by which its credentials are found; default `default`. */
  account?: string;
  /** Where the credentials are; default the environment, else a file. */
  credentials?: { kind: "auto" } | { kind: "environment" } | { kind: "file"; folder?: string };
  /** Whether the clip becomes a draft in the app's inbox; default false. */
  inbox?: boolean;
  /** Who can see the posts; default everybody, for private clips only the account itself. */
  privacy?: "everyone" | "followers" | "friends" | "only_me";
  /** Whether others can comment; default true. */
  comments?: boolean;
  /** Whether others can make duets; default true. */
  duets?: boolean;
  /** Whether others can make stitches; default true. */
  stitches?: boolean;
  /** Whether the clip promotes the account's own business; default false. */
  ownBrand?: boolean;
  /** Whether the clip is a paid partnership; default false. */
  paidPartnership?: boolean;
  /** When clips without a time of their own are published; default at once. */
  schedule?: {
    zone?: string;
    windows?: { days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[]; start: string; minutes?: number }[];
    from?: string;
    spacing?: number;
    perDay?: number;
  };
  /** The size of a chunk in bytes, 5 MiB to 64 MB; default 10 MB. */
  chunkSize?: number;
}

/** Uploads Reels to a professional account on Instagram. Credentials come from the environment or a file. */
export class Instagram extends Publisher {
  constructor(options: InstagramOptions = {}) {
    super();
    builtIn(this, "Instagram", options);
  }
}

/** Options of an {@link Instagram} publisher. */
export interface InstagramOptions {
  /** The account's name, by which its credentials are found; default `default`. */
  account?: string;
  /** Where the credentials are; default the environment, else a file. */
  credentials?: { kind: "auto" } | { kind: "environment" } | { kind: "file"; folder?: string };
  /** Whether the Reel is also shown in the feed; default true. */
  shareToFeed?: boolean;
  /** When clips without a time of their own are published; default at once. */
  schedule?: {
    zone?: string;
    windows?: { days?: ("mon" | "tue" | "wed" | "thu" | "fri" | "sat" | "sun")[]; start: string; minutes?: number }[];
    from?: string;
    spacing?: number;
    perDay?: number;
  };
}
