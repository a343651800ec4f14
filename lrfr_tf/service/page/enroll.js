// Photos become references: each has an answer of its own, with the service's codes.

import { ask } from "./api.js";
import { el, field } from "./dom.js";
import { checkFile } from "./photos.js";
import { gallery } from "./session.js";

const LEVELS = {
  off: "off: take whatever shows a face",
  standard: "standard: warn of poor photos, refuse unusable ones",
  strict: "strict: refuse poor photos",
};
const VERDICTS = {
  accepted: ["good", "accepted"],
  accepted_with_warning: ["warn", "accepted with a warning"],
  rejected: ["bad", "rejected"],
};

/** A choice of how strictly photos are looked at; `value()` gives it, `change()` is called when it is another one. */
export function levelChoice(change = () => {}) {
  const option = (level) => el("option", { value: level }, LEVELS[level] || level);
  const select = el("select", { change }, gallery.levels.map(option));
  select.value = "standard";
  return { element: field("How strictly photos are looked at", select), value: () => select.value };
}

/**
 * Enrolls one photo of a person; gives {verdict, codes, sentence, reference}.
 *
 * box: [x1, y1, x2, y2] of the face that is meant, in pixels of the photo; left out: the main face.
 * key: of the request; sent again with the same one after a fault, the photo is enrolled once.
 */
export async function enrollPhoto(person, file, { level, box, signal, waiting, key }) {
  await checkFile(file);
  const form = new FormData();
  form.append("image", file, file.name || "photo");
  if (box) form.append("box", box.join(","));
  const answer = await ask("POST", `v1/persons/${encodeURIComponent(person)}/references`, {
    query: { level }, form, headers: { "idempotency-key": key }, signal, waiting,
  });
  return answer.photos[0];
}

/** The answer to a photo, or the error that it met, in a badge, a sentence and the codes. */
export function verdictLine({ verdict, codes = [], sentence }, error = null) {
  const [kind, words] = error ? ["bad", "not enrolled"] : VERDICTS[verdict] || ["", verdict];
  return [
    el("span", { class: `badge ${kind}` }, words), " ",
    el("span", {}, error ? error.message : sentence), " ",
    el("span", { class: "code" }, (error ? [error.code || "page"] : codes).join(" ")),
  ];
}
