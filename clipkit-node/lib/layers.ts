// What goes around stages.

import * as native from "../native";
import type { Context } from "./context";
import { calling } from "./errors";
import { snake } from "./transfer";

/** What stands inside a layer of yours: the stage, or the next layer. */
export type Next<I, O> = (cx: Context, input: I) => Promise<O>;

/** A layer of your own: it answers a call with the help of what stands inside, called as often as it likes. */
export interface CustomLayer<I = any, O = any> {
  call(cx: Context, input: I, next: Next<I, O>): O | Promise<O>;
}

const layers = new WeakMap<BuiltInLayer, native.Layer>();

/** @internal */
export function nativeLayer(layer: BuiltInLayer): native.Layer | undefined {
  return layers.get(layer);
}

/**
 * A layer that comes with clipkit. It goes around what stands before it, so the last one is outermost; the order matters. From the stage
 * outwards: `Timeout`, `Concurrency`, `RateLimit`, `Retry`, `Cache`. Stages that are given the same object share what it counts and keeps.
 */
export abstract class BuiltInLayer {
  /** @internal */
  constructor(name: string, options: object) {
    layers.set(this, calling(() => new native.Layer(JSON.stringify({ [name]: snake(options) }))));
  }
}

/** Calls again what failed, where the error's `recovery` says that this may help: after 5 s, 10 s, ..., or as the other side asks. */
export class Retry extends BuiltInLayer {
  /**
   * `attempts`: the first included; default 3. `first`: the wait after it, in seconds; default 5. `factor`: how many times longer each wait
   * is; default 2. `longest`: the longest wait in seconds, default 600; where a longer one is asked for, the error is passed on.
   */
  constructor(options: { attempts?: number; first?: number; factor?: number; longest?: number } = {}) {
    super("retry", options);
  }
}

/** Lets so many calls begin in any minute, in any day; the others wait their turn. Inside `Retry`, so that each attempt counts. */
export class RateLimit extends BuiltInLayer {
  /** `perMinute`: default 5; null counts days alone. `perDay`: default no limit. */
  constructor(options: { perMinute?: number | null; perDay?: number } = {}) {
    super("rate_limit", options);
  }
}

/** Lets so many calls run at a time, in all runs together. */
export class Concurrency extends BuiltInLayer {
  /** `atOnce`: default 1. */
  constructor(options: { atOnce?: number } = {}) {
    super("concurrency", options);
  }
}

/** Cancels what takes too long; the error (`timed_out`) may be retried. Next to the stage, so that no wait counts. */
export class Timeout extends BuiltInLayer {
  /** `seconds`: for one call; default 600. */
  constructor(options: { seconds?: number } = {}) {
    super("timeout", options);
  }
}

/** Does the same work once: for transcribers, scorers and trackers. Outside all other layers. */
export class Cache extends BuiltInLayer {
  /**
   * `store`: a folder, or an address (`s3://bucket/prefix`, `gs://`, `az://`, `memory:///`); default the user's cache folder. `keep`: seconds;
   * default 7 days. `about`: what decides the stage's answers besides its input, in place of what it says itself (`fingerprint`).
   */
  constructor(options: { store?: string; keep?: number; about?: string } = {}) {
    super("cache", options);
  }
}
