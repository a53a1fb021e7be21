// Small helpers for elements. Text is always set as text, never as markup.

/** Makes an element: h("a.big", {href: "#"}, "text", child). */
export function h(tag, props, ...children) {
  const [name, ...classes] = tag.split(".");
  const element = document.createElement(name || "div");
  if (classes.length) element.className = classes.join(" ");
  if (props && (typeof props !== "object" || props instanceof Node || Array.isArray(props))) {
    children.unshift(props);
    props = null;
  }
  for (const [key, value] of Object.entries(props ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (key in element && key !== "list" && key !== "form" && !key.includes("-")) element[key] = value;
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const PATHS = {
  play: "M8 5.5v13l11-6.5z",
  down: "M12 4v11m0 0 4.5-4.5M12 15l-4.5-4.5M5 20h14",
  close: "M6 6l12 12M18 6 6 18",
  retry: "M4 12a8 8 0 1 0 2.6-5.9M4 4v4.5h4.5",
  edit: "M4 20h4L19 9l-4-4L4 16z",
  check: "M5 12.5l4.5 4.5L19 7.5",
  warn: "M12 8v5m0 3.2v.3M10.6 4.2 2.9 18a1.6 1.6 0 0 0 1.4 2.4h15.4a1.6 1.6 0 0 0 1.4-2.4L13.4 4.2a1.6 1.6 0 0 0-2.8 0z",
  pause: "M8 5v14M16 5v14",
  upload: "M12 16V5m0 0L7.5 9.5M12 5l4.5 4.5M5 20h14",
  link: "M10 14a4 4 0 0 0 5.7 0l3.1-3.1a4 4 0 0 0-5.7-5.7L11.6 6.7M14 10a4 4 0 0 0-5.7 0l-3.1 3.1a4 4 0 0 0 5.7 5.7l1.5-1.5",
  back: "M14.5 5 8 12l6.5 7",
  theme: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zm0 0v17m0-3.5 5.6-5.6M12 12.5l6.4-6.4M12 8l3.4-3.4",
  out: "M14 4H6v16h8M10 12h10m0 0-3.5-3.5M20 12l-3.5 3.5",
  trash: "M5 7h14M10 7V4h4v3m-7.5 0 .8 13h9.4l.8-13",
  film: "M4 5h16v14H4zM4 9h16M4 15h16M9 5v14M15 5v14",
};

/** An icon; purely decorative. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("aria-hidden", "true");
  svg.classList.add("icon");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  path.setAttribute("d", PATHS[name] ?? "");
  svg.append(path);
  return svg;
}

/** Replaces what is in an element. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** A message that goes by itself. */
export function toast(message, kind = "info") {
  const shown = h(`.toast.${kind}`, kind === "error" ? icon("warn") : icon("check"), h("span", message));
  document.getElementById("toasts").append(shown);
  setTimeout(() => shown.classList.add("leaving"), kind === "error" ? 7000 : 3500);
  setTimeout(() => shown.remove(), kind === "error" ? 7400 : 3900);
}

/** A message as a sentence. */
export const capital = (text) => (text ? text[0].toUpperCase() + text.slice(1) : "");

/** A time from now: "3 min ago". */
export function ago(moment) {
  if (!moment) return "";
  const seconds = (Date.now() - new Date(moment)) / 1000;
  const format = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });
  for (const [unit, size] of [["day", 86400], ["hour", 3600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return format.format(-Math.round(seconds / size), unit);
  }
  return Math.abs(seconds) < 5 ? "just now" : format.format(-Math.round(seconds), "second");
}

/** Seconds as "1:23". */
export function clock(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor(whole / 60) % 60, whole % 60];
  const two = (number) => String(number).padStart(2, "0");
  return hours ? `${hours}:${two(minutes)}:${two(rest)}` : `${minutes}:${two(rest)}`;
}

/** Seconds in words: "2.4 s", "3 min". */
export function span(seconds) {
  if (seconds === null || seconds === undefined) return "–";
  if (seconds < 0.01) return "0 s";
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 5400) return `${Math.round(seconds / 60)} min`;
  return `${(seconds / 3600).toFixed(1)} h`;
}

/** Bytes in words. */
export function bytes(count) {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let at = 0;
  while (count >= 1000 && at < units.length - 1) [count, at] = [count / 1000, at + 1];
  return `${count < 10 && at ? count.toFixed(1) : Math.round(count)} ${units[at]}`;
}

/** A short name for the address of a video. */
export function nameOf(uri) {
  if (uri.startsWith("upload://")) return decodeURIComponent(uri.split("/")[3] ?? "Uploaded video");
  try {
    const url = new URL(uri);
    const video = url.searchParams.get("v");
    const last = url.pathname.split("/").filter(Boolean).pop();
    return video ? `${url.hostname.replace(/^www\./, "")} · ${video}` : decodeURIComponent(last ?? url.hostname);
  } catch {
    return uri;
  }
}

/** Where a video comes from. */
export function hostOf(uri) {
  if (uri.startsWith("upload://")) return "Upload";
  try {
    return new URL(uri).hostname.replace(/^www\./, "");
  } catch {
    return "File";
  }
}

export const STATES = { delayed: "Scheduled", waiting: "Waiting", active: "Running", done: "Done", failed: "Failed", cancelled: "Cancelled" };

/** The state of a job as a badge. */
export function badge(state) {
  return h(`span.badge.${state}`, h("span.badge-dot"), STATES[state] ?? state);
}

/** A bar that shows a fraction. */
export function bar(fraction, label) {
  const inner = h("span.bar-fill");
  inner.style.width = `${Math.round(fraction * 100)}%`;
  return h("span.bar", { role: "progressbar", "aria-valuenow": Math.round(fraction * 100), "aria-valuemin": 0, "aria-valuemax": 100, "aria-label": label ?? "Progress" }, inner);
}
