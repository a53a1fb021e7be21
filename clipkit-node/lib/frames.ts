// Decoded frames of a video, for trackers of your own.

import * as native from "../native";
import { Context, type RunOptions } from "./context";
import type * as doc from "./documents";
import { calling } from "./errors";
import { snake, write } from "./transfer";

/** A frame as a player shows it: upright, with square pixels. */
export interface Frame {
  /** Its presentation time, in seconds of the source. */
  at: number;
  width: number;
  height: number;
  /** Red, green and blue of each pixel, row by row from the top left, without padding: `3 * width * height` bytes. */
  data: Buffer;
}

/** Which frames, and their size. */
export interface FrameOptions {
  /** The most frames a second. Default: every frame. */
  perSecond?: number;
  /** The longer side in pixels. Default, and the most: the video's. */
  longest?: number;
}

/**
 * The frames of a span, in order. They are decoded on another thread, two ahead; leaving the loop stops it.
 *
 * ```js
 * for await (const { at, width, height, data } of frames(cx, media, span, { perSecond: 5, longest: 320 })) { ... }
 * ```
 */
export async function* frames(
  cx: Context | RunOptions | null | undefined,
  media: doc.Media,
  span: doc.Span,
  options: FrameOptions = {},
): AsyncGenerator<Frame, void, undefined> {
  const context = cx instanceof Context ? cx : new Context(cx ?? {});
  const wanted = await write({ media, span, options: snake(options) });
  const decoded = await Context.run(context, async (inner) => calling(() => new native.Frames(inner, wanted)));
  try {
    for (;;) {
      const frame = await Context.run(context, () => decoded.next());
      if (!frame) return;
      yield frame;
    }
  } finally {
    decoded.close();
  }
}
