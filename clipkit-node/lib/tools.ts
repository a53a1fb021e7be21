// What needs no pipeline.

import * as native from "../native";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling } from "./errors";
import { FileSource, type OpenAiServer } from "./stages";
import { snake, write } from "./transfer";

/** What is in a video: streams, duration, the identity of its bytes. */
export function probe(path: string, options?: RunOptions | Context): Promise<doc.Media> {
  return new FileSource().fetch(options, path);
}

/** Draws source frames of a plan with the windows that are shown and the faces that were seen, into a `.png` or `.jpg`. */
export async function contactSheet(plan: doc.ClipPlan, to: string, options?: RunOptions | Context): Promise<void> {
  await Context.run(options, async (cx) => native.contactSheet(cx, await write(plan), to));
}

/** Throws a `ClipkitError` with code `invalid_plan` that says what is wrong with a plan, where something is. */
export async function checkPlan(plan: doc.ClipPlan): Promise<void> {
  await Context.run(null, async () => native.checkPlan(await write(plan)));
}

/** A caption style in full: a preset by its name, or what is different from one (`{ like: "pop", max_words: 2 }`). */
export function captionStyle(style: string | (Partial<doc.CaptionStyle> & { like?: string })): doc.CaptionStyle {
  return JSON.parse(calling(() => native.captionStyle(JSON.stringify(snake(style))))) as doc.CaptionStyle;
}

/** The names of the caption presets. */
export const captionStyles: readonly string[] = native.captionStyles();

/** Whether an API is set up: a key, or another address than OpenAI's, given or in the environment. */
export function isConfigured(server: Omit<OpenAiServer, "apiKey"> = {}): boolean {
  return calling(() => native.isConfigured(JSON.stringify(snake(server))));
}

/** A model that clipkit knows how to use. */
export type Model = native.ModelInfo;

/** Finds models on this machine (in `CLIPKIT_MODELS`, then in the user's cache), and downloads those that are missing. */
export class ModelStore {
  #native: native.Store;

  /** `cache`: the folder of downloads, in place of the user's cache. */
  constructor(options: { cache?: string } = {}) {
    this.#native = new native.Store(options.cache);
  }

  /** All models that are known by name; the default face detector first. */
  static readonly models: readonly Model[] = native.models();

  /** Where downloads go; null on a machine without a home folder. */
  get cache(): string | null {
    return this.#native.cache ?? null;
  }

  /** Where a model that is known by name is on this machine, if it is. */
  find(id: string): string | null {
    return calling(() => this.#native.find(id)) ?? null;
  }

  /** The folder of a speech model, if there is one: `speech` in `CLIPKIT_MODELS` or in the cache. */
  findSpeech(): string | null {
    return this.#native.findSpeech() ?? null;
  }

  /** The path of a model by name or by its file's path, after a download if it is missing. */
  resolve(model: string, options?: RunOptions | Context): Promise<string> {
    return Context.run(options, (cx) => this.#native.resolve(cx, model));
  }
}
