// Contexts: cancellation, progress, warnings, scratch space.

import * as native from "../native";
import type { Event, Limits, MediaRef, Stage, Usage, Warning, WarningKind } from "./documents";
import { arriving, calling, ClipkitError } from "./errors";

/** The progress of a stage, 0 to 1, for the run or for one clip. */
export type Progress = Extract<Event, { event: "progress" }>;

/** Options of every call that takes time. */
export interface RunOptions {
  /** Cancels the work: it ends within a second and leaves no incomplete file. A promise that is not awaited goes on. */
  signal?: AbortSignal;
  /** Receives all events; progress at most ten times a second. An exception in it ends the run, which rejects with it. */
  onEvent?: (event: Event) => void;
  /** Receives the progress events. */
  onProgress?: (progress: Progress) => void;
}

/** Options of a context. */
export interface ContextOptions extends RunOptions {
  /** The parent folder of scratch space. Default: the first publisher's folder, else the system's folder for temporary files. */
  scratch?: string;
  /** The budget of all work under this context together, in US dollars. */
  maxCost?: number;
  /** How large inputs may be: `"strict"` for services, or changes such as `{ like: "strict", media_secs: 7200 }`. Default: `"default"`. */
  limits?: Limits;
  /** Threads for one piece of work; 0, the default, leaves it to each library. */
  threads?: number;
}

/**
 * What a stage receives besides its input: cancellation, progress, warnings, scratch space, accounts.
 *
 * A stage of yours receives one. Make one to call stages and steps by themselves, or to run several calls under one budget. Files in its scratch
 * space are removed when it is closed or collected as garbage.
 */
export class Context {
  #native: native.Context;
  #listeners: RunOptions;
  #failed: { error: unknown } | undefined;
  #controller: AbortController | undefined;

  constructor(options?: ContextOptions);
  /** @internal */
  constructor(options: ContextOptions, inner: native.Context);
  constructor(options: ContextOptions = {}, inner?: native.Context) {
    const { signal, onEvent, onProgress, scratch, maxCost, threads, limits } = options;
    this.#listeners = options;
    // The native object holds this function, which must therefore not hold the native object.
    const self = new WeakRef(this);
    const listen = (): void => {
      const context = self.deref();
      if (context) context.#listen();
    };
    const wake = onEvent || onProgress ? listen : undefined;
    this.#native =
      inner ?? calling(() => new native.Context({ scratch, maxCost, threads, limits: limits && JSON.stringify(limits) }, wake));
    if (signal?.aborted) this.cancel();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  #abort = (): void => this.cancel();

  /** Cancels everything that runs under this context. */
  cancel(): void {
    this.#native.cancel();
    this.#controller?.abort(this.#reason());
  }

  /** Cancels everything that runs under this context and removes its scratch space. */
  close(): void {
    this.#listeners.signal?.removeEventListener("abort", this.#abort);
    this.#native.close();
  }

  /** Whether it was cancelled. */
  get cancelled(): boolean {
    return this.#native.cancelled;
  }

  /** Throws a `ClipkitError` with code `cancelled` if this context was cancelled. Long loops call it in each iteration. */
  check(): void {
    calling(() => this.#native.check());
  }

  /** Aborted when this context is cancelled: for `fetch` and other calls that take a signal. */
  get signal(): AbortSignal {
    if (!this.#controller) {
      const controller = (this.#controller = new AbortController());
      if (this.cancelled) controller.abort(this.#reason());
      else this.#native.onCancel(() => controller.abort(this.#reason()));
    }
    return this.#controller.signal;
  }

  #reason(): unknown {
    return this.#listeners.signal?.aborted ? this.#listeners.signal.reason : new ClipkitError("cancelled", "cancelled");
  }

  /** The stage that this context was made for. */
  get stage(): Stage | null {
    return (this.#native.stage as Stage | undefined) ?? null;
  }

  /** The clip that this context was made for, from 1 in order of rank. */
  get clip(): number | null {
    return this.#native.clip ?? null;
  }

  /** How many threads one piece of work should use; 0 leaves it to each library. */
  get threads(): number {
    return this.#native.threads;
  }

  /** Reports the progress of this context's stage, 0 to 1. */
  progress(fraction: number): void {
    this.#native.progress(fraction);
  }

  /** Adds a warning to the result and the events. `kind`: default `other`. */
  warn(message: string, kind?: WarningKind): void {
    calling(() => this.#native.warn(message, kind));
  }

  /** The warnings so far. */
  get warnings(): Warning[] {
    return JSON.parse(this.#native.warnings()) as Warning[];
  }

  /** Records the use of a paid service. It is listed in the manifest. */
  spend(usage: Partial<Usage> & { model: string }): void {
    calling(() => this.#native.spend(JSON.stringify(usage)));
  }

  /** The recorded use of paid services. */
  get usage(): Usage[] {
    return JSON.parse(this.#native.usage()) as Usage[];
  }

  /** The rest of the budget, in US dollars; null where there is no budget. */
  get budgetLeft(): number | null {
    return this.#native.budgetLeft ?? null;
  }

  /**
   * Identifies the publication that this context is for: a hash of the clip, the target and the account. A publisher that receives the same key
   * twice publishes once. Null outside of `publish`.
   */
  get idempotencyKey(): string | null {
    return this.#native.idempotencyKey ?? null;
  }

  /**
   * The path of a medium on this machine: where a step under this context found it, else its URI, where that is a path. Throws a `ClipkitError`
   * with code `not_found` where it is neither.
   */
  locate(media: MediaRef): string {
    return calling(() => this.#native.locate(JSON.stringify(media)));
  }

  /** A folder for temporary files. It is removed when the run ends; the folder of a context of your own, when that is closed or collected. */
  get scratch(): string {
    return calling(() => this.#native.scratch());
  }

  /** Waits; rejects at once when this context is cancelled. `reason` is emitted as an event. */
  async sleep(seconds: number, reason?: string): Promise<void> {
    try {
      await this.#native.sleep(seconds, reason);
    } catch (error) {
      throw arriving(error);
    }
  }

  /** Passes new events to the listeners. The first exception in one of them cancels the run. */
  #listen(): void {
    for (const text of this.#native.events()) {
      try {
        const event = JSON.parse(text) as Event;
        this.#listeners.onEvent?.(event);
        if (event.event === "progress") this.#listeners.onProgress?.(event);
      } catch (error) {
        this.#failed ??= { error };
        this.#native.cancel();
      }
    }
  }

  /** Runs `work` under the given context, or under one made for this call. @internal */
  static async run<T>(cx: Context | RunOptions | null | undefined, work: (cx: native.Context) => Promise<T>): Promise<T> {
    const context = cx instanceof Context ? cx : new Context(cx ?? {});
    try {
      return await work(context.#native);
    } catch (thrown) {
      const error = arriving(thrown);
      const { signal } = context.#listeners;
      if (error instanceof ClipkitError && error.code === "cancelled" && error.cause === undefined && signal?.aborted) {
        Object.defineProperty(error, "cause", { value: signal.reason, configurable: true, writable: true });
      }
      throw error;
    } finally {
      context.#listen();
      if (context !== cx) context.#listeners.signal?.removeEventListener("abort", context.#abort);
      if (context.#failed) throw context.#failed.error; // eslint-disable-line no-unsafe-finally
    }
  }
}
