// A new job: a link or a file, and what is made of it.

import { post } from "./api.js";
import { bar, bytes, fill, h, icon } from "./dom.js";
import { upload } from "./upload.js";

const CAPTIONS = [["karaoke", "Karaoke"], ["pop", "Pop"], ["box", "Box"], ["block", "Block"], ["", "None"]];
const ASPECTS = [["9:16", "Vertical 9:16"], ["4:5", "Portrait 4:5"], ["1:1", "Square 1:1"], ["16:9", "Wide 16:9"]];
const LAYOUTS = [["auto", "Automatic"], ["fill", "One window"], ["split", "Two windows"], ["fit", "Whole picture"], ["pip", "Picture in picture"]];
const PLATFORMS = [["generic", "Any platform"], ["shorts", "YouTube Shorts"], ["tiktok", "TikTok"], ["reels", "Instagram Reels"]];

const field = (id, label, input, note) => h("div.field", h("label", { htmlFor: id }, label), Object.assign(input, { id }), note ? h("p.field-note", note) : null);
const select = (options, value) => h("select", options.map(([key, name]) => h("option", { value: key, selected: key === value }, name)));
const number = (value, min, max) => h("input", { type: "number", value: String(value), min: String(min), max: String(max), required: true });

export function submitPage(root) {
  const stop = new AbortController();
  let file = null;
  const link = h("input", { type: "url", id: "link", placeholder: "https://…", inputMode: "url", autocomplete: "off" });
  const picker = h("input.visually-hidden", { type: "file", accept: "video/*,audio/*,.mkv,.ts,.mts", id: "file", "aria-label": "Choose a file" });
  const dropText = h("span");
  const drop = h("label.drop", { htmlFor: "file" }, icon("upload"), dropText);
  const clips = number(8, 1, 100);
  const [least, most] = [number(15, 1, 600), number(60, 2, 1800)];
  const captions = select(CAPTIONS, "karaoke");
  const aspect = select(ASPECTS, "9:16");
  const layout = select(LAYOUTS, "auto");
  const platform = select(PLATFORMS, "generic");
  const about = h("input", { type: "text", placeholder: "pricing, first customers" });
  const avoid = h("input", { type: "text", placeholder: "sponsors" });
  const title = h("input", { type: "checkbox", id: "title" });
  const priority = number(0, -100, 100);
  const start = h("input", { type: "datetime-local" });
  const problem = h("p.form-problem", { role: "alert" });
  const progress = h("div.upload-progress", { hidden: true });
  const send = h("button.button.primary.large", { type: "submit" }, "Make clips");

  function choose(chosen) {
    file = chosen ?? null;
    link.disabled = file !== null;
    drop.classList.toggle("chosen", file !== null);
    fill(dropText, file ? [h("strong", file.name), ` · ${bytes(file.size)} · `, h("button.link", { type: "button", onclick: (event) => { event.preventDefault(); picker.value = ""; choose(null); } }, "remove")] : [h("strong", "Choose a file"), " or drop it here"]);
  }
  picker.addEventListener("change", () => choose(picker.files[0]));
  for (const name of ["dragenter", "dragover"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  for (const name of ["dragleave", "drop"]) drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.remove("over"); });
  drop.addEventListener("drop", (event) => choose(event.dataTransfer.files[0]));
  choose(null);

  const words = (input) => input.value.split(",").map((word) => word.trim()).filter(Boolean);

  async function submit(event) {
    event.preventDefault();
    problem.textContent = "";
    if (!file && !link.value.trim()) {
      problem.textContent = "Give a link or a file.";
      link.focus();
      return;
    }
    if (Number(least.value) > Number(most.value)) {
      problem.textContent = "The shortest length is above the longest.";
      least.focus();
      return;
    }
    send.disabled = true;
    try {
      let uri = link.value.trim();
      if (file) {
        progress.hidden = false;
        const label = h("span");
        uri = await upload(file, (fraction) => {
          fill(label, fraction < 1 ? `Uploading ${Math.round(fraction * 100)} %` : "Checking the file");
          fill(progress, label, bar(fraction, "Upload"));
        }, stop.signal);
      }
      const options = { clips: Number(clips.value), min: Number(least.value), max: Number(most.value), captions: captions.value || null, aspect: aspect.value, layout: layout.value, platform: platform.value, about: words(about), avoid: words(avoid) };
      if (title.checked) options.hook = {};
      const job = { uri, config: { options }, priority: Number(priority.value) };
      if (start.value) job.not_before = new Date(start.value).toISOString();
      const made = await post("/v1/jobs", job, { headers: { "idempotency-key": crypto.randomUUID?.() ?? String(Math.random()) } });
      location.hash = `#/jobs/${made.id}`;
    } catch (error) {
      if (error.name === "AbortError") return;
      problem.textContent = error.text ?? error.message;
      progress.hidden = true;
    } finally {
      send.disabled = false;
    }
  }

  fill(root, h("form.submit", { onsubmit: submit, noValidate: false },
    h("div.page-head", h("h1", "New job")),
    h("section.card", h("h2", "Video"), field("link", "Link", link, "A page such as YouTube’s, or the address of a media file."), h("div.or", h("span", "or")), picker, drop, progress),
    h("section.card", h("h2", "Clips"), h("div.grid",
      field("clips", "At most", clips, "clips"), field("least", "Shortest", least, "seconds"), field("most", "Longest", most, "seconds"),
      field("captions", "Captions", captions), field("aspect", "Shape", aspect), field("layout", "Framing", layout), field("platform", "Safe area for", platform)),
    h("label.check", { htmlFor: "title" }, title, h("span", "Show the title over the first seconds"))),
    h("details.card", h("summary", "Topics, priority, start"), h("div.grid.wide",
      field("about", "About", about, "Topics that clips should have, with commas between."), field("avoid", "Not about", avoid, "Topics to leave out."),
      field("priority", "Priority", priority, "Higher runs first."), field("start", "Not before", start, "Your local time."))),
    problem, h("div.form-end", h("a.button.quiet", { href: "#/" }, "Back"), send)));
  link.focus({ preventScroll: true });
  return () => stop.abort();
}
