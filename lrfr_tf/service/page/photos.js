// The photos that are identified: sent one by one or two at a time, each with its answer or its error.

import { ApiError, ask, get } from "./api.js";
import { nameOf } from "./drop.js";
import { blobOfBase64 } from "./face.js";
import { askBeforeLeaving } from "./leaving.js";
import { gallery } from "./session.js";

const AT_ONCE = 2;
const CANDIDATES = 5;
const SAME_FACE = 0.8; // share of common area (intersection over union) from which on two boxes are one face's

/**
 * A photo: {id, file, name, address, state, error, answer, faces}. `state` is "waiting", "sent", "answered" or
 * "failed"; `address` shows the file. Each face is the service's, with `said`: what a person said about it here; its
 * `picture` is a Blob or null, as text of thousands of photos would fill the memory.
 */
export class Photos {
  constructor() {
    this.all = [];
    this.listeners = new Set();
    this.stopping = null;
    this.next = 1;
    this.note = "";
  }

  /** Calls `listener(photo)` whenever a photo changes (null: the list did), as long as the signal lasts. */
  listen(listener, signal) {
    this.listeners.add(listener);
    signal.addEventListener("abort", () => this.listeners.delete(listener));
  }

  changed(photo = null) {
    for (const listener of this.listeners) listener(photo);
  }

  add(files) {
    const added = files.map((file) => ({
      id: this.next++, file, name: nameOf(file) || "pasted picture",
      address: URL.createObjectURL(file), state: "waiting", error: null, answer: null, faces: [],
    }));
    this.all.push(...added);
    this.changed();
    return added;
  }

  clear() {
    this.stop();
    for (const photo of this.all) URL.revokeObjectURL(photo.address);
    this.all = [];
    this.changed();
  }

  get waiting() {
    return this.all.filter((photo) => photo.state === "waiting");
  }

  get finished() {
    return this.all.filter((photo) => photo.state === "answered" || photo.state === "failed").length;
  }

  /** Those that failed and may go well another time. */
  get failed() {
    return this.all.filter((photo) => photo.state === "failed" && !isForGood(photo.error));
  }

  get running() {
    return this.stopping !== null;
  }

  stop() {
    this.stopping?.abort();
  }

  /** Puts photos back into the line. */
  again(photos) {
    for (const photo of photos) {
      if (photo.state === "sent") continue;
      photo.state = "waiting";
      photo.error = null;
    }
    this.changed();
  }

  /** Sends what waits, until nothing does; throws where the service is gone, and what was not sent waits on. */
  async send() {
    if (this.running) return;
    const stopping = new AbortController();
    this.stopping = stopping;
    const sent = askBeforeLeaving();
    this.note = "";
    this.changed();
    let gone = null;
    const work = async () => {
      for (let photo; !gone && !stopping.signal.aborted && (photo = this.waiting[0]); ) {
        await this.identify(photo, stopping.signal);
        if (photo.error && (await isGone(photo.error))) {
          gone = photo.error;
          this.again([photo]);
        }
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, work));
    this.stopping = null;
    sent();
    this.note = "";
    this.changed();
    if (gone) throw gone;
  }

  /** Asks whose the faces of one photo are; the answer or the error is kept in the photo. */
  async identify(photo, signal) {
    photo.state = "sent";
    photo.error = null;
    this.changed(photo);
    try {
      await checkFile(photo.file);
      const form = new FormData();
      form.append("image", photo.file, photo.file.name || "photo");
      const answer = await ask("POST", "v1/identify", {
        query: { pictures: true, candidates: CANDIDATES }, form, signal,
        waiting: (seconds) => {
          this.note = `The service is busy; waiting ${seconds} s`;
          this.changed(photo);
        },
      });
      const before = photo.faces;
      const { faces, ...about } = answer;
      photo.answer = about;
      photo.faces = faces
        .map((face) => ({ ...face, picture: blobOfBase64(face.picture), said: saidBefore(before, face) }))
        .sort((a, b) => b.height - a.height); // the largest is face 1
      photo.state = "answered";
    } catch (error) {
      photo.error = error;
      photo.state = error.code === "cancelled" ? "waiting" : "failed";
    }
    this.note = "";
    this.changed(photo);
  }
}

/** Whether no photo will be answered, or only this one was not, as where a proxy hangs up on a large body. */
export async function isGone({ code }) {
  if (code !== "no_answer") return code.startsWith("key_");
  return get("v1/health/live").then(() => false, () => true);
}

/** Whether an error is about the photo itself, so that trying again changes nothing. */
export function isForGood(error) {
  return ["unreadable", "body_too_large", "too_many_pixels"].includes(error.code);
}

/**
 * Throws an ApiError where a file need not be sent: it is over the service's limit, which hangs up on such bodies, or
 * it was moved or changed since it was chosen, which fetch calls a fault of the network.
 */
export async function checkFile(file) {
  const most = gallery.limits.body_bytes;
  if (file.size > most) {
    const message = `A request's body has at most ${most.toLocaleString("en")} bytes.`;
    throw new ApiError({ code: "body_too_large", message, status: 413 });
  }
  try {
    await file.slice(0, 1).arrayBuffer();
  } catch {
    throw new ApiError({ code: "unreadable", message: "The browser cannot read this file any more." });
  }
}

// What was enrolled stays said about the same face; confirming is about one decision, and this is another one.
function saidBefore(faces, face) {
  const same = faces.find((one) => overlap(one.box, face.box) >= SAME_FACE);
  return same?.said?.what === "enrolled" ? same.said : null;
}

function overlap(a, b) {
  const width = Math.max(0, Math.min(a[2], b[2]) - Math.max(a[0], b[0]));
  const height = Math.max(0, Math.min(a[3], b[3]) - Math.max(a[1], b[1]));
  const area = (box) => (box[2] - box[0]) * (box[3] - box[1]);
  return (width * height) / (area(a) + area(b) - width * height || 1);
}
