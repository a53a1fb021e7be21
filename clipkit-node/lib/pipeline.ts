// Pipelines and their steps.

import * as native from "../native";
import { type Clip, type Manifest, placed } from "./clip";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling, ClipkitError } from "./errors";
import { type Kind, type Likes, METHODS } from "./kinds";
import { handleOf, keeping, owner } from "./stages";
import { read, snake, write } from "./transfer";

/** Options of the clips: how many, how long, which shape. */
export type ClipOptions = Omit<Partial<doc.ClipOptions>, "max_cost" | "at_once"> & {
  /** The budget of a run, in US dollars. */
  maxCost?: number | null;
  /** The most clips in one stage at a time, where that is fewer than `jobs`. */
  atOnce?: Partial<Record<doc.Stage, number>>;
};

/** A publisher: a built-in one, an object of yours, or a configuration. */
export type PublisherOption = Likes["publisher"] | doc.PublisherConfig;

/** The stages: built-in ones, objects of yours, or configurations. An omitted stage has the default of the command. */
export interface StageOptions {
  source?: Likes["source"] | doc.SourceConfig;
  transcriber?: Likes["transcriber"] | doc.TranscriberConfig;
  scorer?: Likes["scorer"] | doc.ScorerConfig;
  tracker?: Likes["tracker"] | doc.TrackerConfig;
  renderer?: Likes["renderer"] | doc.RendererConfig;
  /** One or several: every clip is published to each of them. */
  publisher?: PublisherOption | PublisherOption[];
  /** The same under the name that a configuration uses. */
  publishers?: PublisherOption[];
  /** Layers around each stage, the first one innermost. They are put around given stages, too. */
  layers?: Partial<Record<doc.Stage, doc.LayerConfig[]>>;
}

/** Options of a pipeline. A `PipelineConfig` is one, too. */
export type PipelineOptions = StageOptions & ClipOptions & { options?: ClipOptions | doc.ClipOptions };

/** Options of {@link clip}. */
export type ClipRequest = StageOptions &
  ClipOptions &
  RunOptions & {
    /** The folder for the clips. Default `clips`. */
    out?: string;
    /** The file of an existing transcript. Default: one beside the video or inside it. */
    transcript?: string;
  };

/** An event of {@link Pipeline.events}. The last one is the manifest. */
export type RunEvent = doc.Event | ({ event: "manifest" } & Manifest);

const KINDS = Object.keys(METHODS) as Kind[];

/**
 * Six stages and their options. A pipeline may run many times, also concurrently.
 *
 * `run` makes clips. Each of its steps is a method of its own (`fetch`, `transcribe`, `choose`, `track`, `plan`, `render`, `publish`): it takes and
 * returns documents, so that it can be a job in a queue. A step that fails rejects with its error, unless the option `degrade` allows a stand-in; a
 * run degrades by default where a stage of clipkit's own fails. The error of a stage of yours is the run's error, as the same object.
 */
export class Pipeline {
  #builder: native.PipelineBuilder;
  /** The handles of the user's stages, which the native module calls but does not keep alive. */
  #stages: native.Stage[] = [];
  #built: Promise<native.Pipeline> | undefined;

  constructor(options: PipelineOptions = {}) {
    const config: Record<string, unknown> = {};
    const given: native.Stage[] = [];
    const { layers, options: more, publisher, publishers, ...rest } = options;
    if (publisher !== undefined && publishers !== undefined) throw conflict("publisher", "publishers");
    const clips: Record<string, unknown> = { ...(more as object) };
    for (const [key, value] of Object.entries(rest) as [string, object | undefined][]) {
      const kind = KINDS.find((kind) => kind === key);
      if (value === undefined) continue;
      if (!kind) clips[key] = value;
      else if (isStage(kind, value)) given.push(handleOf(kind, value));
      else config[kind] = value;
    }
    const targets = publishers ?? (publisher === undefined || Array.isArray(publisher) ? publisher : [publisher]);
    if (targets?.length === 0) config.publishers = [];
    for (const target of targets ?? []) {
      given.push(
        isStage("publisher", target)
          ? handleOf("publisher", target)
          : calling(() => native.Stage.publisher(JSON.stringify(snake(target)))),
      );
    }
    const document = snake({ ...config, layers, options: clips });
    this.#builder = calling(() => new native.PipelineBuilder(JSON.stringify(document)));
    for (const handle of given) this.#builder.give(handle);
    this.#stages.push(...given);
  }

  /** Makes clips of the video at a path or an address, and publishes them. */
  async run(input: string, options?: RunOptions | Context): Promise<Manifest> {
    return Context.run(options, async (cx) => {
      const pipeline = await this.#pipeline(cx);
      return placed(await read(await pipeline.run(cx, input)), pipeline.staging);
    });
  }

  /** Plans the clips of a video without rendering them. */
  planAll(input: string, options?: RunOptions | Context): Promise<doc.Planned> {
    return this.#step(options, (pipeline, cx) => pipeline.planAll(cx, input));
  }

  /**
   * Plans a whole video as one clip, without choosing: with captions, tightened, or, with the picture `"reframe"`, in another shape. `"keep"` keeps
   * the source's picture. Render the plan with `render`, or make caption files of it with `exportPlan`.
   */
  planWhole(input: string, picture: "keep" | "reframe" = "keep", options?: RunOptions | Context): Promise<doc.ClipPlan> {
    return this.#step(options, (pipeline, cx) => pipeline.planWhole(cx, input, picture));
  }

  /** Renders and publishes plans: plans with their rank, as `planAll` returns them, or plans alone, ranked by their order. */
  async renderAll(plans: (doc.RankedPlan | doc.ClipPlan)[], options?: RunOptions | Context): Promise<Manifest> {
    const ranked = plans.map((plan, index) => ("rank" in plan ? plan : { rank: index + 1, plan }));
    return Context.run(options, async (cx) => {
      const pipeline = await this.#pipeline(cx);
      return placed(await read(await pipeline.renderAll(cx, await write(ranked))), pipeline.staging);
    });
  }

  /** Step 1: fetches the video at a path or an address to this machine, and probes it. */
  fetch(uri: string, options?: RunOptions | Context): Promise<doc.Media> {
    return this.#step(options, (pipeline, cx) => pipeline.fetch(cx, uri));
  }

  /** Step 2: the words that are said in the video, with their times. */
  transcribe(media: doc.Media, options?: RunOptions | Context): Promise<doc.Transcript> {
    return this.#step(options, async (pipeline, cx) => pipeline.transcribe(cx, await write(media)));
  }

  /** Step 3: the spans that are worth a clip, best first. Rejects with code `nothing_found` where there is none. */
  choose(media: doc.Media, transcript: doc.Transcript, options?: RunOptions | Context): Promise<doc.Candidate[]> {
    return this.#step(options, async (pipeline, cx) => pipeline.choose(cx, await write({ media, transcript })));
  }

  /** Where somebody speaks in the video, and how loud it is, for `edit`. */
  listen(media: doc.Media, options?: RunOptions | Context): Promise<doc.SpeechMap> {
    return this.#step(options, async (pipeline, cx) => pipeline.listen(cx, await write(media)));
  }

  /** Step 4, for each clip: the camera shots and faces in its span. */
  track(media: doc.Media, span: doc.Span, options?: RunOptions | Context): Promise<doc.Tracks> {
    return this.#step(options, async (pipeline, cx) => pipeline.track(cx, await write({ media, span })));
  }

  /** Step 5: the plan of a clip. It calls no stage; the same input gives the same plan. */
  plan(
    media: doc.Media,
    transcript: doc.Transcript,
    candidate: doc.Candidate,
    tracks: doc.Tracks,
    options?: RunOptions | Context,
  ): Promise<doc.ClipPlan> {
    return this.#step(options, async (pipeline, cx) => pipeline.plan(cx, await write({ media, transcript, candidate, tracks })));
  }

  /**
   * Step 6: renders a plan. The files are in the scratch space of `cx` and are removed when `cx` is closed; until then the returned object keeps
   * `cx` alive.
   */
  async render(plan: doc.ClipPlan, cx: Context): Promise<doc.RenderedClip> {
    const rendered = this.#step<doc.RenderedClip>(owner(cx, "render"), async (pipeline, inner) => pipeline.render(inner, await write(plan)));
    return keeping(cx, await rendered);
  }

  /** The same, and makes the post of the clip: the document to edit and publish. `rank` numbers its files. */
  async renderPost(rank: number, plan: doc.ClipPlan, cx: Context): Promise<doc.Post> {
    const post = this.#step<doc.Post>(owner(cx, "renderPost"), async (pipeline, inner) => pipeline.renderPost(inner, await write({ rank, plan })));
    return keeping(cx, await post);
  }

  /** Step 7: publishes a post. A pipeline with several publishers needs `publishTo`. */
  publish(post: doc.Post, options?: RunOptions | Context): Promise<doc.Receipt> {
    return this.#step(options, async (pipeline, cx) => pipeline.publish(cx, await write(post)));
  }

  /** Publishes a post to one of the pipeline's targets. */
  publishTo(target: doc.Target, post: doc.Post, options?: RunOptions | Context): Promise<doc.Receipt> {
    return this.#step(options, async (pipeline, cx) => pipeline.publishTo(cx, await write({ target, post })));
  }

  /** The publishers' targets. */
  targets(options?: RunOptions | Context): Promise<doc.Target[]> {
    return Context.run(options, async (cx) => JSON.parse((await this.#pipeline(cx)).targets()) as doc.Target[]);
  }

  /** Runs, and yields the events; the last one is the manifest. Leaving the loop cancels the run. */
  async *events(input: string, options: RunOptions = {}): AsyncGenerator<RunEvent, void, undefined> {
    const events: RunEvent[] = [];
    let wake = (): void => {};
    let ended = false;
    const cx = new Context({
      ...options,
      onEvent: (event) => {
        options.onEvent?.(event);
        events.push(event);
        wake();
      },
    });
    const run = this.run(input, cx).finally(() => {
      ended = true;
      wake();
    });
    run.catch(() => {}); // It is awaited below, unless the loop is left.
    try {
      while (!ended || events.length > 0) {
        const event = events.shift();
        if (event) yield event;
        else await new Promise<void>((resolve) => (wake = resolve));
      }
      yield { event: "manifest", ...(await run) };
    } finally {
      if (!ended) {
        cx.cancel();
        await run.catch(() => {});
      }
      cx.close();
    }
  }

  /** Calls a step of the native pipeline and parses its answer. */
  #step<T>(options: RunOptions | Context | undefined, call: (pipeline: native.Pipeline, cx: native.Context) => Promise<native.Document>): Promise<T> {
    return Context.run(options, async (cx) => read<T>(await call(await this.#pipeline(cx), cx)));
  }

  /**
   * The native pipeline, built when it is first needed, since a model may have to be loaded. It is built under the first caller's context; if that
   * is cancelled, the next caller builds it again.
   */
  async #pipeline(cx: native.Context): Promise<native.Pipeline> {
    for (;;) {
      const first = this.#built === undefined;
      const built = (this.#built ??= this.#builder.build(cx));
      try {
        return await built;
      } catch (error) {
        if (this.#built === built) this.#built = undefined;
        if (first || cx.cancelled) throw error;
      }
    }
  }
}

function isStage(kind: Kind, value: object): boolean {
  return typeof (value as Record<string, unknown>)[METHODS[kind]] === "function";
}

/**
 * Makes clips of a video: ranked, vertical, captioned.
 *
 * ```js
 * for (const c of await clip("talk.mp4", { out: "clips", clips: 8 })) console.log(c.path, c.score.total, c.title);
 * ```
 */
export async function clip(input: string, request: ClipRequest = {}): Promise<Clip[]> {
  const { out, transcript, signal, onEvent, onProgress, ...options } = request;
  if (out !== undefined && (options.publisher ?? options.publishers)) throw conflict("out", "publisher");
  if (transcript !== undefined && options.transcriber) throw conflict("transcript", "transcriber");
  const pipeline = new Pipeline({
    ...options,
    ...(options.publishers === undefined && { publisher: options.publisher ?? { kind: "folder", path: out ?? "clips" } }),
    transcriber: options.transcriber ?? (transcript === undefined ? undefined : { kind: "captions", file: transcript }),
  });
  return (await pipeline.run(input, { signal, onEvent, onProgress })).clips;
}

function conflict(one: string, other: string): ClipkitError {
  return new ClipkitError("config", `both ${one} and ${other} are given: give one of them`);
}
