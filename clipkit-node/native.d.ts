// Made by scripts/native.mjs from src/. The package's own types are in index.d.ts.
/** One call to a stage in JavaScript. JavaScript answers it with `resolve` or `reject`. */
export declare class Call {
  /** The name of the method to call. */
  get method(): string
  /** Takes the context. `None` on the second call. */
  context(): Context | null
  /** Takes the method's input. `None` on the second call. */
  input(): Document | null
  resolve(answer: Text): void
  reject(what: string): void
}

/** A context: one that JavaScript made, or the one of a call to a stage in JavaScript. */
export declare class Context {
  /** `wake` is called when events are available, and not again until they were taken. */
  constructor(options: ContextOptions, wake?: () => void)
  /** Takes the events since the last call, each as JSON. */
  events(): Array<string>
  cancel(): void
  /** Cancels the work under this context and removes its scratch space. */
  close(): void
  get cancelled(): boolean
  check(): void
  /**
   * Calls `then` once if the context of a call is cancelled before the call ends. Does nothing
   * for a context that JavaScript made: only JavaScript cancels it.
   */
  onCancel(then: () => void): void
  get stage(): string | null
  get clip(): number | null
  get threads(): number
  progress(fraction: number): void
  warn(message: string, kind?: string | undefined | null): void
  /** The path of a medium on this machine, from a `MediaRef` as JSON. */
  locate(media: string): string
  get idempotencyKey(): string | null
  /** As JSON. */
  warnings(): string
  spend(usage: string): void
  /** As JSON. */
  usage(): string
  get budgetLeft(): number | null
  /** The folder for temporary files. The first call makes it. */
  scratch(): string
  /** Waits, unless the context is cancelled. A reason is emitted as an event. */
  sleep(seconds: number, reason?: string | undefined | null): Promise<undefined>
}

/**
 * A document for JavaScript. The first piece is the text with each long array replaced by
 * `{"$array": n}`; the other pieces are parts of these arrays.
 */
export declare class Document {
  /** The next piece. `None` after the last one. */
  next(): Piece | null
}

/** The frames of a span, in order. A thread decodes them; it ends with this object. */
export declare class Frames {
  /** From `{media, span, options}`. */
  constructor(cx: Context, wanted: Text)
  /** The next frame. `None` after the last one. */
  next(): Promise<Frame | undefined | null>
  /** Stops decoding. */
  close(): void
}

/**
 * The values that stages in JavaScript threw. JavaScript keeps each under an id while an error
 * that refers to it exists.
 */
export declare class HostErrors {
  constructor()
  /** The ids that were released since the last call. */
  released(): Array<number>
}

/** Jobs in a queue. */
export declare class Jobs {
  /** Opens the jobs in a file. `options` are `JobsOptions` as JSON. */
  static open(db: string, options: string): Promise<Jobs>
  /** Opens the jobs in a Redis. `options` are `JobsOptions` as JSON. */
  static redis(url: string, folder: string, prefix: string | undefined | null, options: string): Promise<Jobs>
  /** Takes a job, returns its id. */
  submit(job: Text): Promise<Document>
  /** Returns a job, or null. */
  get(id: string): Promise<Document>
  /** Takes a filter as JSON, returns the jobs, the newest first. */
  list(filter: string): Promise<Document>
  cancel(id: string): Promise<Document>
  retry(id: string): Promise<Document>
  remove(id: string): Promise<Document>
  /** The events of a job with numbers above `since`. */
  events(id: string, since: number): Promise<Document>
  /** The clips of a job. */
  clips(id: string): Promise<Document>
  /** Takes operations, returns the plan and what changed. */
  editClip(id: string, rank: number, ops: Text, dryRun: boolean): Promise<Document>
  /** A signed link to a clip in an object store. `valid` is in seconds. */
  link(cx: Context, id: string, rank: number, valid?: number | undefined | null): Promise<Document>
  deadLetters(): Promise<Document>
  replay(task: string): Promise<Document>
  discard(task: string): Promise<Document>
  pause(queue: string): Promise<Document>
  resume(queue: string): Promise<Document>
}

/** A layer. Stages inside the same layer object share its state: a rate, places, kept answers. */
export declare class Layer {
  /** From a `LayerConfig`: `{"retry": {...}}`. */
  constructor(config: string)
}

/** A pipeline. Each method takes and returns documents; a path or an address is a string. */
export declare class Pipeline {
  /** The folder that the names in a manifest are relative to. */
  get staging(): string | null
  /** The publishers' targets, as JSON. */
  targets(): string
  /** Returns a manifest. */
  run(cx: Context, uri: string): Promise<Document>
  /** Returns media, plans and warnings. */
  planAll(cx: Context, uri: string): Promise<Document>
  /** Takes the picture, `keep` or `reframe`, and returns a plan. */
  planWhole(cx: Context, uri: string, picture: string): Promise<Document>
  /** Takes a list of `{rank, plan}`, returns a manifest. */
  renderAll(cx: Context, plans: Text): Promise<Document>
  /** Returns a media. */
  fetch(cx: Context, uri: string): Promise<Document>
  /** Takes a media, returns a transcript. */
  transcribe(cx: Context, media: Text): Promise<Document>
  /** Takes `{media, transcript}`, returns candidates. */
  choose(cx: Context, input: Text): Promise<Document>
  /** Takes media, returns a speech map. */
  listen(cx: Context, media: Text): Promise<Document>
  /** Takes `{media, span}`, returns tracks. */
  track(cx: Context, input: Text): Promise<Document>
  /** Takes `{media, transcript, candidate, tracks}`, returns a plan. */
  plan(cx: Context, input: Text): Promise<Document>
  /** Takes a plan, returns a rendered clip, whose files are in the context's scratch space. */
  render(cx: Context, plan: Text): Promise<Document>
  /** Takes `{rank, plan}`, returns a post, whose files are in the context's scratch space. */
  renderPost(cx: Context, input: Text): Promise<Document>
  /** Takes a post, returns a receipt. */
  publish(cx: Context, post: Text): Promise<Document>
  /** Takes `{target, post}`, returns a receipt. */
  publishTo(cx: Context, input: Text): Promise<Document>
}

/** A pipeline's configuration, and the stages that replace configured ones. */
export declare class PipelineBuilder {
  /** Reads a `PipelineConfig`. Unknown fields are refused. */
  constructor(config: string)
  /** Replaces the configured stage of this kind. A publisher is added to those given before. */
  give(stage: Stage): void
  /** The configured stage of one kind (`source`, `transcribe` ...). */
  stage(cx: Context, kind: string): Promise<Stage>
  /** Builds the pipeline. A model may be downloaded, if the configuration names one. */
  build(cx: Context): Promise<Pipeline>
}

/** A stage: a built-in one or one in JavaScript, inside its layers. */
export declare class Stage {
  /** A built-in stage by its class name and its options as JSON, for stages that need no model. */
  static builtin(name: string, options: string): Stage
  /** The same for stages that load a model. A model that is missing is downloaded. */
  static load(cx: Context, name: string, options: string): Promise<Stage>
  /** The publisher that a `PublisherConfig` describes, without layers. */
  static publisher(config: string): Stage
  /**
   * A stage in JavaScript. `kind` is a stage's name (`source`, `transcribe` ...), `facts` are
   * its properties as JSON.
   */
  static host(kind: string, dispatch: (call: Call) => void, errors: HostErrors, facts: string): Stage
  /**
   * What its answers depend on besides the input. `None` where it is not known, or for a stage
   * that cannot be cached.
   */
  get fingerprint(): string | null
  /** The columns and rows that a renderer was set up for. */
  get size(): Array<number> | null
  /** The folder on whose file system a publisher wants clips to be rendered. */
  get staging(): string | null
  /** A publisher's target, as JSON. */
  get target(): string | null
  /** Whether the stage inside the layers is one of clipkit's own. */
  get isBuiltin(): boolean
  /** This stage inside a layer. */
  layer(layer: Layer): Stage
  /** This stage, with `other` as its fallback. */
  or(other: Stage): Stage
  /** Calls the stage's one method. */
  call(cx: Context, input: Text): Promise<Document>
  /** Gives a publisher the manifest of a run. */
  conclude(cx: Context, manifest: Text): Promise<undefined>
}

/** The store of models. */
export declare class Store {
  /** `cache` is the folder for downloads. */
  constructor(cache?: string | undefined | null)
  get cache(): string | null
  /** The path of a model by its name. `None` where it is not on this machine. */
  find(id: string): string | null
  findSpeech(): string | null
  /** The path of a model by its name or its file's path. A missing model is downloaded. */
  resolve(cx: Context, model: string): Promise<string>
}

/** A document from JavaScript, concatenated from parts. */
export declare class Text {
  constructor()
  /** Appends JSON. */
  push(part: string): void
}

/** Does the steps of jobs. */
export declare class Worker {
  /** `options` are `WorkerOptions` as JSON. */
  constructor(jobs: Jobs, options: string)
  /** Registers a custom stage under a name. */
  stage(name: string, stage: Stage): void
  /** Works until the context is cancelled. */
  run(cx: Context): Promise<undefined>
}

/**
 * A caption style in full, as JSON: a preset by name, or a preset with changes
 * (`{"like": "pop", ...}`).
 */
export declare function captionStyle(style: string): string

/** The names of the caption presets. */
export declare function captionStyles(): Array<string>

/** Returns an error for a plan that cannot be rendered. */
export declare function checkPlan(plan: Text): Promise<undefined>

/** Runs the command line and returns its exit code. Blocks until it ends. */
export declare function cli(arguments: Array<string>): number

/** Draws source frames of a plan with their crop windows. */
export declare function contactSheet(cx: Context, plan: Text, to: string): Promise<undefined>

/** Options of a context. */
export interface ContextOptions {
  /** The parent folder of scratch space. */
  scratch?: string
  /** In US dollars. */
  maxCost?: number
  /** Threads for one piece of work. */
  threads?: number
  /** How large inputs may be, as JSON. */
  limits?: string
}

/** What of the things that clipkit can use is on this machine, as JSON. */
export declare function doctor(): Promise<string>

/**
 * Applies operations to a plan. Takes the plan and `{ops, transcript, speech}`, returns the plan
 * and what changed.
 */
export declare function edit(plan: Text, input: Text): Promise<Document>

/**
 * Writes plans in a format. Takes `{plans, format, options, to}`, returns the text, or nothing
 * where it went to a file.
 */
export declare function exportPlans(cx: Context, input: Text): Promise<string | null>

/** A frame: RGB bytes, row by row, without padding. Upright, with square pixels. */
export interface Frame {
  /** Its presentation time, in seconds of the source. */
  at: number
  width: number
  height: number
  data: Buffer
}

/** Whether an API is configured, by an `OpenAiServer` as JSON or by the environment. */
export declare function isConfigured(server: string): boolean

/** A model that clipkit knows by name. */
export interface ModelInfo {
  id: string
  about: string
  license: string
  file: string
  url: string
  sha256: string
  /** The size of all its files. */
  bytes: number
}

export declare function models(): Array<ModelInfo>

/** A part of a document. */
export interface Piece {
  /** The number of the array that the elements belong to. `None` for the document itself. */
  array?: number
  /** JSON. */
  text: string
}

/** Writes a preview of a plan: a draft or a sheet of frames. */
export declare function preview(cx: Context, plan: Text, to: string): Promise<undefined>

/** Sets the ONNX Runtime library: its file, or the folder that holds it. */
export declare function setOnnxLibrary(path: string): void

/** Cancels all work of the process, which ends, and waits at most a second for it. */
export declare function shutDown(): boolean
