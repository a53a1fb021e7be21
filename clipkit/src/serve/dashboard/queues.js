// Queues, dead letters, disk.

import { get, post, remove } from "./api.js";
import { ago, bytes, capital, fill, h, icon, span, toast } from "./dom.js";

const POLL = 2000;
const NAMES = { fetch: "Fetch", transcribe: "Transcribe", score: "Choose", track: "Frame", render: "Render", publish: "Publish", conclude: "Finish" };

export function queuesPage(root) {
  let stopped = false;
  let timer;
  const table = h("div.table-card.card");
  const letters = h("div");
  const disk = h("p.muted");
  fill(root, h("div.page-head", h("h1", "Queues"), disk), table, h("h2.section", "Dead letters"), h("p.muted.section-note", "Steps that failed on all their attempts. A replay runs the step again with all its attempts."), letters);

  async function load() {
    clearTimeout(timer);
    try {
      const [all, dead] = await Promise.all([get("/v1/queues"), get("/v1/dead")]);
      if (stopped) return;
      draw(all);
      drawDead(dead.tasks);
    } catch (error) {
      if (stopped || error.status === 401) return;
      if (!table.childElementCount) fill(table, h("div.empty.error", icon("warn"), h("p", error.text)));
    }
    timer = setTimeout(load, POLL);
  }

  function draw({ queues, free_bytes: free, min_free_bytes: least, version }) {
    fill(disk, free === null ? "" : `${bytes(free)} free`, free !== null && free < least * 2 ? h("span.badge.failed", "The disk is nearly full") : null, ` · clipkit ${version}`);
    const head = ["Stage", "Waiting", "Running", "Scheduled", "Dead", "Oldest waits", "Half take", "95 % take", "Failed", ""];
    const rows = queues.map((queue) => {
      const name = NAMES[queue.name] ?? queue.name;
      const act = queue.paused ? "resume" : "pause";
      const rate = queue.failure_rate ? `${(queue.failure_rate * 100).toFixed(queue.failure_rate < 0.1 ? 1 : 0)} %` : "–";
      const number = (value, kind) => h(`td.number${value ? `.${kind}` : ".zero"}`, String(value));
      return h("tr", h("th", { scope: "row" }, name, queue.paused ? h("span.badge.delayed", "Stopped") : null),
        number(queue.waiting, "some"), number(queue.active, "busy"), number(queue.delayed, "some"), number(queue.dead, "bad"),
        h("td.number", queue.waiting ? span(queue.waited) : "–"), h("td.number", span(queue.p50)), h("td.number", span(queue.p95)),
        h(`td.number${queue.failure_rate ? ".bad" : ""}`, { title: Object.entries(queue.failures).map(([kind, count]) => `${kind}: ${count}`).join("\n") }, rate),
        h("td", h("button.icon-button", { type: "button", "aria-label": `${queue.paused ? "Resume" : "Stop"} ${name}`, title: queue.paused ? "Resume" : "Stop: running steps go on", onclick: () => go(() => post(`/v1/queues/${queue.name}/${act}`)) }, icon(queue.paused ? "play" : "pause"))));
    });
    fill(table, h("div.scroll", { tabIndex: 0, role: "region", "aria-label": "Queues" }, h("table", h("thead", h("tr", head.map((name, at) => h(at === 0 || at === 9 ? "th" : "th.number", { scope: "col" }, name || h("span.visually-hidden", "Actions"))))), h("tbody", rows))));
  }

  function drawDead(tasks) {
    if (tasks.length === 0) {
      fill(letters, h("div.empty.small", icon("check"), h("p.muted", "There are none.")));
      return;
    }
    fill(letters, h("ul.letters", tasks.map((task) => {
      const [job, , clip] = task.id.split(":");
      return h("li.card.letter", h("div.letter-main", h("strong", NAMES[task.queue] ?? task.queue, clip ? ` · clip ${clip}` : ""), h("p", capital(task.error?.message ?? "it failed without a word")), task.error?.advice ? h("p.muted", capital(task.error.advice)) : null,
        h("p.muted", h("a", { href: `#/jobs/${job}` }, `Job ${job}`), ` · ${task.attempts} attempts · ${ago(task.ended)}`)),
      h("div.actions", h("button.button", { type: "button", onclick: () => go(() => post(`/v1/dead/${encodeURIComponent(task.id)}/replay`), "It runs again") }, icon("retry"), "Replay"),
        h("button.button.quiet", { type: "button", onclick: () => go(() => remove(`/v1/dead/${encodeURIComponent(task.id)}`), "Dropped") }, "Drop")));
    })));
  }

  async function go(call, message) {
    try {
      await call();
      if (message) toast(message);
    } catch (error) {
      toast(error.text, "error");
    }
    load();
  }

  load();
  return () => {
    stopped = true;
    clearTimeout(timer);
  };
}
