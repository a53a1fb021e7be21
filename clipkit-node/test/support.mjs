// What tests share: small videos, drawn once, and the words that are said in them.
import { execFile } from "node:child_process";
import { createRequire } from "node:module";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { promisify } from "node:util";

export const run = promisify(execFile);
export const require = createRequire(import.meta.url);

const TEXT = `Why would anyone put armour exactly where there are no bullet holes? The engineers looked at the planes that came home, and they
counted every hole. The wings were full of holes, but the engines had almost none. So everybody wanted to protect the wings. Then one man said no,
because these are only the planes that survived. The planes that were hit in the engine never came back. The missing holes were the most important
thing on the page. That is the secret: remember the ones that you cannot see.`;

/** A transcript of about half a minute, or of as many words as are asked for. */
export function transcript(count) {
  const texts = TEXT.split(/\s+/);
  const words = [];
  let at = 0.5;
  for (let n = 0; n < (count ?? texts.length); n++) {
    const text = texts[n % texts.length];
    words.push({ text, start: at, end: Math.round((at + 0.28) * 1000) / 1000 });
    at = Math.round((at + (/[.?!]$/.test(text) ? 0.6 : 0.3)) * 1000) / 1000;
  }
  return { language: "en", origin: "test", words };
}

/** A folder for one test file, with `talk.mp4` (36 s, 320 x 180) and its transcript `talk.words.json` in it. */
export function desk() {
  const place = { path: "", talk: "", words: "" };
  before(async () => {
    place.path = await mkdtemp(join(tmpdir(), "clipkit-node-"));
    place.talk = join(place.path, "talk.mp4");
    place.words = join(place.path, "talk.words.json");
    await draw(place.talk, 36);
    await writeFile(place.words, JSON.stringify(transcript().words.map(({ text, start, end }) => [text, start, end])));
  });
  after(() => rm(place.path, { recursive: true, force: true }));
  return place;
}

/** Draws a video with sound. */
export async function draw(path, seconds, size = "320x180") {
  const video = `testsrc2=s=${size}:r=10:d=${seconds}`;
  const encode = ["-c:v", "libx264", "-preset", "ultrafast", "-pix_fmt", "yuv420p", "-c:a", "aac", path];
  await run("ffmpeg", ["-v", "error", "-y", "-f", "lavfi", "-i", video, "-f", "lavfi", "-i", `sine=r=48000:d=${seconds}`, ...encode]);
}

/** What makes clips fast to make. */
export const SMALL = { tracker: { kind: "center" }, preset: "ultrafast", captions: "none", clips: 1 };

/** A scorer that answers one span. */
export const scorer = (start, end) => ({
  score: async () => [{ start, end, score: 90, title: "Opening", reason: "first words" }],
});

/** Runs a program in a Node of its own; answers what it printed. */
export async function node(program, ...args) {
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", program, ...args], { timeout: 60_000 });
  return stdout;
}
