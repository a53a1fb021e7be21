// The service as people use it: a link given in a browser becomes clips, though the worker is killed on the way; on both queues.
// A client that is generated from the API's description works, and the pages hold for assistive technology.
import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createReadStream } from "node:fs";
import { access, mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { createServer as createHttpServer } from "node:http";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, before, test } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";

import axe from "axe-core";
import { chromium } from "playwright-core";

import { draw, transcript } from "../../../clipkit-node/test/support.mjs";
import { freePort, startRedis, stop } from "./servers.mjs";

const run = promisify(execFile);
const require = createRequire(import.meta.url);
const examples = dirname(dirname(fileURLToPath(import.meta.url)));
const command = process.env.CLIPKIT_BIN ?? "clipkit";
const browserPath = process.env.CHROMIUM ?? "/usr/bin/chromium";
const missing = async (path) => access(path).then(() => false, () => `${path} is missing`);
const skip = (await missing(browserPath)) || (command === "clipkit" && "CLIPKIT_BIN names no clipkit command");

let desk, media, receiver, redis, browser;
const children = new Set();
/** What `receiver` got: the id of each delivery. It answers none while `held` is set. */
const delivered = [];
let held = false;

before(async () => {
  if (skip) return;
  desk = await mkdtemp(join(tmpdir(), "clipkit-service-"));
  await draw(join(desk, "talk.mp4"), 36);
  await writeFile(join(desk, "words.json"), JSON.stringify(transcript().words.map(({ text, start, end }) => [text, start, end])));
  media = createHttpServer(serveTalk).listen(0, "127.0.0.1");
  await once(media, "listening");
  receiver = createHttpServer(receive).listen(0, "127.0.0.1");
  await once(receiver, "listening");
  const config = { tracker: { kind: "center" }, scorer: { kind: "heuristic" }, transcriber: { kind: "captions", file: join(desk, "words.json") }, renderer: { kind: "ffmpeg", size: [180, 320] }, publishers: [{ kind: "webhook", url: `http://127.0.0.1:${receiver.address().port}/clips`, allow_private: ["127.0.0.1/32"] }], speech_cache: null, options: { preset: "ultrafast" } };
  await writeFile(join(desk, "config.json"), JSON.stringify(config));
  redis = await startRedis(desk);
  browser = await chromium.launch({ executablePath: browserPath, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
});

after(async () => {
  await browser?.close();
  media?.close();
  receiver?.close();
  for (const child of children) await stop(child, "SIGKILL");
  await redis?.stop();
  if (desk) await rm(desk, { recursive: true, force: true });
});

async function serveTalk(request, response) {
  const { size } = await stat(join(desk, "talk.mp4"));
  const [, from, to] = /bytes=(\d+)-(\d*)/.exec(request.headers.range ?? "") ?? [];
  const [start, end] = [Number(from ?? 0), to ? Number(to) : size - 1];
  const partial = from === undefined ? {} : { "content-range": `bytes ${start}-${end}/${size}` };
  response.writeHead(from === undefined ? 200 : 206, { "content-type": "video/mp4", "content-length": end - start + 1, "accept-ranges": "bytes", etag: '"talk"', ...partial });
  if (request.method === "HEAD") response.end();
  else createReadStream(join(desk, "talk.mp4"), { start, end }).pipe(response);
}

/** Accepts a clip as a webhook does. */
async function receive(request, response) {
  request.on("error", () => {});
  for await (const _ of request);
  delivered.push(request.headers["webhook-id"]);
  if (held) return;
  response.writeHead(200, { "content-type": "application/json" });
  response.end("{}");
}

/** Starts the command in a folder, with a queue. */
function start(folder, queue, ...rest) {
  const environment = { ...process.env, CLIPKIT_WEBHOOK_SECRET: "known to both", XDG_CACHE_HOME: join(folder, "cache"), CLIPKIT_REDIS_URL: queue === "redis" ? `redis://127.0.0.1:${redis.port}` : "" };
  for (const name of ["OPENAI_API_KEY", "OPENAI_BASE_URL", "CLIPKIT_MODELS"]) delete environment[name];
  const child = spawn(command, rest, { cwd: folder, env: environment, stdio: ["ignore", "ignore", "pipe"] });
  child.said = "";
  child.stderr.on("data", (chunk) => (child.said += chunk));
  children.add(child);
  child.on("exit", () => children.delete(child));
  return child;
}

async function serve(queue) {
  const folder = join(desk, `${queue}-${await freePort()}`);
  await mkdir(folder);
  const base = `http://127.0.0.1:${await freePort()}`;
  const prefix = ["--redis-prefix", folder.replace(/.*-/, "at")];
  const service = start(folder, queue, "serve", "--no-worker", "--bind", base.slice(7), "--allow-private", "127.0.0.1/32", "--config", join(desk, "config.json"), ...prefix);
  for (;;) {
    assert.equal(service.exitCode, null, service.said);
    if (await fetch(`${base}/readyz`).then((answer) => answer.ok, () => false)) break;
    await later(50);
  }
  const worker = () => start(folder, queue, "worker", "--lease", "2s", "--rate", "transcribe=0", ...prefix);
  return { base, worker, folder };
}

const later = (ms) => new Promise((done) => setTimeout(done, ms));
const talk = () => `http://127.0.0.1:${media.address().port}/talk.mp4`;

/** What axe finds wrong on a page, in light and dark and on a phone. */
async function accessible(page, name) {
  for (const [colorScheme, width] of [["light", 1280], ["dark", 1280], ["light", 390]]) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    await page.setViewportSize({ width, height: 900 });
    await page.evaluate(axe.source);
    const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
    const found = violations.map((one) => `${one.id}: ${one.nodes.map((node) => node.target.join(" ")).slice(0, 3).join(", ")} (${one.help})`);
    assert.deepEqual(found, [], `${name}, ${colorScheme}, ${width} px`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    assert.ok(wide <= 0, `${name} is ${wide} px wider than ${width} px`);
  }
  await page.setViewportSize({ width: 1280, height: 900 });
}

for (const queue of ["sqlite", "redis"]) {
  test(`a link becomes clips in the browser though its worker is killed (${queue})`, { timeout: 240_000, skip }, async () => {
    const { base, worker } = await serve(queue);
    const page = await browser.newPage();
    const errors = [];
    page.on("pageerror", (error) => errors.push(error.message));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(`${base}/#/new`);
    await accessible(page, "new job");
    await page.getByLabel("Link").fill(talk());
    await page.getByLabel("Shortest").fill("5");
    await page.getByLabel("Longest").fill("14");
    await page.getByRole("button", { name: "Make clips" }).click();
    await page.waitForURL(/#\/jobs\/.+/);
    const id = page.url().split("/").at(-1);

    // The worker is killed while it publishes: the receiver does not answer before that. Another worker goes on when the lease ends.
    [delivered.length, held] = [0, true];
    const doomed = worker();
    const by = Date.now() + 120_000;
    while (!delivered.length && Date.now() < by) await later(20);
    assert.ok(delivered.length, `no clip was published: ${doomed.said}`);
    await page.locator("li.step.busy", { hasText: "Publish" }).waitFor({ timeout: 60_000 });
    doomed.kill("SIGKILL");
    await once(doomed, "exit");
    const [interrupted] = delivered.splice(0);
    held = false;
    const { ended: before } = await (await fetch(`${base}/v1/jobs/${id}`)).json();
    assert.equal(before, null, "the job had ended before its worker was killed");
    const second = worker();
    const ended = page.waitForFunction(() => document.querySelector(".badge.done, .badge.failed"), null, { timeout: 90_000 });
    await ended.catch(async (error) => assert.fail(`${error}: ${await (await fetch(`${base}/v1/jobs/${id}`)).text()} ${second.said}`));
    assert.equal(await page.locator(".badge").first().innerText().then((text) => text.toLowerCase()), "done", second.said);
    const clips = page.locator("article.clip-card");
    assert.ok((await clips.count()) >= 1);
    assert.equal(await page.locator("li.step.done").count(), 6);
    assert.equal(delivered.filter((delivery) => delivery === interrupted).length, 1, `${interrupted} of ${delivered}`);
    await accessible(page, "job");

    // A clip plays.
    const video = clips.first().locator("video");
    const played = await video.evaluate(async (element) => {
      element.muted = true;
      await element.play();
      await new Promise((done) => element.addEventListener("timeupdate", () => element.currentTime > 0.2 && done(null)));
      return [element.videoWidth, element.videoHeight];
    });
    assert.ok(played[1] > played[0], `${played}`);

    // Its title is changed by keyboard, and it is rendered again.
    await clips.first().getByRole("button", { name: "Details" }).focus();
    await page.keyboard.press("Enter");
    await page.locator("dialog[open]").waitFor();
    await accessible(page, "clip");
    await page.locator("#clip-title").fill("Holes that are missing");
    await page.getByRole("button", { name: "Render again" }).click();
    await page.getByRole("heading", { name: "Holes that are missing" }).waitFor({ timeout: 60_000 });
    await page.locator(".badge.done").waitFor({ timeout: 60_000 });

    await page.goto(`${base}/#/queues`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await accessible(page, "queues");
    await page.goto(`${base}/#/`);
    await page.getByRole("heading", { level: 1 }).waitFor();
    await accessible(page, "jobs");
    assert.deepEqual(errors, []);
    second.kill("SIGTERM");
    await once(second, "exit");
    await page.close();
  });
}

const CLIENT = `// @ts-check
import createClient from "openapi-fetch";

/**
 * @param {string} baseUrl
 * @param {string} uri
 */
export async function clipsOf(baseUrl, uri) {
  /** @type {import("openapi-fetch").Client<import("./api.d.ts").paths>} */
  const client = createClient({ baseUrl });
  const submitted = await client.POST("/v1/jobs", { body: { uri, config: { options: { clips: 1, min: 5, max: 14 } } } });
  if (!submitted.data) throw new Error(submitted.error.detail);
  const id = submitted.data.id;
  for (;;) {
    const { data: job } = await client.GET("/v1/jobs/{id}", { params: { path: { id } } });
    if (job?.ended) break;
    await new Promise((later) => setTimeout(later, 200));
  }
  const { data } = await client.GET("/v1/jobs/{id}/clips", { params: { path: { id } } });
  const refused = await client.POST("/v1/jobs", { body: { uri: "file:///etc/passwd" } });
  return { titles: (data?.clips ?? []).map((clip) => clip.title), videos: (data?.clips ?? []).map((clip) => clip.links.video), refused: refused.error?.kind };
}
`;

test("a client that is generated from the description of the API works", { timeout: 240_000, skip: command === "clipkit" && skip }, async () => {
  const { base, worker } = await serve("sqlite");
  // Beside the packages, so that the client finds them.
  const cache = join(examples, "node_modules", ".cache");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "client-"));
  try {
    await writeFile(join(folder, "openapi.json"), await (await fetch(`${base}/v1/openapi.json`)).text());
    // Without the option, what has a default is not optional for this generator.
    await run(process.execPath, [join(dirname(require.resolve("openapi-typescript/package.json")), "bin/cli.js"), join(folder, "openapi.json"), "--default-non-nullable", "false", "-o", join(folder, "api.d.ts")]);
    const check = async (text) => {
      await writeFile(join(folder, "client.mjs"), text);
      const options = ["--noEmit", "--checkJs", "--strict", "--skipLibCheck", "--target", "es2022", "--module", "nodenext", "--types", "node"];
      return run(process.execPath, [require.resolve("typescript/bin/tsc"), ...options, join(folder, "client.mjs")]).then(() => "", (error) => error.stdout);
    };
    const wrong = await check(CLIENT.replace("max: 14", `max: "14"`).replace("clip.title", "clip.name"));
    assert.match(wrong, /'string' is not assignable/);
    assert.match(wrong, /'name' does not exist/);
    assert.equal(await check(CLIENT), "");
    worker();
    const { clipsOf } = await import(pathToFileURL(join(folder, "client.mjs")).href);
    const { titles, videos, refused } = await clipsOf(base, talk());
    assert.ok(titles.length === 1 && titles[0] !== "", `${titles}`);
    assert.equal((await fetch(base + videos[0])).headers.get("content-type"), "video/mp4");
    assert.ok(["config", "denied", "invalid_input"].includes(refused), refused);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
});
