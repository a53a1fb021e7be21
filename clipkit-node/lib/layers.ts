// Layers around stages.

import * as native from "../native";
import type { Context } from "./context";
import { calling } from "./errors";
import { snake } from "./transfer";

/** What a layer of yours calls: the stage, or the next layer inside. */
export type Next<I, O> = (cx: Context, input: I) => Promise<O>;

/** A layer of your own. It may call `next` any number of times. */
export interface CustomLayer<I = any, O = any> {
  call(cx: Context, input: I, next: Next<I, O>): O | Promise<O>;
}

const layers = new WeakMap<BuiltInLayer, native.Layer>();

/** @internal */
export function nativeLayer(layer: BuiltInLayer): native.Layer | undefined {
  return layers.get(layer);
}

/**
 * A built-in layer. The last layer is outermost, and the order matters. From the stage outwards: `Timeout`, `Concurrency`, `RateLimit`, `Retry`,
 * `Cache`. Stages inside the same object share its state: a rate, places, kept answers.
 */
export abstract class BuiltInLayer {
  /** @internal */
  constructor(name: string, options: object) {
    layers.set(this, calling(() => new native.Layer(JSON.stringify({ [name]: snake(options) }))));
  }
}

/** Repeats a call that failed with the recovery `retry`: after 5 s, 10 s ..., or when the server asks. */
export class Retry extends BuiltInLayer {
  /**
   * `attempts`: with the first one; default 3. `first`: the wait after the first attempt, in seconds; default 5. `factor`: the growth of the
   * waits; default 2. `longest`: the longest wait in seconds; default 600; if a longer one is asked for, the error is returned.
   */
  constructor(options: { attempts?: number; first?: number; factor?: number; longest?: number } = {}) {
    super("retry", options);
  }
}

/** Limits the calls that begin in any minute and in any day; others wait. Inside `Retry`, so that each attempt counts. */
export class RateLimit extends BuiltInLayer {
  /** `perMinute`: default 5; null is no limit a minute. `perDay`: default no limit. */
  constructor(options: { perMinute?: number | null; perDay?: number } = {}) {
    super("rate_limit", options);
  }
}

/** Limits the calls that run at a time, in all runs together. */
export class Concurrency extends BuiltInLayer {
  /** `atOnce`: default 1. */
  constructor(options: { atOnce?: number } = {}) {
    super("concurrency", options);
  }
}

/** Cancels a call that takes too long; its error (`timed_out`) may be retried. Next to the stage, so that waiting times do not count. */
export class Timeout extends BuiltInLayer {
  /** `seconds`: for one call; default 600. */
  constructor(options: { seconds?: number } = {}) {
    super("timeout", options);
  }
}

/** Keeps answers, for transcribers, scorers and trackers. Outside all other layers. */
export class Cache extends BuiltInLayer {
  /**
   * `store`: a folder, or an address (`s3://bucket/prefix`, `gs://`, `az://`, `memory:///`); default the user's cache folder. `keep`: seconds;
   * default 7 days. `about`: what the stage's answers depend on besides the input; default the stage's `fingerprint`.
   */
  constructor(options: { store?: string; keep?: number; about?: string } = {}) {
    super("cache", options);
  }
}
