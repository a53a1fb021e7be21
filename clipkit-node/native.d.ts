// Made by scripts/native.mjs from src/. The package's own types are in index.d.ts.
/** One call to a stage in JavaScript, to be answered by `resolve` or `reject`. */
export declare class Call {
  /** The name of the method to call. */
  get method(): string
  /** The context; once. */
  context(): Context | null
  /** What the method is given; once. */
  input(): Document | null
  resolve(answer: Text): void
  reject(what: string): void
}

/** clipkit's context. JavaScript makes one for a run, or is given the one that a stage of its own runs under. */
export declare class Context {
  /** `wake` is called when there are events to take, and not again until they were taken. */
  constructor(options: ContextOptions, wake?: () => void)
  /** The events since the last call, as JSON. */
  events(): Array<string>
  cancel(): void
  /** Stops what runs under it and removes its scratch space. */
  close(): void
  get cancelled(): boolean
  check(): void
  /**
   * Calls `then` once if someone asks to stop before the call ends that this context was made for. A context that JavaScript made is
   * cancelled by JavaScript alone, which need not be told.
   */
  onCancel(then: () => void): void
  get stage(): string | null
  get clip(): number | null
  get threads(): number
  progress(fraction: number): void
  warn(message: string): void
  /** As JSON. */
  warnings(): string
  spend(usage: string): void
  /** As JSON. */
  usage(): string
  get budgetLeft(): number | null
  /** Makes the folder when first asked for. */
  scratch(): string
  /** Waits, unless someone asks to stop; says why to whoever listens where a reason is given. */
  sleep(seconds: number, reason?: string | undefined | null): Promise<undefined>
}

/** A document for JavaScript: first the text without its long arrays, each replaced by `{"$array": n}`, then those arrays in pieces. */
export declare class Document {
  /** The next piece; none after the last. */
  next(): Piece | null
}

/** The pictures of a stretch of video, in order. A thread of their own decodes them; it ends with this object. */
export declare class Frames {
  /** From `{media, span, options}`. */
  constructor(cx: Context, wanted: Text)
  /** The next picture; none after the last. */
  next(): Promise<Frame | undefined | null>
  /** Ends the decoding. */
  close(): void
}

/** What JavaScript threw, kept there under numbers while it travels here. */
export declare class HostErrors {
  constructor()
  /** The numbers that need not be kept any longer. */
  forgotten(): Array<number>
}

/** A layer. Stages that are given the same one share what it counts and keeps. */
export declare class Layer {
  /** From `{"retry": {...}}` and its kin. */
  constructor(config: string)
}

/** A pipeline. */
export declare class Pipeline {
  /** The folder that the names in a manifest are relative to. */
  get staging(): string | null
  /** Answers a manifest. */
  run(cx: Context, input: string): Promise<Document>
  /** Answers what is planned. */
  plan(cx: Context, input: string): Promise<Document>
  /** Takes plans with their ranks, answers a manifest. */
  render(cx: Context, plans: Text): Promise<Document>
}

/** A pipeline to be: its document, and the stages that were given in place of those that it describes. */
export declare class PipelineBuilder {
  /** From a pipeline's document; unknown fields are refused. */
  constructor(config: string)
  /** Takes a stage in place of the one that the document describes. */
  give(stage: Stage): void
  /** The stage of one kind that the document describes. */
  stage(cx: Context, kind: string): Promise<Stage>
  /** The pipeline. A model may be downloaded, if the document asks for one. */
  build(cx: Context): Promise<Pipeline>
}

/** A stage, built in or written in JavaScript, with what stands around it. */
export declare class Stage {
  /** A built-in stage by the name of its class, with its options as JSON. */
  static builtin(name: string, options: string): Stage
  /** A face detector: a model's name or the path of its file. It is downloaded if it is missing. */
  static loadOnnx(cx: Context, model: string, options: string): Promise<Stage>
  /** A speech model by its folder. */
  static loadSpeech(cx: Context, folder: string): Promise<Stage>
  /** A stage in JavaScript. `facts` is what it says of itself, as JSON. */
  static host(kind: string, dispatch: (call: Call) => void, errors: HostErrors, facts: string): Stage
  /** `source`, `transcriber` ... */
  get kind(): string
  /** What decides its answers besides the input; none where that cannot be said, or where no cache asks. */
  get fingerprint(): string | null
  /** Columns and rows that a renderer was set up for. */
  get size(): Array<number> | null
  /** The folder on whose file system a publisher wants clips to be rendered. */
  get staging(): string | null
  /** This stage inside a layer. */
  layer(layer: Layer): Stage
  /** This stage, and another where it fails. */
  or(other: Stage): Stage
  /** Calls the stage's one method. */
  call(cx: Context, input: Text): Promise<Document>
  /** Tells a publisher what a run made. */
  conclude(cx: Context, manifest: Text): Promise<undefined>
}

/** Where models are kept. */
export declare class Store {
  /** `cache` is the folder of downloads. */
  constructor(cache?: string | undefined | null)
  get cache(): string | null
  /** The path of a model that is known by name, if it is on this machine. */
  find(id: string): string | null
  findSpeech(): string | null
  /** The path of a model by name or by its file's path, after a download if it is missing. */
  resolve(cx: Context, model: string): Promise<string>
}

/** A document from JavaScript, put together from parts. */
export declare class Text {
  constructor()
  /** Appends JSON. */
  push(part: string): void
}

/** A caption style as JSON: a preset by name, or what `{"like": ..., ...}` makes of one. */
export declare function captionStyle(style: string): string

/** The names of the caption presets. */
export declare function captionStyles(): Array<string>

/** Refuses a plan that cannot be rendered. */
export declare function checkPlan(plan: Text): Promise<undefined>

/** The command line. Blocks until it is done and answers the exit code. */
export declare function cli(arguments: Array<string>): number

/** Draws a plan's pictures with what is shown of them. */
export declare function contactSheet(cx: Context, plan: Text, to: string): Promise<undefined>

/** How a context is set up. */
export interface ContextOptions {
  /** The folder that scratch space is made in. */
  scratch?: string
  /** In US dollars. */
  maxCost?: number
  /** For one piece of work. */
  threads?: number
}

/** A picture: red, green, blue, row by row, without padding. Upright, with square pixels. */
export interface Frame {
  /** When it shows, in seconds of the source. */
  at: number
  width: number
  height: number
  data: Buffer
}

/** Whether an API is set up, by the environment or by what is given (JSON). */
export declare function isConfigured(server: string): boolean

/** A model that is known by name. */
export interface ModelInfo {
  id: string
  about: string
  license: string
  file: string
  url: string
  sha256: string
  /** The length of all its files. */
  bytes: number
}

export declare function models(): Array<ModelInfo>

/** A part of a document. */
export interface Piece {
  /** The array that the text's elements belong to; none for the document itself. */
  array?: number
  /** JSON. */
  text: string
}

/** Sets the ONNX Runtime library: its file, or the folder that holds it. */
export declare function setOnnxLibrary(path: string): void
