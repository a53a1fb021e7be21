// The shell: routes, keys, theme, sign-in.

import { get, post, remove, whenSignedOut } from "./api.js";
import { fill, h, icon, toast } from "./dom.js";
import { jobPage } from "./job.js";
import { jobsPage } from "./jobs.js";
import { queuesPage } from "./queues.js";
import { submitPage } from "./submit.js";

const main = document.getElementById("main");
let leave = null;

const ROUTES = [
  [/^#?\/?$/, () => jobsPage, "jobs"],
  [/^#\/new$/, () => submitPage, "new"],
  [/^#\/jobs\/([\w-]+)$/, (match) => (root) => jobPage(root, match[1]), "jobs"],
  [/^#\/queues$/, () => queuesPage, "queues"],
];

function show() {
  leave?.();
  leave = null;
  document.querySelectorAll("dialog[open]").forEach((dialog) => dialog.close());
  for (const [pattern, page, nav] of ROUTES) {
    const match = location.hash.match(pattern);
    if (!match) continue;
    document.querySelectorAll("[data-nav]").forEach((link) => {
      if (link.dataset.nav === nav) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    });
    const root = h("div.page");
    fill(main, root);
    leave = page(match)(root) ?? null;
    window.scrollTo(0, 0);
    return;
  }
  fill(main, h("div.page", h("div.empty", h("h1", "There is nothing here"), h("a.button", { href: "#/" }, "Go to the jobs"))));
}

/** Asks for an API key and opens a session with it. */
function signIn() {
  leave?.();
  leave = null;
  const key = h("input", { type: "password", id: "key", autocomplete: "current-password", required: true, placeholder: "clipkit_…" });
  const problem = h("p.form-problem", { role: "alert" });
  const form = h("form.sign-in.card", {
    onsubmit: async (event) => {
      event.preventDefault();
      try {
        await post("/v1/session", { key: key.value.trim() });
        location.reload();
      } catch (error) {
        problem.textContent = error.status === 401 ? "There is no such key." : error.text;
        key.select();
      }
    },
  }, h("img", { src: "/assets/icon.svg", alt: "", width: 44, height: 44 }), h("h1", "Sign in"),
  h("p.muted", "This service needs an API key. Whoever runs it makes one with “clipkit serve key add NAME”."),
  h("label", { htmlFor: "key" }, "API key"), key, problem, h("button.button.primary", { type: "submit" }, "Sign in"));
  fill(main, h("div.page.narrow", form));
  document.querySelectorAll(".top nav, #new-job").forEach((part) => (part.hidden = true));
  key.focus();
}

/** The theme: the system's, until somebody chooses. */
function theme() {
  const root = document.documentElement;
  const stored = localStorage.getItem("theme");
  if (stored) root.dataset.theme = stored;
  const button = document.getElementById("theme");
  button.append(icon("theme"));
  button.addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
    localStorage.setItem("theme", root.dataset.theme);
  });
}

const KEYS = [["n", "New job"], ["j / k", "Next or previous job"], ["Enter", "Open the job"], ["g j", "Jobs"], ["g q", "Queues"], ["Esc", "Close"], ["?", "This list"]];

function help() {
  const dialog = h("dialog.card.help", { "aria-label": "Keyboard" }, h("h2", "Keyboard"), h("dl.keys", KEYS.map(([keys, what]) => [h("dt", keys.split(" ").map((key) => (key === "/" ? " / " : h("kbd", key)))), h("dd", what)])),
    h("form", { method: "dialog" }, h("button.button", "Close")));
  document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}

let prefix = 0;

function onKey(event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.closest("input, textarea, select, dialog, video")) return;
  const rows = [...document.querySelectorAll("a.row")];
  const at = rows.indexOf(document.activeElement);
  const afterG = Date.now() - prefix < 1000;
  prefix = 0;
  if (event.key === "g") prefix = Date.now();
  else if (afterG && event.key === "j") location.hash = "#/";
  else if (afterG && event.key === "q") location.hash = "#/queues";
  else if (event.key === "n") location.hash = "#/new";
  else if (event.key === "?") help();
  else if (event.key === "j" && rows.length) rows[Math.min(at + 1, rows.length - 1)].focus();
  else if (event.key === "k" && rows.length) rows[Math.max(at - 1, 0)].focus();
  else if (event.key === "Escape" && location.hash !== "#/" && location.hash) location.hash = "#/";
  else return;
  event.preventDefault();
}

/** Looks after the parts of the shell that tell of the service. */
async function watch() {
  try {
    const { queues, open_access: open } = await get("/v1/queues");
    const dead = queues.reduce((sum, queue) => sum + queue.dead, 0);
    const dot = document.getElementById("dead-dot");
    dot.hidden = dead === 0;
    dot.title = `${dead} dead letters`;
    document.getElementById("sign-out").hidden = open;
  } catch {
    // The pages say what is wrong.
  }
}

whenSignedOut(signIn);
theme();
const out = document.getElementById("sign-out");
out.append(icon("out"));
out.addEventListener("click", async () => {
  await remove("/v1/session").catch((error) => toast(error.text, "error"));
  location.reload();
});
window.addEventListener("hashchange", show);
document.addEventListener("keydown", onKey);
show();
watch();
setInterval(() => document.visibilityState === "visible" && watch(), 10000);
