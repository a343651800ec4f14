// Pictures of faces: stored ones, which need the key, and those that came with an answer.

import { get, storedPicture } from "./api.js";
import { el } from "./dom.js";

const waiting = new IntersectionObserver(
  (entries) => {
    for (const entry of entries) {
      if (!entry.isIntersecting) continue;
      waiting.unobserve(entry.target);
      entry.target.dispatchEvent(new Event("seen"));
    }
  },
  { rootMargin: "300px" },
);

/** Calls `act` once, when an element comes into sight. */
export function whenSeen(element, act) {
  element.addEventListener("seen", act, { once: true });
  waiting.observe(element);
}

/** An image of a Blob; its address is given back once it is drawn. */
export function blobImage(blob, alt, attributes = {}) {
  const address = URL.createObjectURL(blob);
  const image = el("img", { alt, ...attributes });
  const giveBack = () => URL.revokeObjectURL(address);
  for (const event of ["load", "error"]) image.addEventListener(event, giveBack, { once: true });
  image.src = address;
  return image;
}

/**
 * The stored face of a reference, fetched once it comes into sight. Pixels are shown as pixels.
 *
 * reference: an id; null: there is none. name: whose face it is, for who cannot see it. side: "tiny", "small",
 * "medium", "large" or "fill". named: the name stands beside it, so that a screen reader need not say it twice.
 */
export function storedFace(reference, name, side = "medium", { named = false } = {}) {
  const frame = el("span", { class: `face face-${side}`, "aria-hidden": named ? "true" : null });
  if (!reference) {
    frame.append(nothing(name));
    return frame;
  }
  whenSeen(frame, async () => {
    try {
      const blob = await storedPicture(reference);
      frame.replaceChildren(blob ? blobImage(blob, `Stored face of ${name}`, { class: "pixels" }) : nothing(name));
    } catch (error) {
      frame.replaceChildren(nothing(name, error.message));
    }
  });
  return frame;
}

/** The face of a person by the person's id, where the picture's id is not known yet. */
export function personFace(person, name, side = "small", options = {}) {
  const frame = el("span", { class: `face face-${side}` });
  get(`v1/persons/${encodeURIComponent(person)}`)
    .then(({ picture }) => frame.replaceWith(storedFace(picture, name, side, options)))
    .catch((error) => frame.replaceChildren(nothing(name, error.message)));
  return frame;
}

/** A picture in base64, such as a face's `picture`, as a Blob; null: there is none. */
export function blobOfBase64(text, type = "image/png") {
  if (!text) return null;
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  return new Blob([bytes], { type });
}

function nothing(name, why = "No picture is kept") {
  const initials = [...(name || "?")][0].toUpperCase();
  return el("span", { class: "no-picture", title: why, role: "img", "aria-label": `${name}: ${why}` }, initials);
}
