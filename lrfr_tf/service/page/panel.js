// One face in full: what the network saw, whose it may be, and what a person says about it.

import { ask } from "./api.js";
import { confirmDecision, isOpen } from "./decisions.js";
import { button, counted, el, score } from "./dom.js";
import { verdictLine } from "./enroll.js";
import { blobImage, personFace } from "./face.js";
import { personAddress } from "./router.js";
import { code } from "./say.js";
import { may, needs } from "./session.js";
import { ruleInWords, standing } from "./standing.js";
import { openThisIs } from "./this_is.js";

const SMALL = 20; // pixels of a face that is hardly shrunk before it is super-resolved

/**
 * The panel of a face. `changed()` is called when something was said about it, `again()` when it was enrolled and the
 * photo has to be identified again.
 */
export function panel({ photo, face, index, changed, again, signal }) {
  const { kind, title } = standing(face);
  return el(
    "section", { class: `panel card ${kind}`, "aria-label": `Face ${index + 1} of ${photo.name}` },
    el("div", { class: "panel-head" },
      photo.faces.length > 1 ? el("span", { class: "badge" }, `face ${index + 1} of ${photo.faces.length}`) : null,
      el("h2", { class: "name", tabindex: "-1" }, title), badge(face)),
    el("p", { class: "small" }, measured(face)),
    said(face),
    pictures(face, signal),
    el("h3", {}, "Nearest persons"),
    candidates(face),
    face.candidates.length ? el("p", { class: "small" }, ruleInWords(photo.answer.decided_by)) : null,
    actions({ photo, face, changed, again }),
  );
}

function badge(face) {
  const { kind } = standing(face);
  const badges = {
    candidate: ["accent", "not confirmed"],
    unknown: ["", "nobody is near enough"],
    refuted: ["bad", "refuted"],
    confirmed: ["good", face.said?.what === "enrolled" ? "by your hand" : "confirmed"],
  };
  const [color, words] = badges[kind];
  return el("span", { class: `badge ${color}` }, words);
}

function measured(face) {
  const height = `The face is ${face.height.toFixed(0)} pixels high`;
  return face.candidates.length ? `Best score ${score(face.score)}. ${height}.` : `Nobody is enrolled. ${height}.`;
}

function said(face) {
  const about = face.said;
  if (!about) return null;
  if (about.what === "enrolled") return el("p", { class: "note" }, verdictLine(about.answer));
  const numbers = `${about.confirmed} of ${counted(about.needed, "needed confirmation")}`;
  if (about.what === "refuted") return el("p", { class: "note bad" }, "Refuted: this decision must not be acted on.");
  if (about.is_confirmed) return el("p", { class: "note good" }, `Confirmed (${numbers}).`);
  return el("p", { class: "note" }, `${numbers}; another person has to look, too.`);
}

function pictures(face, signal) {
  const blob = face.picture;
  if (!blob) return el("p", { class: "small" }, "The service gave no picture of this face.");
  const native = blobImage(blob, "The face as the network saw it, enlarged without smoothing", { class: "pixels" });
  const size = el("span", {}, "");
  native.addEventListener("load", () => {
    size.textContent = `${native.naturalWidth} × ${native.naturalHeight} pixels`;
  });
  const from = el("strong", {}, "Super-resolved");
  native.addEventListener("load", () => {
    if (native.naturalHeight > SMALL) from.textContent = "Shrunk to 16 × 16 and super-resolved";
  });
  const invented = el("div", { class: "panel-picture", "aria-busy": "true" });
  superResolve(blob, invented, signal);
  return el(
    "div", { class: "panel-pictures" },
    el("figure", {}, el("div", { class: "panel-picture" }, native),
      el("figcaption", {}, el("strong", {}, "What the network saw"), el("br"), size)),
    el("figure", {}, invented,
      el("figcaption", {}, from, el("br"),
        el("span", { class: "warning-text" }, "Its detail is invented. It is no evidence."))),
  );
}

async function superResolve(blob, frame, signal) {
  try {
    const form = new FormData();
    form.append("image", blob, "face.png");
    const picture = await ask("POST", "v1/super-resolve", { form, signal, as: "blob", waiting: () => {} });
    frame.replaceChildren(blobImage(picture, "The same face super-resolved; its detail is invented"));
  } catch (error) {
    if (error.code === "cancelled") return;
    frame.replaceChildren(el("p", { class: "small" }, `${error.message} `, code(error)));
  } finally {
    frame.removeAttribute("aria-busy");
  }
}

function candidates(face) {
  if (!face.candidates.length) return el("p", {}, "Nobody is enrolled yet.");
  return el("ol", { class: "candidates" }, face.candidates.map((one) => candidate(one, face)));
}

function candidate(one, face) {
  const reaches = face.threshold !== null && one.score >= face.threshold;
  const width = (value) => `${(100 * Math.min(1, Math.max(0, value))).toFixed(1)}%`;
  const meter = el(
    "span", { class: `meter ${reaches ? "reaches" : ""}`, "aria-hidden": "true" },
    el("span", { class: "meter-bar", css: { width: width(one.score) } }),
    face.threshold === null ? null : el("span", { class: "meter-threshold", css: { left: width(face.threshold) } }),
  );
  const name = one.person
    ? el("a", { class: "name", href: personAddress(one.person) }, one.name)
    : el("span", { class: "name" }, one.name);
  const image = one.person ? personFace(one.person, one.name, "small", { named: true }) : null;
  return el(
    "li", {}, image,
    el("span", { class: "candidate-name" }, name, meter),
    el("span", { class: "candidate-score" }, score(one.score),
      el("span", { class: "hidden-text" }, reaches ? ", reaches the threshold" : ", below the threshold")),
  );
}

function actions({ photo, face, changed, again }) {
  if (!may("enroll")) return needs("enroll", "Confirming, refuting and enrolling", "need");
  const buttons = [];
  if (isOpen(face)) {
    const look = (agrees) => () => confirmDecision(face, agrees).then(changed);
    buttons.push(button(`Confirm ${face.name}`, look(true), { kind: "primary" }));
    buttons.push(button(`Not ${face.name}`, look(false), { kind: "danger" }));
  }
  const other = () => openThisIs({ photo, face }).then((answer) => answer && again());
  buttons.push(button("This is …", other, { kind: buttons.length || face.name ? "" : "primary" }));
  const note = face.name && face.record === null
    ? el("p", { class: "small" }, "This service notes no decisions, so there is nothing to confirm.") : null;
  return [el("div", { class: "actions" }, buttons), note];
}
