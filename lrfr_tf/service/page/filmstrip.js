// All photos at a glance: small pictures with what was found, one of them selected.

import { el } from "./dom.js";
import { drawSmall } from "./small.js";
import { standing } from "./standing.js";

const KINDS = {
  all: ["All", () => true],
  candidate: ["With candidates", (photo) => photo.faces.some((face) => standing(face).kind === "candidate")],
  unknown: ["With unknown faces", (photo) => photo.faces.some((face) => standing(face).kind === "unknown")],
  failed: ["Failed or without a face", (photo) => photo.state === "failed" || isWithout(photo)],
};

// In a few letters; the photo itself has the sentence and the code.
const FAILURES = {
  unreadable: "no picture", body_too_large: "too large", too_many_pixels: "too large", no_answer: "no answer",
};

/** Gives {element, draw(selected, changed)}; `choose(photo)` is called with the one that was clicked. */
export function filmstrip(photos, choose) {
  const list = el("ul", { class: "filmstrip" });
  const kinds = el("select", { "aria-label": "Which photos are listed" },
    Object.entries(KINDS).map(([key, [words]]) => el("option", { value: key }, words)));
  const none = el("p", { class: "small", hidden: true }, "No photo is of this kind.");
  const items = new Map(); // a photo's id -> {item, button, words, state}
  let last = null;
  kinds.addEventListener("change", () => filter());
  const head = el("div", { class: "filmstrip-head" }, el("h2", {}, "All photos"), kinds);
  const element = el("section", { class: "section", "aria-label": "All photos" }, head, none, list);

  function draw(selected, changed) {
    last = selected;
    if (!changed) {
      const there = new Set(photos.all.map((photo) => photo.id));
      for (const [id, { item }] of items) {
        if (there.has(id)) continue;
        item.remove();
        items.delete(id);
      }
      for (const photo of photos.all) if (!items.has(photo.id)) list.append(made(photo));
    }
    for (const photo of photos.all) {
      const one = items.get(photo.id);
      if (!one) continue;
      one.button.setAttribute("aria-current", String(photo === selected));
      if (changed === null || changed === photo) describe(one, photo);
    }
    filter();
  }

  function made(photo) {
    const words = el("span", { class: "film-words" });
    const image = el("canvas", { width: 1, height: 1, "aria-hidden": "true" });
    const pressed = el("button", { type: "button", class: "film", click: () => choose(photo) }, image, words);
    const item = el("li", {}, pressed);
    items.set(photo.id, { item, button: pressed, words, image, drawn: false });
    return item;
  }

  function describe(one, photo) {
    const [kind, words] = about(photo);
    one.words.textContent = words;
    one.button.className = `film ${kind}`;
    one.button.setAttribute("aria-label", `${photo.name}: ${words}`);
    one.button.title = photo.name;
    if (!one.drawn && photo.state !== "waiting") {
      one.drawn = true;
      drawSmall(photo.file, one.image);
    }
  }

  function filter() {
    const [, is] = KINDS[kinds.value];
    let count = 0;
    for (const photo of photos.all) {
      const item = items.get(photo.id)?.item;
      if (!item) continue;
      item.hidden = !(is(photo) || (photo === last && kinds.value === "all"));
      count += item.hidden ? 0 : 1;
    }
    none.hidden = count > 0;
  }

  return { element, draw };
}

function isWithout(photo) {
  return photo.state === "answered" && !photo.faces.length;
}

function about(photo) {
  if (photo.state === "waiting") return ["waits", "waits"];
  if (photo.state === "sent") return ["waits", "is sent …"];
  if (photo.state === "failed") return ["failed", FAILURES[photo.error.code] || "failed"];
  if (!photo.faces.length) return ["unknown", "no face"];
  const best = photo.faces.find((face) => face.name) || photo.faces[0];
  const more = photo.faces.length > 1 ? ` +${photo.faces.length - 1}` : "";
  const { kind, label } = standing(best);
  return [kind, `${label}${more}`];
}
