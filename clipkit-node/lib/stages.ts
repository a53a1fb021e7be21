// The six stages: built in, yours, and with layers around them.

import * as native from "../native";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling, ClipkitError, departing, hostErrors } from "./errors";
import { METHODS } from "./kinds";
import type { Inputs, Kind, Likes, Outputs } from "./kinds";
import { BuiltInLayer, nativeLayer, type CustomLayer } from "./layers";
import { read, snake, write } from "./transfer";

/** The native stage of each object that has one. */
const handles = new WeakMap<object, native.Stage>();
/** What a native stage calls back must live as long as it does, and is not held by it: the two may hold each other. */
const held = new WeakMap<object, object[]>();

/** Makes `self` the face of a native stage. */
function adopt<T extends object>(self: T, handle: native.Stage, ...keep: object[]): T {
  handles.set(self, handle);
  held.set(handle, [...(held.get(handle) ?? []), ...keep]);
  return self;
}

/** The native stage of a stage: its own, or one that calls the methods of an object of the user's. @internal */
export function handleOf(kind: Kind, stage: object): native.Stage {
  const own = handles.get(stage);
  if (own) return own;
  if (typeof (stage as Methods)[METHODS[kind]] !== "function") {
    throw new ClipkitError("config", `this is no ${kind}: it has no method ${METHODS[kind]}`);
  }
  const facts = stage as { fingerprint?: unknown; size?: unknown; staging?: unknown; conclude?: unknown };
  const { fingerprint, size, staging } = facts;
  const told = JSON.stringify({
    fingerprint: typeof fingerprint === "function" ? (fingerprint.call(stage) as unknown) : fingerprint,
    size,
    staging,
    concludes: typeof facts.conclude === "function",
  });
  const called = new WeakRef(stage);
  const handle = calling(() => native.Stage.host(kind, (call) => void answer(call, called.deref()), hostErrors, told));
  held.set(handle, [stage]);
  return handle;
}

/** Answers a call of the native side. */
async function answer(call: native.Call, stage: object | undefined): Promise<void> {
  try {
    const method = call.method;
    const [inner, document] = [call.context(), call.input()];
    if (!inner || !document || !stage) throw new Error(`nobody is there to ${method}`);
    const cx = new Context({}, inner);
    const answered = await (stage as Methods)[method]?.(cx, await read(document));
    call.resolve(await write(await shaped(method, answered, cx)));
  } catch (error) {
    call.reject(departing(error));
  }
}

type Methods = Record<string, (cx: Context, input: unknown) => unknown>;

/** What a stage of the user's answers, as its document. */
async function shaped(method: string, answer: unknown, cx: Context): Promise<unknown> {
  if (method === "fetch" && typeof answer === "string") return new FileSource().fetch(cx, answer);
  if (method === "track") return { shots: [], faces: [], ...(answer as object) };
  if (method === "publish" && typeof answer === "string") return { file: answer };
  if (method === "conclude") return null;
  return answer;
}

type Cx = Context | RunOptions | null | undefined;

/** What all stages have in common. */
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

  /** This stage, and `other` where it fails; the step down leaves a warning. */
  or(other: Likes[K]): Faces[K] {
    const [first, second] = [handleOf(this.kind, this), handleOf(this.kind, other)];
    return face(this.kind, calling(() => first.or(second)), first, second);
  }
}

/** An object that calls a layer of the user's around a stage. */
function around(kind: Kind, inner: native.Stage, layer: CustomLayer): object {
  const inside = face(kind, inner) as unknown as Methods & Publisher;
  const method = METHODS[kind];
  return {
    fingerprint: inner.fingerprint ?? undefined,
    size: inner.size ?? undefined,
    staging: inner.staging ?? undefined,
    [method]: (cx: Context, input: unknown) => layer.call(cx, input, async (cx, input) => inside[method]?.(cx, input)),
    ...(kind === "publisher" && { conclude: (cx: Context, manifest: doc.Manifest) => inside.conclude(cx, manifest) }),
  };
}

/** A stage of a kind that is described by its configuration, where a program wants it alone. */
async function described<K extends Kind>(kind: K, config: object, options: DescribedOptions): Promise<Faces[K]> {
  const { layers, ...rest } = options;
  const stage = { scorer: "score", transcriber: "transcribe", tracker: "track", renderer: "render", publisher: "publish", source: "source" }[kind];
  const document = snake({ [kind]: config, layers: layers && { [stage]: layers } });
  const builder = calling(() => new native.PipelineBuilder(JSON.stringify(document)));
  return Context.run(rest, async (cx) => face(kind, await builder.stage(cx, kind)));
}

/** What goes with a stage's configuration. */
export interface DescribedOptions extends RunOptions {
  /** What goes around it, the first next to it. Default: a cache around what a model or an API answers. */
  layers?: doc.LayerConfig[];
}

/** Gets a video onto this machine and says what is in it. Extend it, or give an object with `fetch`. */
export abstract class Source extends AnyStage<"source"> {
  protected get kind() {
    return "source" as const;
  }

  /** Gets the video at an address that this source understands. */
  fetch(cx: Cx, uri: string): Promise<doc.Media> {
    return this.invoke(cx, uri);
  }

  /** An object with `fetch` as a source, for layers around it. */
  static from(source: Likes["source"]): Source {
    return face("source", handleOf("source", source));
  }

  /** The source that a pipeline's document describes. */
  static fromConfig(config: doc.SourceConfig, options: DescribedOptions = {}): Promise<Source> {
    return described("source", config, options);
  }
}

/** Says what is spoken in a video, and when. Extend it, or give an object with `transcribe`. */
export abstract class Transcriber extends AnyStage<"transcriber"> {
  protected get kind() {
    return "transcriber" as const;
  }

  /** Transcribes the whole video. */
  transcribe(cx: Cx, media: doc.Media): Promise<doc.Transcript> {
    return this.invoke(cx, media);
  }

  /** An object with `transcribe` as a transcriber, for layers around it. */
  static from(transcriber: Likes["transcriber"]): Transcriber {
    return face("transcriber", handleOf("transcriber", transcriber));
  }

  /** The transcriber that a pipeline's document describes. */
  static fromConfig(config: doc.TranscriberConfig, options: DescribedOptions = {}): Promise<Transcriber> {
    return described("transcriber", config, options);
  }
}

/** Chooses the spans that are worth a clip. Extend it, or give an object with `score`. */
export abstract class Scorer extends AnyStage<"scorer"> {
  protected get kind() {
    return "scorer" as const;
  }

  /** Chooses the spans, best first. */
  score(cx: Cx, scoring: doc.Scoring): Promise<doc.Candidate[]> {
    return this.invoke(cx, scoring);
  }

  /** An object with `score` as a scorer, for layers around it. */
  static from(scorer: Likes["scorer"]): Scorer {
    return face("scorer", handleOf("scorer", scorer));
  }

  /** The scorer that a pipeline's document describes. */
  static fromConfig(config: doc.ScorerConfig, options: DescribedOptions = {}): Promise<Scorer> {
    return described("scorer", config, options);
  }
}

/** Finds shots and faces in a span of a video. Extend it, or give an object with `track`. */
export abstract class FaceTracker extends AnyStage<"tracker"> {
  protected get kind() {
    return "tracker" as const;
  }

  /** Looks at the span. */
  track(cx: Cx, tracking: doc.Tracking): Promise<doc.Tracks> {
    return this.invoke(cx, tracking);
  }

  /** An object with `track` as a tracker, for layers around it. */
  static from(tracker: Likes["tracker"]): FaceTracker {
    return face("tracker", handleOf("tracker", tracker));
  }

  /** The tracker that a pipeline's document describes. For `onnx` after a download, if the model is missing. */
  static fromConfig(config: doc.TrackerConfig, options: DescribedOptions = {}): Promise<FaceTracker> {
    return described("tracker", config, options);
  }
}

/** Makes the file that a plan describes. Extend it, or give an object with `render`. */
export abstract class Renderer extends AnyStage<"renderer"> {
  protected get kind() {
    return "renderer" as const;
  }

  /** Renders the plan into the scratch space of `cx`, so give a context of your own and keep it until you have the files. */
  render(cx: Cx, plan: doc.ClipPlan): Promise<doc.Clip> {
    return this.invoke(cx, plan);
  }

  /** An object with `render` as a renderer, for layers around it. */
  static from(renderer: Likes["renderer"]): Renderer {
    return face("renderer", handleOf("renderer", renderer));
  }

  /** The renderer that a pipeline's document describes. */
  static fromConfig(config: doc.RendererConfig, options: DescribedOptions = {}): Promise<Renderer> {
    return described("renderer", config, options);
  }
}

/** Hands rendered clips over. Extend it, or give an object with `publish`. */
export abstract class Publisher extends AnyStage<"publisher"> {
  protected get kind() {
    return "publisher" as const;
  }

  /** Publishes one clip. */
  publish(cx: Cx, post: doc.Post): Promise<doc.Receipt> {
    return this.invoke(cx, post);
  }

  /** Is told what a run made, after its last clip. */
  async conclude(cx: Cx, manifest: doc.Manifest): Promise<void> {
    const handle = handles.get(this);
    if (handle) await Context.run(cx, async (inner) => handle.conclude(inner, await write(manifest)));
  }

  /** An object with `publish` as a publisher, for layers around it. */
  static from(publisher: Likes["publisher"]): Publisher {
    return face("publisher", handleOf("publisher", publisher));
  }

  /** The publisher that a pipeline's document describes. */
  static fromConfig(config: doc.PublisherConfig, options: DescribedOptions = {}): Promise<Publisher> {
    return described("publisher", config, options);
  }
}

/** The classes of stages that have layers around them. */
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

/** Takes a file on this machine, given by its path. */
export class FileSource extends Source {
  constructor() {
    super();
    builtIn(this, "FileSource", {});
  }
}

/** A transcript that exists already: SRT, WebVTT, ASS, json3, word times in JSON; a subtitle stream. */
export class Captions extends Transcriber {
  /** `file`: the transcript. Default: the one beside the video or inside it. */
  constructor(options: { file?: string } = {}) {
    super();
    builtIn(this, "Captions", options);
  }
}

/** A server that speaks OpenAI's API. What is not given comes from `OPENAI_BASE_URL`, `OPENAI_API_KEY`, `OPENAI_ORG_ID`. */
export interface OpenAiServer {
  baseUrl?: string;
  organization?: string;
  /** It is never written anywhere. */
  apiKey?: string;
  /** What goes around each request, the first next to it. Default: a retry. */
  layers?: doc.LayerConfig[];
}

/** Transcribes by a Whisper-style API. */
export class OpenAiTranscriber extends Transcriber {
  constructor(options: OpenAiTranscriberOptions = {}) {
    super();
    builtIn(this, "OpenAiTranscriber", options);
  }
}

/** What may be set of an {@link OpenAiTranscriber}. */
export type OpenAiTranscriberOptions = Omit<doc.OpenAiTranscriberOptions, "server" | "timeout_secs"> & {
  server?: OpenAiServer;
  /** How long the answer to one stretch may take, in seconds; default 600. */
  timeoutSecs?: number;
};

/** Transcribes on this machine, by Parakeet TDT and its kin or a CTC model in ONNX. */
export class LocalTranscriber extends Transcriber {
  private constructor() {
    super();
  }

  /** Opens a model by its folder. */
  static async load(folder: string, options: RunOptions = {}): Promise<LocalTranscriber> {
    const handle = await Context.run(options, (cx) => native.Stage.loadSpeech(cx, folder));
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

/** What may be set of a {@link Heuristic}; nothing, so far. */
export type HeuristicOptions = Record<string, never>;

/** A language model judges what the heuristic finds, then compares the best. */
export class OpenAiScorer extends Scorer {
  constructor(options: OpenAiScorerOptions = {}) {
    super();
    builtIn(this, "OpenAiScorer", options);
  }
}

/** What may be set of an {@link OpenAiScorer}. */
export type OpenAiScorerOptions = Omit<Extract<doc.ScorerConfig, { kind: "openai" }>, "kind" | "server" | "timeout_secs"> & {
  server?: OpenAiServer;
  /** How long one answer may take, retries included; default 120. */
  timeoutSecs?: number;
};

/** Finds faces with a neural network, and cuts by comparing frames. */
export class OnnxTracker extends FaceTracker {
  private constructor() {
    super();
  }

  /** Opens a face detection model by its name (downloaded if it is missing) or the path of its file. Default: `ultraface-rfb-320`. */
  static async load(model = "ultraface-rfb-320", options: OnnxTrackerOptions & RunOptions = {}): Promise<OnnxTracker> {
    const { signal, onEvent, onProgress, ...settings } = options;
    const text = JSON.stringify(snake(settings));
    const handle = await Context.run({ signal, onEvent, onProgress }, (cx) => native.Stage.loadOnnx(cx, model, text));
    return adopt(new OnnxTracker(), handle);
  }
}

/** What may be set of an {@link OnnxTracker}. */
export interface OnnxTrackerOptions {
  /** How often a second faces are looked at, 1 to 30; default 5. */
  samplesPerSecond?: number;
  /** How sure the detector must be of a face, 0 to 1; default: what the model's authors use. */
  confidence?: number;
  /** Threads for one inference; default 1, which takes the least of the processor. 0 takes one a core. */
  threads?: number;
  /** The ONNX Runtime library to load. A process loads one, the first asked for. */
  library?: string;
}

/** Follows what moves, without a model. */
export class MotionTracker extends FaceTracker {
  constructor() {
    super();
    builtIn(this, "MotionTracker", {});
  }
}

/** Does not look: the crop stays in the middle. */
export class CenterTracker extends FaceTracker {
  constructor() {
    super();
    builtIn(this, "CenterTracker", {});
  }
}

/** Renders with the FFmpeg libraries, in this process. */
export class FfmpegRenderer extends Renderer {
  /**
   * `size`: columns and rows, both even; default: what the options' `aspect` asks for. `threads`: for one clip; default: the clips that are
   * rendered at once share the machine's cores.
   */
  constructor(options: { size?: [number, number]; threads?: number } = {}) {
    super();
    builtIn(this, "FfmpegRenderer", options);
  }
}

/** Puts clips into a folder: `NN-title.mp4`, its plan and cover, and `clips.json` at the end. */
export class Folder extends Publisher {
  /** The folder. */
  readonly path: string;

  /** `keepOthers`: whether an existing manifest of the same video keeps its other clips; default no. */
  constructor(path: string, options: { keepOthers?: boolean } = {}) {
    super();
    this.path = path;
    builtIn(this, "Folder", { path, ...options });
  }
}
