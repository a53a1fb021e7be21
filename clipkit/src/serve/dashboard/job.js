// A job: how far it is, its clips, what went wrong.

import { follow, get, post, remove } from "./api.js";
import { ago, badge, bar, capital, clock, fill, h, hostOf, icon, nameOf, span, toast } from "./dom.js";
import { openClip } from "./clip.js";

const STEPS = [["fetch", "Fetch", "source"], ["transcribe", "Transcribe", "transcribe"], ["score", "Choose", "score"], ["track", "Frame", "track"], ["render", "Render", "render"], ["publish", "Publish", "publish"]];
const LOG = 200;

export function jobPage(root, id) {
  let job = null;
  let clips = [];
  let stopped = false;
  let stopEvents = null;
  let refresh = null;
  let last = 0;
  // The latest fraction of each stage and clip.
  const live = new Map();
  const notes = [];
  const cards = new Map();
  const head = h("div.job-head");
  const steps = h("ol.steps", { "aria-label": "Progress" });
  const trouble = h("div");
  const grid = h("div.clips");
  const log = h("details.card.log", { hidden: true });
  fill(root, h("a.back", { href: "#/" }, icon("back"), "Jobs"), head, steps, trouble, grid, log);

  async function load() {
    clearTimeout(refresh);
    try {
      const [now, made] = await Promise.all([get(`/v1/jobs/${id}`), get(`/v1/jobs/${id}/clips`)]);
      if (stopped) return;
      [job, clips] = [now, made.clips];
      draw();
      if (!stopEvents && !isOver()) listen();
    } catch (error) {
      if (stopped || error.status === 401) return;
      if (!job) fill(root, h("a.back", { href: "#/" }, icon("back"), "Jobs"), h("div.empty.error", icon("warn"), h("p", error.status === 404 ? "There is no such job." : error.text)));
      else soon(3000);
    }
  }

  function soon(wait = 400) {
    clearTimeout(refresh);
    refresh = setTimeout(load, wait);
  }

  const isOver = () => ["done", "failed", "cancelled"].includes(job?.state);

  function listen() {
    stopEvents = follow(id, last, onEvent, () => {
      stopEvents = null;
      soon(100);
    });
  }

  function onEvent(event) {
    last = Math.max(last, event.number);
    const key = `${event.stage}:${event.clip ?? ""}`;
    if (event.event === "progress") live.set(key, event.fraction);
    else if (event.event === "started") live.set(key, 0);
    else if (event.event === "finished") live.set(key, 1);
    else note(event);
    if (event.event !== "progress") soon();
    drawSteps();
    drawLive();
  }

  function note(event) {
    const about = event.clip ? `Clip ${event.clip}: ` : "";
    if (event.event === "warning") notes.push(["warning", event.at, about + event.message]);
    else if (event.event === "failed") notes.push([event.again ? "warning" : "bad", event.at, `${about}${event.task} failed (attempt ${event.attempt}${event.again ? ", it is tried again" : ""}): ${event.error?.message ?? ""}`]);
    else if (event.event === "planned") notes.push(["info", event.at, `${event.clips} clips are planned`]);
    else if (event.event === "clip") notes.push(["good", event.at, `Ready: ${event.title}`]);
    else if (event.event === "ended") notes.push(["info", event.at, `The job ended: ${event.state}`]);
    else return;
    notes.splice(0, notes.length - LOG);
    drawLog();
  }

  function draw() {
    drawHead();
    drawSteps();
    drawTrouble();
    drawClips();
  }

  function drawHead() {
    const actions = [];
    if (!isOver()) actions.push(h("button.button", { type: "button", onclick: () => act(() => remove(`/v1/jobs/${id}`), "Cancelled") }, icon("close"), "Cancel"));
    if (job.state === "failed" || job.state === "cancelled" || clips.some((clip) => clip.state === "failed")) actions.push(h("button.button", { type: "button", onclick: () => act(() => post(`/v1/jobs/${id}/retry`), "It runs again") }, icon("retry"), "Retry"));
    if (isOver()) actions.push(h("button.button.quiet", { type: "button", onclick: drop }, icon("trash"), "Remove"));
    const source = /^https?:/.test(job.uri) ? h("a", { href: job.uri, rel: "noreferrer noopener", target: "_blank" }, hostOf(job.uri)) : hostOf(job.uri);
    const took = job.ended ? `took ${span((new Date(job.ended) - new Date(job.created)) / 1000)}` : null;
    fill(head, h("div.job-title", h("h1", nameOf(job.uri)), h("p.muted", source, ` · ${ago(job.created)}`, took ? ` · ${took}` : "", job.user ? ` · ${job.user}` : "", job.priority ? ` · priority ${job.priority}` : "")),
      h("div.job-state", badge(job.state), h("div.actions", actions)));
  }

  /** The state of each step, its count, and its fraction. */
  function drawSteps() {
    if (!job) return;
    fill(steps, STEPS.map(([queue, name, stage]) => {
      const counts = job.stages[queue] ?? {};
      const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
      const done = counts.done ?? 0;
      const fractions = [...live].filter(([key]) => key.startsWith(`${stage}:`)).map(([, fraction]) => fraction).filter((fraction) => fraction < 1);
      const running = counts.active ? fractions.reduce((sum, fraction) => sum + fraction, 0) : 0;
      let state = "todo";
      if (total && done === total) state = "done";
      else if (counts.active) state = "busy";
      else if (counts.dead) state = "bad";
      else if (total) state = "next";
      const fraction = total ? Math.min(1, (done + running) / total) : 0;
      const count = total > 1 ? `${done}/${total}` : state === "busy" && fraction > 0 ? `${Math.round(fraction * 100)} %` : "";
      return h(`li.step.${state}`, h("span.step-mark", state === "done" ? icon("check") : state === "bad" ? icon("warn") : null), h("span.step-name", name), h("span.step-count", count), bar(state === "done" ? 1 : fraction, name));
    }));
  }

  function drawTrouble() {
    const failed = job.manifest?.failed ?? [];
    const warnings = job.manifest?.warnings ?? [];
    fill(trouble, job.error ? h("div.callout.bad", icon("warn"), h("div", h("strong", capital(job.error.message)), job.error.advice ? h("p", capital(job.error.advice)) : null)) : null,
      failed.length ? h("div.callout.warning", icon("warn"), h("div", h("strong", failed.length === 1 ? "One clip failed" : `${failed.length} clips failed`), failed.map((clip) => h("p", `${clip.title}: ${clip.error.message}`)))) : null,
      warnings.map((warning) => h("div.callout.warning", icon("warn"), h("div", h("p", capital(warning.message))))));
  }

  function drawLog() {
    log.hidden = notes.length === 0;
    fill(log, h("summary", `Events (${notes.length})`), h("ul", [...notes].reverse().map(([kind, at, text]) => h(`li.${kind}`, h("time", { dateTime: at ?? "" }, at ? new Date(at).toLocaleTimeString() : ""), h("span", text)))));
  }

  function drawClips() {
    if (clips.length === 0) {
      fill(grid, isOver() ? (job.state === "done" && !job.error ? h("div.empty", h("p.muted", "There are no clips.")) : null) : Array.from({ length: 4 }, () => h("div.clip-card.ghost", h("div.clip-media"))));
      return;
    }
    // A card that has not changed stays, so that its video plays on.
    const now = clips.map((clip) => {
      const key = JSON.stringify([clip.state === "ready" ? { ...clip, tasks: clip.tasks.map((task) => task.ended) } : clip, isOver()]);
      const known = cards.get(clip.rank);
      if (known?.key === key) return known.element;
      const element = card(clip);
      cards.set(clip.rank, { key, element });
      return element;
    });
    if (now.length !== grid.childElementCount || now.some((element, at) => grid.children[at] !== element)) {
      now.forEach((element, at) => grid.children[at] !== element && grid.insertBefore(element, grid.children[at] ?? null));
      [...grid.children].slice(now.length).forEach((rest) => rest.remove());
    }
    drawLive();
  }

  function card(clip) {
    const media = h("div.clip-media");
    const tall = clip.size ? clip.size[1] / clip.size[0] : 16 / 9;
    media.style.aspectRatio = String(1 / Math.max(tall, 1));
    const version = clip.tasks.find((task) => task.queue === "publish")?.ended ?? "";
    const video = clip.links.video && clip.state === "ready";
    if (video) media.append(h("video", { src: `${clip.links.video}?v=${encodeURIComponent(version)}`, poster: clip.links.cover ? `${clip.links.cover}?v=${encodeURIComponent(version)}` : undefined, controls: true, preload: "none", playsInline: true, "aria-label": clip.title }));
    else if (clip.state === "failed") media.append(h("div.clip-wait.bad", icon("warn"), h("span", capital(clip.tasks.find((task) => task.error)?.error.message ?? "it failed"))));
    else media.append(h("div.clip-wait", { "data-clip": clip.rank }, h("span.spinner"), h("span.clip-now", "Waits"), bar(0, `Progress of clip ${clip.rank}`)));
    const published = clip.receipts.map((receipt) => h("span.tag", { title: receipt.id }, receipt.status === "published" ? icon("check") : null, receipt.url ? h("a", { href: receipt.url, target: "_blank", rel: "noreferrer noopener" }, receipt.target) : receipt.target, receipt.status === "published" ? "" : ` · ${receipt.status}`));
    return h("article.clip-card.card", { "aria-label": `Clip ${clip.rank}` }, media, h("div.clip-body",
      h("div.clip-line", h("span.rank", `#${clip.rank}`), h("span.score", { title: scoreText(clip.score) }, `${Math.round(clip.score.total)}`), h("span.muted", `${clock(clip.duration)} · from ${clock(clip.span.start ?? clip.span[0] ?? 0)}`)),
      h("h2", clip.title), h("p.reason", clip.reason), h("div.tags", published),
      h("div.clip-actions", h("button.button", { type: "button", disabled: !clip.links.plan, onclick: () => openClip(id, clip, isOver(), () => { stopEvents?.(); stopEvents = null; load(); }) }, icon("edit"), "Details"),
        video ? h("a.icon-button", { href: `${clip.links.video}?download=true`, download: "", "aria-label": `Download clip ${clip.rank}`, title: "Download" }, icon("down")) : null)));
  }

  /** What is done for each clip now, without drawing the players again. */
  function drawLive() {
    for (const place of grid.querySelectorAll("[data-clip]")) {
      const clip = clips.find((known) => String(known.rank) === place.dataset.clip);
      const active = clip?.tasks.find((task) => task.state === "active");
      const words = { track: "Finding faces", render: "Rendering", publish: "Publishing" };
      place.querySelector(".clip-now").textContent = active ? words[active.queue] ?? active.queue : "Waits";
      place.classList.toggle("busy", Boolean(active));
      const fraction = active ? live.get(`${active.queue}:${clip.rank}`) ?? 0 : 0;
      place.querySelector(".bar-fill").style.width = `${Math.round(fraction * 100)}%`;
    }
  }

  async function act(call, message) {
    try {
      await call();
      toast(message);
      live.clear();
    } catch (error) {
      toast(error.text, "error");
    }
    load();
  }

  async function drop() {
    if (!confirm("Remove the job and its history? Published clips stay.")) return;
    try {
      await remove(`/v1/jobs/${id}?remove=true`);
      location.hash = "#/";
    } catch (error) {
      toast(error.text, "error");
    }
  }

  load().then(() => !stopped && job && isOver() && past());

  /** The events of a job that has ended, for the list of events. */
  async function past() {
    stopEvents = follow(id, 0, (event) => { last = Math.max(last, event.number); note(event); }, () => { stopEvents = null; });
  }

  return () => {
    stopped = true;
    stopEvents?.();
    clearTimeout(refresh);
  };
}

export function scoreText(score) {
  return Object.entries(score).filter(([, value]) => typeof value === "number").map(([name, value]) => `${name}: ${Math.round(value * 10) / 10}`).join("\n");
}
