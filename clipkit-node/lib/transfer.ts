// Conversion of documents between Rust and JavaScript in pieces, so that long transcripts do not block the event loop.

import * as native from "../native";

/** The longest time that one piece of work may block the event loop, in milliseconds. */
const TURN = 2;
/** Arrays longer than this are written in slices of this length. */
const SLICE = 256;

/** Yields to the event loop after `TURN` milliseconds. */
class Turns {
  #until = performance.now() + TURN;

  get over(): boolean {
    return performance.now() >= this.#until;
  }

  async next(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve));
    this.#until = performance.now() + TURN;
  }
}

/** Reads a document of the native module. */
export async function read<T>(document: native.Document): Promise<T> {
  const turns = new Turns();
  const skeleton = document.next();
  const arrays: unknown[][] = [];
  for (let piece = document.next(); piece; piece = document.next()) {
    if (turns.over) await turns.next();
    const array = (arrays[piece.array ?? 0] ??= []);
    for (const element of JSON.parse(piece.text) as unknown[]) array.push(element);
  }
  const text = skeleton?.text ?? "null";
  if (arrays.length === 0) return JSON.parse(text) as T;
  return JSON.parse(text, (_, value: unknown) => {
    const number = typeof value === "object" && value !== null ? (value as { $array?: number }).$array : undefined;
    return number === undefined ? value : arrays[number];
  }) as T;
}

/** Writes a document for the native module. */
export async function write(value: unknown): Promise<native.Text> {
  const text = new native.Text();
  const turns = new Turns();
  for (const part of parts(value)) {
    if (turns.over) await turns.next();
    text.push(part);
  }
  return text;
}

/** The JSON of a value in short parts: as `JSON.stringify` writes it, with long arrays in slices. */
function* parts(value: unknown): Generator<string> {
  if (!holdsMuch(value)) {
    yield JSON.stringify(value) ?? "null";
  } else if (Array.isArray(value)) {
    yield "[";
    if (value.length > SLICE) {
      for (let from = 0; from < value.length; from += SLICE) {
        yield (from > 0 ? "," : "") + JSON.stringify(value.slice(from, from + SLICE)).slice(1, -1);
      }
    } else {
      for (const [index, element] of value.entries()) {
        if (index > 0) yield ",";
        yield* parts(element);
      }
    }
    yield "]";
  } else {
    let between = "{";
    for (const [key, field] of Object.entries(value as object)) {
      if (field === undefined || typeof field === "function" || typeof field === "symbol") continue;
      yield `${between}${JSON.stringify(key)}:`;
      yield* parts(field);
      between = ",";
    }
    yield between === "{" ? "{}" : "}";
  }
}

/** Whether a value contains a long array, up to a nesting depth of `depth`. */
function holdsMuch(value: unknown, depth = 4): boolean {
  if (typeof value !== "object" || value === null || depth === 0 || "toJSON" in value) return false;
  if (Array.isArray(value)) return value.length > SLICE || value.some((element) => holdsMuch(element, depth - 1));
  return Object.values(value).some((field) => holdsMuch(field, depth - 1));
}

/** Options with the names that the native module reads: `maxCost` -> `max_cost`, at every depth. */
export function snake(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snake);
  if (typeof value !== "object" || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(
    Object.entries(value).map(([key, field]) => [key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`), snake(field)]),
  );
}
