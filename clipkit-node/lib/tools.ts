// Functions that need no pipeline.

import { dirname, resolve } from "node:path";

import * as native from "../native";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling } from "./errors";
import { FileSource, type OpenAiServer } from "./stages";
import { read, snake, write } from "./transfer";

/** Probes a video: streams, duration, a hash of its content. */
export function probe(path: string, options?: RunOptions | Context): Promise<doc.Media> {
  return new FileSource().fetch(options, path);
}

/** What clipkit can use, whether it is on this machine, and what each lack costs. Keys are not shown. */
export async function doctor(): Promise<doc.Diagnosis> {
  return JSON.parse(await native.doctor()) as doc.Diagnosis;
}

/** Draws source frames of a plan with crop windows and detected faces into a `.png` or `.jpg`. */
export async function contactSheet(plan: doc.ClipPlan, to: string, options?: RunOptions | Context): Promise<void> {
  await Context.run(options, async (cx) => native.contactSheet(cx, await write(plan), to));
}

/**
 * Shows what a plan renders to, in a fraction of the time. The ending of `to` decides: `.mp4` is a draft of the clip whose shorter side has 360
 * pixels, `.png` or `.jpg` a sheet of frames, as they are in the source and as they are drawn.
 */
export async function preview(plan: doc.ClipPlan, to: string, options?: RunOptions | Context): Promise<void> {
  await Context.run(options, async (cx) => native.preview(cx, await write(plan), to));
}

/** Validates a plan. Rejects with a `ClipkitError` with code `invalid_plan` that names the wrong field. */
export async function checkPlan(plan: doc.ClipPlan): Promise<void> {
  await Context.run(null, async () => native.checkPlan(await write(plan)));
}

/** An operation on a plan: `{ op: "delete_words", words: { quote: "you know" } }`. Names are as in the documents. */
export interface EditOp {
  op: string;
  [field: string]: unknown;
}

/**
 * Applies operations to a plan. The plan that is given stays as it is. Some operations need the transcript of the
 * source, or its speech map, which `Pipeline.listen` makes.
 */
export async function edit(
  plan: doc.ClipPlan,
  ops: readonly EditOp[],
  sources: { transcript?: doc.Transcript; speech?: doc.SpeechMap } = {},
): Promise<doc.Edited> {
  return Context.run(null, async () => read<doc.Edited>(await native.edit(await write(plan), await write({ ops, ...sources }))));
}

/** A format of `exportPlan`: captions, or timelines that name the source with in and out points. `xmeml` is for Premiere Pro. */
export type ExportFormat = "srt" | "vtt" | "ass" | "txt" | "json" | "otio" | "fcpxml" | "xmeml" | "edl";

/** Options of `exportPlan`. All but `to` are for timelines. */
export interface ExportOptions {
  /** The file to write. It appears complete or not at all. */
  to?: string;
  /** The timeline's name. Default: the title of the first plan. */
  name?: string;
  /** The time code of the first frame; `01:00:00;00` counts in drop frame. Default: `01:00:00:00`. */
  start?: string;
  /** Whether the source is named relative to the folder of `to`, or to the working folder. Default: false. */
  relative?: boolean;
  /** Whether the captions are in it. Default: true. */
  captions?: boolean;
  /** Whether markers for hooks and scenes are in it. Default: true. */
  markers?: boolean;
}

/**
 * Writes a plan for players and editors. Several plans follow each other in one file. Returns the text, or null where
 * it is written to `to`. What a format cannot say is a warning of the context.
 */
export async function exportPlan(
  plans: doc.ClipPlan | readonly doc.ClipPlan[],
  format: ExportFormat,
  { to, relative, ...options }: ExportOptions = {},
  run?: RunOptions | Context,
): Promise<string | null> {
  const all = Array.isArray(plans) ? plans : [plans];
  const folder = relative ? { relative_to: to === undefined ? resolve() : dirname(resolve(to)) } : {};
  return Context.run(run, async (cx) => native.exportPlans(cx, await write({ plans: all, format, options: { ...options, ...folder }, to })));
}

/** A caption style in full: a preset by its name, or a preset with changes (`{ like: "pop", max_words: 2 }`). */
export function captionStyle(style: string | (Partial<doc.CaptionStyle> & { like?: string })): doc.CaptionStyle {
  return JSON.parse(calling(() => native.captionStyle(JSON.stringify(snake(style))))) as doc.CaptionStyle;
}

/** The names of the caption presets. */
export const captionStyles: readonly string[] = native.captionStyles();

/** Whether an API is configured: a key, or another address than OpenAI's, in `server` or in the environment. */
export function isConfigured(server: Omit<OpenAiServer, "apiKey"> = {}): boolean {
  return calling(() => native.isConfigured(JSON.stringify(snake(server))));
}

/** A model that clipkit knows by name. */
export type Model = native.ModelInfo;

/** Finds models on this machine (in `CLIPKIT_MODELS`, then in the user's cache) and downloads missing ones. */
export class ModelStore {
  #native: native.Store;

  /** `cache`: the folder for downloads. Default: the user's cache. */
  constructor(options: { cache?: string } = {}) {
    this.#native = new native.Store(options.cache);
  }

  /** All known models; the default face detector first. */
  static readonly models: readonly Model[] = native.models();

  /** The folder for downloads; null on a machine without a home folder. */
  get cache(): string | null {
    return this.#native.cache ?? null;
  }

  /** The path of a model by its name; null where it is not on this machine. */
  find(id: string): string | null {
    return calling(() => this.#native.find(id)) ?? null;
  }

  /** The folder of a speech model: `speech` in `CLIPKIT_MODELS` or in the cache; null where there is none. */
  findSpeech(): string | null {
    return this.#native.findSpeech() ?? null;
  }

  /** The path of a model by its name or its file's path. A missing model is downloaded. */
  resolve(model: string, options?: RunOptions | Context): Promise<string> {
    return Context.run(options, (cx) => this.#native.resolve(cx, model));
  }
}
