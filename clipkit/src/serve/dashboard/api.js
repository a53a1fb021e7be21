// Requests to the service. Errors are problem details (RFC 9457).

export class Problem extends Error {
  constructor(status, document) {
    super(document?.detail ?? `The service answered ${status}`);
    this.status = status;
    this.kind = document?.kind;
    this.advice = document?.advice;
  }

  /** The message with its advice. */
  get text() {
    return this.advice ? `${this.message}. ${this.advice[0].toUpperCase()}${this.advice.slice(1)}.` : this.message;
  }
}

let onSignIn = () => {};

/** Sets what happens when a request needs a key. */
export function whenSignedOut(callback) {
  onSignIn = callback;
}

export async function request(method, path, body, options = {}) {
  const headers = { ...(options.headers ?? {}) };
  if (body !== undefined) headers["content-type"] = "application/json";
  let response;
  try {
    response = await fetch(path, { method, headers, body: body === undefined ? undefined : JSON.stringify(body), signal: options.signal, credentials: "same-origin" });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Problem(0, { detail: "The service cannot be reached" });
  }
  if (!response.ok) {
    const document = await response.json().catch(() => null);
    if (response.status === 401 && path !== "/v1/session") onSignIn();
    throw new Problem(response.status, document);
  }
  if (response.status === 204) return null;
  const kind = response.headers.get("content-type") ?? "";
  return kind.includes("json") ? response.json() : response.text();
}

export const get = (path, options) => request("GET", path, undefined, options);
export const post = (path, body, options) => request("POST", path, body, options);
export const patch = (path, body) => request("PATCH", path, body);
export const remove = (path) => request("DELETE", path);

/** Follows the events of a job. Returns a function that stops. */
export function follow(id, since, onEvent, onEnd) {
  const source = new EventSource(`/v1/jobs/${id}/events?since=${since}`);
  source.onmessage = (message) => {
    const event = JSON.parse(message.data);
    onEvent(event);
    if (event.event === "ended") {
      source.close();
      onEnd();
    }
  };
  return () => source.close();
}
