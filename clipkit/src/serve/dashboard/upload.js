// Uploads by the tus protocol 1.0: in parts, and continued where they broke off.

import { Problem } from "./api.js";

const PART = 8 * 1024 * 1024;
const TRIES = 6;

/** The place of an upload that was begun before, by the file's name, size and time. */
const memory = (file) => `upload:${file.name}:${file.size}:${file.lastModified}`;

/** Uploads a file and returns its address for a job. */
export async function upload(file, onProgress, signal) {
  let place = localStorage.getItem(memory(file));
  let offset = place ? await offsetOf(place, signal) : null;
  if (offset === null) {
    const made = await create(file, signal);
    [place, offset] = [made.place, 0];
    localStorage.setItem(memory(file), place);
  }
  let tries = 0;
  while (offset < file.size) {
    try {
      offset = await part(place, file, offset, (sent) => onProgress((offset + sent) / file.size), signal);
      tries = 0;
    } catch (error) {
      tries += 1;
      const passing = error.status === 0 || error.status >= 500 || [408, 409, 423, 429].includes(error.status);
      if (signal.aborted || !passing || tries > TRIES) throw error;
      await new Promise((done) => setTimeout(done, 500 * 2 ** tries));
      offset = (await offsetOf(place, signal)) ?? offset;
    }
  }
  localStorage.removeItem(memory(file));
  onProgress(1);
  const { id } = await (await fetch(place, { signal, credentials: "same-origin" })).json();
  return `upload://${id}/${encodeURIComponent(file.name)}`;
}

async function create(file, signal) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name)));
  const response = await fetch("/v1/uploads", { method: "POST", signal, credentials: "same-origin", headers: { "tus-resumable": "1.0.0", "upload-length": String(file.size), "upload-metadata": `filename ${name}` } });
  if (!response.ok) throw new Problem(response.status, await response.json().catch(() => null));
  return { place: response.headers.get("location") };
}

async function offsetOf(place, signal) {
  const response = await fetch(place, { method: "HEAD", signal, credentials: "same-origin", headers: { "tus-resumable": "1.0.0" } });
  return response.ok ? Number(response.headers.get("upload-offset")) : null;
}

/** One part. XMLHttpRequest tells how much of it was sent; fetch does not. */
function part(place, file, offset, onSent, signal) {
  return new Promise((done, failed) => {
    const call = new XMLHttpRequest();
    call.open("PATCH", place);
    call.setRequestHeader("tus-resumable", "1.0.0");
    call.setRequestHeader("upload-offset", String(offset));
    call.setRequestHeader("content-type", "application/offset+octet-stream");
    call.upload.onprogress = (event) => onSent(event.loaded);
    call.onload = () => {
      if (call.status === 204) return done(Number(call.getResponseHeader("upload-offset")));
      let document = null;
      try {
        document = JSON.parse(call.responseText);
      } catch {
        // The status says enough.
      }
      failed(new Problem(call.status, document));
    };
    call.onerror = () => failed(new Problem(0, { detail: "The connection broke" }));
    call.onabort = () => failed(new DOMException("Stopped", "AbortError"));
    signal.addEventListener("abort", () => call.abort(), { once: true });
    call.send(file.slice(offset, offset + PART));
  });
}
