// What a run is given besides its input.

import * as native from "../native";
import type { Event, Stage, Usage, Warning } from "./documents";
import { arriving, calling, ClipkitError } from "./errors";

/** How far a stage is: 0 to 1, of the run or of the clip of that rank. */
export type Progress = Extract<Event, { event: "progress" }>;

/** What every call that takes a while can be given. */
export interface RunOptions {
  /** Stops the work: it ends within a second, and nothing half made stays. Not awaiting a promise stops nothing. */
  signal?: AbortSignal;
  /** Hears everything that happens. Progress comes at most ten times a second. What it throws ends the run and is thrown there. */
  onEvent?: (event: Event) => void;
  /** Hears how far stages are. */
  onProgress?: (progress: Progress) => void;
}

/** How a context is set up. */
export interface ContextOptions extends RunOptions {
  /** The folder in which scratch space is made. Default: where the clips go, else the system's folder for temporary files. */
  scratch?: string;
  /** The most that all work under this context may cost together, in US dollars. */
  maxCost?: number;
  /** For one piece of work; 0, the default, leaves it to each library. */
  threads?: number;
}

/**
 * What a stage is given besides its input: cancellation, progress, warnings, scratch space, accounts.
 *
 * A stage of yours gets one. Make one yourself to use stages alone, or to have several calls under one budget.
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
    const { signal, onEvent, onProgress, scratch, maxCost, threads } = options;
    this.#listeners = options;
    // The native side holds on to this function, which therefore must not hold on to what holds the native side.
    const self = new WeakRef(this);
    const listen = (): void => {
      const context = self.deref();
      if (context) context.#listen();
    };
    const wake = onEvent || onProgress ? listen : undefined;
    this.#native = inner ?? new native.Context({ scratch, maxCost, threads }, wake);
    if (signal?.aborted) this.cancel();
    else signal?.addEventListener("abort", this.#abort, { once: true });
  }

  #abort = (): void => this.cancel();

  /** Asks everything that runs under this context to stop. */
  cancel(): void {
    this.#native.cancel();
    this.#controller?.abort(this.#reason());
  }

  /** Stops what runs under this context and removes its scratch space: for contexts of your own, when you have what you want. */
  close(): void {
    this.#listeners.signal?.removeEventListener("abort", this.#abort);
    this.#native.close();
  }

  /** Whether someone asked to stop. */
  get cancelled(): boolean {
    return this.#native.cancelled;
  }

  /** Throws a `ClipkitError` with code `cancelled` if someone asked to stop. Long loops call it once a turn. */
  check(): void {
    calling(() => this.#native.check());
  }

  /** Aborted when someone asks to stop: for `fetch` and its kin. */
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

  /** The stage that this context speaks for. */
  get stage(): Stage | null {
    return (this.#native.stage as Stage | undefined) ?? null;
  }

  /** The clip that this context speaks for, from 1 in order of rank. */
  get clip(): number | null {
    return this.#native.clip ?? null;
  }

  /** How many threads one piece of work should use; 0 leaves it to each library. */
  get threads(): number {
    return this.#native.threads;
  }

  /** Says how far this context's stage is, 0 to 1. */
  progress(fraction: number): void {
    this.#native.progress(fraction);
  }

  /** Leaves a warning in the result and the events. */
  warn(message: string): void {
    this.#native.warn(message);
  }

  /** The warnings left so far. */
  get warnings(): Warning[] {
    return JSON.parse(this.#native.warnings()) as Warning[];
  }

  /** Enters what was asked of a paid service. It ends up in the manifest. */
  spend(usage: Partial<Usage> & { model: string }): void {
    calling(() => this.#native.spend(JSON.stringify(usage)));
  }

  /** What was spent so far. */
  get usage(): Usage[] {
    return JSON.parse(this.#native.usage()) as Usage[];
  }

  /** What may still be spent, in US dollars; null where there is no budget. */
  get budgetLeft(): number | null {
    return this.#native.budgetLeft ?? null;
  }

  /** A folder for temporary files, removed when the run ends; that of a context of your own, when that is closed or collected. */
  get scratch(): string {
    return calling(() => this.#native.scratch());
  }

  /** Waits, unless someone asks to stop: then it throws at once. `reason` is told to whoever listens. */
  async sleep(seconds: number, reason?: string): Promise<void> {
    try {
      await this.#native.sleep(seconds, reason);
    } catch (error) {
      throw arriving(error);
    }
  }

  /** Tells the listeners what happened since the last time. The first thing that one throws ends the run. */
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

  /** Works under a context: one that is given, or one made for this call alone. @internal */
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
