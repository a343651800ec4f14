// Requests to the service: with the key, and with one kind of error, which has the service's code.

import { begin } from "./activity.js";
import { askForKey, storedKey } from "./key.js";

const PICTURES = 400; // kept in memory; each is a few kB
const TRIES = 6; // while the service says that it is busy

/** What a request was refused with; `code` is the service's, or "no_answer" and "cancelled" of this page. */
export class ApiError extends Error {
  constructor({ code, message, details = {}, status = 0, requestId = "", retryAfter = 0 }) {
    super(message);
    Object.assign(this, { code, details, status, requestId, retryAfter });
  }
}

/**
 * Asks the service, and gives its JSON.
 *
 * path: such as "v1/persons", relative to the page.
 * query: values of the address; undefined and null ones are left out.
 * json: the body as JSON, or form: the body as FormData.
 * headers, signal: as for fetch.
 * as: "json" or "blob".
 * waiting: called with the seconds to wait where the service is busy (503 with Retry-After); it is asked again.
 * quiet: nobody is asked for a key, as for pictures beside what was asked for.
 *
 * Throws an ApiError. After another key was given, the document has the event "key".
 */
export async function ask(method, path, options = {}) {
  const ended = begin();
  try {
    return await untilAnswered(method, path, options);
  } finally {
    ended();
  }
}

async function untilAnswered(
  method, path, { query = {}, json, form, headers = {}, signal, as = "json", waiting, quiet = false },
) {
  const address = new URL(path, document.baseURI.replace(/#.*/, ""));
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== "") address.searchParams.set(name, value);
  }
  for (let tried = 1; ; tried += 1) {
    try {
      return await once(method, address, { json, form, headers, signal, as });
    } catch (error) {
      if (error.status === 401 && !quiet && (await askForKey(storedKey() ? `${error.message} (${error.code})` : ""))) {
        document.dispatchEvent(new Event("key"));
        tried = 0;
      } else if (waiting && tried < TRIES && error.retryAfter && [429, 503].includes(error.status)) {
        waiting(error.retryAfter);
        await pause(error.retryAfter, signal);
      } else {
        throw error;
      }
    }
  }
}

export const get = (path, query, options = {}) => ask("GET", path, { query, ...options });
export const post = (path, json, options = {}) => ask("POST", path, { json, ...options });
export const patch = (path, json, options = {}) => ask("PATCH", path, { json, ...options });

async function once(method, address, { json, form, headers, signal, as }) {
  const all = { ...headers };
  const key = storedKey();
  if (key) all.authorization = `Bearer ${key}`;
  if (json !== undefined) all["content-type"] = "application/json";
  let answer;
  try {
    answer = await fetch(address, {
      method, headers: all, signal, body: json === undefined ? form : JSON.stringify(json), cache: "no-store",
      credentials: "omit", redirect: "error",
    });
    if (answer.ok) return as === "blob" ? await answer.blob() : await answer.json();
  } catch (error) {
    if (error.name === "AbortError") throw new ApiError({ code: "cancelled", message: "Cancelled." });
    throw new ApiError({ code: "no_answer", message: "The service does not answer. Does it run?" });
  }
  throw await refusal(answer);
}

async function refusal(answer) {
  const about = { status: answer.status, retryAfter: Number(answer.headers.get("retry-after")) || 0 };
  try {
    const { error, request_id: requestId } = await answer.json();
    return new ApiError({ ...about, ...error, requestId });
  } catch {
    // A proxy in front of the service has answered.
    return new ApiError({ ...about, code: `http_${answer.status}`, message: `The answer was ${answer.status}.` });
  }
}

/** Waits; throws where the signal ends it. */
export function pause(seconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, seconds * 1000);
    signal?.addEventListener("abort", () => {
      clearTimeout(timer);
      reject(new ApiError({ code: "cancelled", message: "Cancelled." }));
    });
  });
}

const pictures = new Map();

/** The stored pixels of a reference as a Blob; null where none were kept. */
export async function storedPicture(reference) {
  if (!pictures.has(reference)) {
    const path = `v1/references/${encodeURIComponent(reference)}/picture`;
    pictures.set(reference, get(path, {}, { as: "blob", quiet: true }));
    if (pictures.size > PICTURES) pictures.delete(pictures.keys().next().value);
  }
  try {
    return await pictures.get(reference);
  } catch (error) {
    pictures.delete(reference);
    if (error.status === 404) return null;
    throw error;
  }
}

/** Forgets all pictures: another key may not see them. */
export function dropPictures() {
  pictures.clear();
}
