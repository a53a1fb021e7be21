// The list of jobs.

import { get } from "./api.js";
import { STATES, ago, badge, bar, capital, fill, h, hostOf, icon, nameOf } from "./dom.js";

const POLL = 1500;
const FILTERS = [["", "All"], ["active", "Running"], ["waiting", "Waiting"], ["delayed", "Scheduled"], ["done", "Done"], ["failed", "Failed"]];
export const STAGE_NAMES = { fetch: "Fetching", transcribe: "Transcribing", score: "Choosing moments", track: "Framing", render: "Rendering", publish: "Publishing", conclude: "Finishing" };

export function jobsPage(root) {
  let state = "";
  let limit = 30;
  let stopped = false;
  let timer;
  let shown = "";
  const list = h("div.rows");
  const more = h("button.button", { type: "button", hidden: true, onclick: () => { limit = Math.min(limit + 30, 200); load(); } }, "Show more");
  const chips = h("div.chips", { role: "group", "aria-label": "Filter by state" }, FILTERS.map(([value, name]) =>
    h("button.chip", { type: "button", "aria-pressed": String(value === state), onclick: (event) => {
      state = value;
      chips.querySelectorAll("button").forEach((chip) => chip.setAttribute("aria-pressed", String(chip === event.target)));
      load();
    } }, name)));
  fill(root, h("div.page-head", h("h1", "Jobs"), chips), list, h("div.center", more));

  async function load() {
    clearTimeout(timer);
    try {
      const page = await get(`/v1/jobs?limit=${limit}${state ? `&state=${state}` : ""}`);
      if (stopped) return;
      more.hidden = !page.next || limit >= 200;
      // What has not changed stays, with its focus.
      const text = JSON.stringify(page);
      if (text !== shown || list.childElementCount === 0) {
        shown = text;
        draw(page.jobs);
      }
    } catch (error) {
      if (stopped || error.status === 401) return;
      if (!shown) fill(list, h("div.empty.error", icon("warn"), h("p", error.text)));
    }
    timer = setTimeout(() => (document.visibilityState === "visible" ? load() : wait()), POLL);
  }

  /** Nothing is asked while nobody looks. */
  function wait() {
    document.addEventListener("visibilitychange", load, { once: true });
  }

  function draw(jobs) {
    const focused = document.activeElement?.dataset?.job;
    if (jobs.length === 0) {
      fill(list, state
        ? h("div.empty", h("p.muted", `No job is ${STATES[state].toLowerCase()}.`))
        : h("div.empty", icon("film"), h("h2", "Turn a long video into clips"), h("p.muted", "Give a link or a file. clipkit finds the passages that stand on their own, keeps the speaker in the frame and burns in captions."), h("a.button.primary", { href: "#/new" }, "New job")));
      return;
    }
    fill(list, jobs.map(row));
    if (focused) list.querySelector(`[data-job="${CSS.escape(focused)}"]`)?.focus();
  }

  load();
  return () => {
    stopped = true;
    clearTimeout(timer);
    document.removeEventListener("visibilitychange", load);
  };
}

function row(job) {
  const over = ["done", "failed", "cancelled"].includes(job.state);
  const cover = h("span.thumb", job.clips ? h("img", { src: `/v1/jobs/${job.id}/clips/1/cover`, alt: "", loading: "lazy", onerror: (event) => event.target.remove() }) : icon("film"));
  const about = [hostOf(job.uri), job.user, ago(job.created)].filter(Boolean).join(" · ");
  let status;
  if (job.state === "done") status = h("span.row-note", job.clips === 1 ? "1 clip" : `${job.clips} clips`);
  else if (over) status = h("span.row-note.clamp", capital(job.error?.message ?? ""));
  else status = h("span.row-progress", h("span.row-note", job.stages.map((stage) => STAGE_NAMES[stage] ?? stage).join(", ") || (job.state === "delayed" ? "Waits for its time" : "Waits for a worker")), bar(job.progress, `Progress of ${nameOf(job.uri)}`));
  return h("a.row", { href: `#/jobs/${job.id}`, "data-job": job.id }, cover, h("span.row-main", h("span.row-title", nameOf(job.uri)), h("span.row-about", about)), status, badge(job.state));
}
