// A clip in full: player, framing, captions to correct, title and ends to change.

import { get, patch } from "./api.js";
import { clock, fill, h, icon, span, toast } from "./dom.js";

const SCORES = [["hook", "Hook"], ["completeness", "Complete"], ["density", "Dense"], ["emotion", "Emotion"], ["moment", "Moment"]];

export function openClip(job, clip, editable, onChange) {
  const ops = [];
  // Corrected captions, by the number of their first word.
  const corrections = new Map();
  const dialog = h("dialog.sheet", { "aria-label": `Clip ${clip.rank}` });
  const title = h("input", { type: "text", id: "clip-title", value: clip.title, maxLength: 200, disabled: !editable, oninput: changed });
  const change = h("p.muted", { role: "status" });
  const save = h("button.button.primary", { type: "button", disabled: true, onclick: apply }, "Render again");
  const undo = h("button.button.quiet", { type: "button", hidden: true, onclick: () => { dialog.close(); openClip(job, clip, editable, onChange); } }, "Undo all");
  const video = clip.links.video && clip.state === "ready"
    ? h("video", { src: `${clip.links.video}?v=${encodeURIComponent(clip.tasks.find((task) => task.queue === "publish")?.ended ?? "")}`, poster: clip.links.cover ?? undefined, controls: true, preload: "metadata", playsInline: true })
    : h("div.clip-wait", icon("film"));

  function all() {
    const list = [...ops];
    for (const [first, { count, text }] of corrections) list.push(text ? { op: "correct_caption", words: { from: first, to: first + count }, text } : { op: "delete_words", words: { from: first, to: first + count } });
    if (title.value.trim() && title.value !== clip.title) list.push({ op: "title", title: title.value.trim() });
    // Words are numbered as they are when an operation starts: the last ones first.
    return list.filter((op) => !op.words).concat(list.filter((op) => op.words).sort((a, b) => b.words.from - a.words.from)).sort((a, b) => rank(a) - rank(b));
  }

  /** Corrections come before ends move, since those change the numbers of words. */
  const rank = (op) => (op.words ? 0 : op.op === "title" ? 2 : 1);

  let preview;
  function changed() {
    clearTimeout(preview);
    const list = all();
    save.disabled = list.length === 0;
    undo.hidden = list.length === 0;
    change.textContent = list.length ? "…" : "";
    if (list.length) preview = setTimeout(look, 350);
  }

  async function look() {
    try {
      const { changes } = await patch(`/v1/jobs/${job}/clips/${clip.rank}/plan`, { ops: all(), dry_run: true });
      const [before, after] = [changes.before, changes.after];
      change.textContent = before.duration === after.duration && before.words === after.words ? "The length stays the same." : `${span(before.duration)} → ${span(after.duration)}, ${before.words} → ${after.words} words.`;
      change.className = "muted";
      save.disabled = false;
    } catch (error) {
      change.textContent = error.text;
      change.className = "form-problem";
      save.disabled = true;
    }
  }

  async function apply() {
    save.disabled = true;
    try {
      await patch(`/v1/jobs/${job}/clips/${clip.rank}/plan`, { ops: all() });
      toast("The clip is rendered again");
      dialog.close();
      onChange();
    } catch (error) {
      toast(error.text, "error");
      save.disabled = false;
    }
  }

  function move(op, sentences) {
    const known = ops.find((known) => known.op === op);
    if (known) {
      known.to.sentences += sentences;
      if (known.to.sentences === 0) ops.splice(ops.indexOf(known), 1);
    } else {
      ops.push({ op, to: { sentences } });
    }
    draw();
    changed();
  }

  const ends = h("div.ends");
  function draw() {
    const step = (op) => ops.find((known) => known.op === op)?.to.sentences ?? 0;
    const line = (op, name) => {
      const by = step(op);
      return h("div.end-line", h("span", name), h("div.stepper", h("button.icon-button", { type: "button", disabled: !editable, "aria-label": `${name} one sentence earlier`, onclick: () => move(op, -1) }, "−"), h("span.step-value", by === 0 ? "as it is" : `${by > 0 ? "+" : "−"}${Math.abs(by)} ${Math.abs(by) === 1 ? "sentence" : "sentences"}`), h("button.icon-button", { type: "button", disabled: !editable, "aria-label": `${name} one sentence later`, onclick: () => move(op, 1) }, "+")));
    };
    fill(ends, line("move_start", "Starts"), line("move_end", "Ends"));
  }
  draw();

  const captions = (clip.captions ?? []).map((cue) => {
    const text = cue.words.join(" ");
    const input = h("input", { type: "text", value: text, disabled: !editable, "aria-label": `Caption at ${clock(cue.start)}`, oninput: () => {
      const now = input.value.trim().replace(/\s+/g, " ");
      if (now === text) corrections.delete(cue.first_word);
      else corrections.set(cue.first_word, { count: cue.words.length, text: now });
      input.classList.toggle("changed", now !== text);
      changed();
    } });
    const seek = () => { if (video.tagName === "VIDEO") { video.currentTime = (clip.clip_start ?? 0) + cue.start; video.play().catch(() => {}); } };
    return h("li", h("button.link.time", { type: "button", onclick: seek, "aria-label": `Play from ${clock(cue.start)}` }, clock(cue.start)), input);
  });

  const sheet = h("div.framing");
  const showSheet = h("button.button", { type: "button", onclick: () => {
    showSheet.disabled = true;
    fill(sheet, h("p.muted", h("span.spinner"), " Reading the source …"));
    const picture = h("img", { alt: "Frames of the source with the crop window and faces", src: clip.links.sheet });
    picture.onload = () => fill(sheet, h("a", { href: clip.links.sheet, target: "_blank" }, picture));
    picture.onerror = async () => {
      const message = await get(clip.links.sheet).then(() => "The picture could not be shown", (error) => error.text);
      fill(sheet, h("p.form-problem", message));
      showSheet.disabled = false;
    };
  } }, icon("film"), "Show the framing");

  fill(dialog, h("div.sheet-head", h("div", h("span.rank", `#${clip.rank}`), h("span.score", String(Math.round(clip.score.total))), h("span.muted", clock(clip.duration))),
    h("button.icon-button", { type: "button", "aria-label": "Close", onclick: () => dialog.close() }, icon("close"))),
  h("div.sheet-body", h("div.sheet-left", h("div.player", video), h("div.downloads",
    clip.links.video ? h("a.button.quiet", { href: `${clip.links.video}?download=true` }, icon("down"), "Video") : null,
    clip.links.captions ? h("a.button.quiet", { href: `${clip.links.captions}?download=true` }, icon("down"), "Captions") : null,
    clip.links.plan ? h("a.button.quiet", { href: `${clip.links.plan}?download=true` }, icon("down"), "Plan") : null)),
  h("div.sheet-right", h("div.field", h("label", { htmlFor: "clip-title" }, "Title"), title),
    h("section", h("h2", "Why this moment"), h("p", clip.reason), h("dl.scores", SCORES.filter(([name]) => typeof clip.score[name] === "number").map(([name, label]) => {
      const meter = h("span.bar", h("span.bar-fill"));
      meter.firstChild.style.width = `${clip.score[name] * 10}%`;
      return [h("dt", label), h("dd", meter, clip.score[name].toFixed(1))];
    }))),
    h("section", h("h2", "Length"), ends),
    clip.captions ? h("section", h("h2", "Captions"), h("p.field-note", "Correct what was misheard. An empty line cuts its words out of the clip."), h("ol.captions", captions)) : null,
    h("section", h("h2", "Framing"), showSheet, sheet))),
  h("div.sheet-foot", editable ? change : h("p.muted", "The clip can be changed when the job has ended."), h("div.actions", undo, save)));
  dialog.addEventListener("close", () => dialog.remove());
  dialog.addEventListener("click", (event) => event.target === dialog && all().length === 0 && dialog.close());
  document.body.append(dialog);
  dialog.showModal();
}
