// Errors on their way between the two languages.

import * as native from "../native";
import type { ErrorKind, Stage } from "./documents";

/** What to do next about an error. */
export interface Recovery {
  /** The same call may work again; new credentials, other encoder settings or time may help; or nothing will. */
  action: "retry" | "refresh_credentials" | "reencode" | "wait_until" | "give_up";
  /** For `retry`: how long the other side asked to wait, in seconds. */
  after?: number;
  /** For `wait_until`: the moment, in seconds since 1970. */
  until?: number;
}

/** What is known of an error besides its code and message. */
export interface ErrorDetails {
  stage?: Stage | null;
  recovery?: Recovery;
  path?: string | null;
  at?: number | null;
  url?: string | null;
  advice?: string | null;
  cause?: unknown;
}

/**
 * The one error of this package. What a stage of yours throws is not wrapped: it comes back as it is.
 *
 * A stage of yours may throw one, to say what went wrong (`code`) and whether trying again may help (`recovery`): layers such as `Retry` heed it.
 */
export class ClipkitError extends Error {
  override readonly name = "ClipkitError";
  /** What went wrong, as a class to branch on. */
  readonly code: ErrorKind;
  /** The stage that failed, where one did. */
  readonly stage: Stage | null;
  /** What to do next. */
  readonly recovery: Recovery;
  /** The file concerned. */
  readonly path: string | null;
  /** The moment in the file concerned, in seconds. */
  readonly at: number | null;
  /** The address concerned, without its secrets. */
  readonly url: string | null;
  /** What a person can do, where that is known. The message ends with it. */
  readonly advice: string | null;

  constructor(code: ErrorKind, message: string, details: ErrorDetails = {}) {
    super(message, details.cause == null ? undefined : { cause: details.cause });
    this.code = code;
    this.stage = details.stage ?? null;
    this.recovery = details.recovery ?? { action: "give_up" };
    this.path = details.path ?? null;
    this.at = details.at ?? null;
    this.url = details.url ?? null;
    this.advice = details.advice ?? null;
  }
}

/** As `error.rs` describes an error. */
interface Described extends ErrorDetails {
  thrown?: number;
  code: ErrorKind;
  message: string;
  cause?: Described | { message: string } | null;
}

/** What stages threw, under the numbers that they travel by. */
const travelling = new Map<number, unknown>();
let last = 0;

/** The native side of `travelling`: it says which numbers came to an end. */
export const hostErrors = new native.HostErrors();

/** Keeps something that was thrown and says of it what the native side needs to know. */
export function departing(error: unknown): string {
  for (const id of hostErrors.forgotten()) travelling.delete(id);
  last = (last + 1) % 0x1_0000_0000;
  travelling.set(last, error);
  const { stage, recovery } = (error ?? {}) as { stage?: unknown; recovery?: unknown };
  const ours = error instanceof ClipkitError;
  return JSON.stringify({
    id: last,
    message: error instanceof Error ? (ours ? error.message : String(error)) : `a stage threw ${String(error)}`,
    code: ours ? error.code : undefined,
    stage: ours ? stage : undefined,
    recovery: isRecovery(recovery) ? recovery : undefined,
  });
}

function isRecovery(value: unknown): value is Recovery {
  return typeof value === "object" && value !== null && typeof (value as Recovery).action === "string";
}

/** The exception for one of the native module: what a stage threw, or a `ClipkitError`. Others are passed on. */
export function arriving(error: unknown): unknown {
  if (!(error instanceof Error) || !error.message.startsWith("{")) return error;
  try {
    return decoded(JSON.parse(error.message) as Described);
  } catch {
    return error;
  }
}

function decoded(described: Described): unknown {
  if (described.thrown !== undefined && travelling.has(described.thrown)) return travelling.get(described.thrown);
  const { code, message, cause, ...details } = described;
  return new ClipkitError(code, message, { ...details, cause: cause && ("code" in cause ? decoded(cause) : new Error(cause.message)) });
}

/** Calls the native module and throws its errors as ours. */
export function calling<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw arriving(error);
  }
}
