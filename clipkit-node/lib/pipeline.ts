// The stages, put together: from a video to clips.

import * as native from "../native";
import { type Clip, type Manifest, placed } from "./clip";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling, ClipkitError } from "./errors";
import { type Kind, type Likes, METHODS } from "./kinds";
import { handleOf } from "./stages";
import { read, snake, write } from "./transfer";

/** What clips are made, and how many. */
export type ClipOptions = Omit<Partial<doc.ClipOptions>, "max_cost" | "at_once"> & {
  /** The most that a run may cost, in US dollars. */
  maxCost?: number | null;
  /** How many clips may be in one stage at a time, where that is fewer than `jobs`. */
  atOnce?: Partial<Record<doc.Stage, number>>;
};

/** The stages: built-in ones, objects of yours, or configurations as in a pipeline's document. What is left out is chosen as the command does. */
export interface StageOptions {
  source?: Likes["source"] | doc.SourceConfig;
  transcriber?: Likes["transcriber"] | doc.TranscriberConfig;
  scorer?: Likes["scorer"] | doc.ScorerConfig;
  tracker?: Likes["tracker"] | doc.TrackerConfig;
  renderer?: Likes["renderer"] | doc.RendererConfig;
  publisher?: Likes["publisher"] | doc.PublisherConfig;
  /** What goes around each stage, the first of a list next to it. */
  layers?: Partial<Record<doc.Stage, doc.LayerConfig[]>>;
}

/** What a pipeline is made of. A pipeline's document (`PipelineConfig`) is one, too. */
export type PipelineOptions = StageOptions & ClipOptions & { options?: ClipOptions | doc.ClipOptions };

/** What {@link clip} is given. */
export type ClipRequest = StageOptions &
  ClipOptions &
  RunOptions & {
    /** The folder for the clips. Default `clips`. */
    out?: string;
    /** The file of a transcript that exists already. Default: the one beside the video or inside it. */
    transcript?: string;
  };

/** What {@link Pipeline.events} tells: what happens, and last what was made. */
export type RunEvent = doc.Event | ({ event: "manifest" } & Manifest);

const KINDS = Object.keys(METHODS) as Kind[];

/** Six stages and what is asked of them. One pipeline may run many times, also at once. */
export class Pipeline {
  #builder: native.PipelineBuilder;
  /** Stages of the user's, which the native side calls but does not keep. */
  #stages: native.Stage[] = [];
  #built: Promise<native.Pipeline> | undefined;

  constructor(options: PipelineOptions = {}) {
    const config: Record<string, unknown> = {};
    const given: [Kind, object][] = [];
    const { layers, options: more, ...rest } = options;
    const clips: Record<string, unknown> = { ...(more as object) };
    for (const [key, value] of Object.entries(rest) as [string, object | undefined][]) {
      const kind = KINDS.find((kind) => kind === key);
      if (value === undefined) continue;
      if (!kind) clips[key] = value;
      else if (isStage(kind, value)) given.push([kind, value]);
      else config[kind] = value;
    }
    const document = snake({ ...config, layers, options: clips });
    this.#builder = calling(() => new native.PipelineBuilder(JSON.stringify(document)));
    for (const [kind, stage] of given) {
      const handle = handleOf(kind, stage);
      this.#builder.give(handle);
      this.#stages.push(handle);
    }
  }

  /** Makes clips of the video at `input`, which the source understands, and hands them to the publisher. */
  async run(input: string, options?: RunOptions | Context): Promise<Manifest> {
    return Context.run(options, async (cx) => {
      const pipeline = await this.#pipeline(cx);
      return placed(await read(await pipeline.run(cx, input)), pipeline.staging);
    });
  }

  /** Plans clips and makes none. */
  async plan(input: string, options?: RunOptions | Context): Promise<doc.Planned> {
    return Context.run(options, async (cx) => read<doc.Planned>(await (await this.#pipeline(cx)).plan(cx, input)));
  }

  /** Makes the clips that plans describe: plans with their rank, as `plan` answers them, or plans alone, ranked as they come. */
  async render(plans: (doc.RankedPlan | doc.ClipPlan)[], options?: RunOptions | Context): Promise<Manifest> {
    const ranked = plans.map((plan, index) => ("rank" in plan ? plan : { rank: index + 1, plan }));
    return Context.run(options, async (cx) => {
      const pipeline = await this.#pipeline(cx);
      return placed(await read(await pipeline.render(cx, await write(ranked))), pipeline.staging);
    });
  }

  /** Runs, and tells what happens as it does; the last event is the manifest. Leaving the loop stops the run. */
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

  /** The native pipeline, made when first needed: a model may have to be found. Whoever needs it first can stop that; others then try anew. */
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
  if (out !== undefined && options.publisher) throw conflict("out", "publisher");
  if (transcript !== undefined && options.transcriber) throw conflict("transcript", "transcriber");
  const pipeline = new Pipeline({
    ...options,
    publisher: options.publisher ?? { kind: "folder", path: out ?? "clips" },
    transcriber: options.transcriber ?? (transcript === undefined ? undefined : { kind: "captions", file: transcript }),
  });
  return (await pipeline.run(input, { signal, onEvent, onProgress })).clips;
}

function conflict(one: string, other: string): ClipkitError {
  return new ClipkitError("config", `both ${one} and ${other} are given: give one of them`);
}
