// A photo with a box for each face; boxes are buttons.

import { el, score } from "./dom.js";
import { blobImage } from "./face.js";
import { shortAnswer, standing } from "./standing.js";

const ENLARGED = 440; // pixels of height to which a small photo is enlarged
const MOST_ENLARGED = 8;

/**
 * Shows a photo. `select(index)` is called with the face that was clicked.
 * Gives {element, mark(index)}: `mark` shows which face is selected.
 */
export function stage(photo, select) {
  const image = el("img", { class: "stage-image", src: photo.address, alt: `Photo ${photo.name}` });
  const boxes = photo.faces.map((face, index) => box(face, index, photo.faces.length, select));
  const frame = el("div", { class: `stage-frame ${boxes.length > 6 ? "many" : ""}` }, image, boxes);
  const element = el("div", { class: "stage" }, frame);
  image.addEventListener("load", () => enlarge(image));
  image.addEventListener("error", () => {
    image.remove();
    for (const one of boxes) one.remove();
    frame.replaceWith(el(
      "div", { class: "stage-nothing" },
      photo.state === "failed"
        ? el("p", {}, "There is no picture to show.")
        : el("p", {}, "This browser cannot show this kind of picture; the service can read it."),
    ));
  });
  return {
    element,
    mark: (selected) => press(boxes, selected),
  };
}

/** The faces of a photo in a row, as the network saw them: for boxes that are too small for a finger. */
export function faceList(photo, select) {
  if (photo.faces.length < 2) return { element: el("div", { hidden: true }), mark() {} };
  const buttons = photo.faces.map((face, index) => {
    const blob = face.picture;
    const { kind, label } = standing(face);
    return el(
      "button",
      {
        type: "button", class: `face-chip ${kind}`, "aria-pressed": "false", click: () => select(index),
        "aria-label": `Face ${index + 1} in the list: ${shortAnswer(face)}`,
      },
      el("span", { class: "face face-small" }, blob ? blobImage(blob, "", { class: "pixels" }) : null),
      el("span", { class: "chip-words" },
        el("span", { class: "chip-name" }, `${index + 1} ${label}`),
        el("span", { class: "small" }, `${score(face.score)} · ${face.height.toFixed(0)} px`)),
    );
  });
  const items = buttons.map((one) => el("li", {}, one));
  return {
    element: el("ul", { class: "face-chips", "aria-label": "Faces in this photo" }, items),
    mark: (selected) => press(buttons, selected),
  };
}

function press(buttons, selected) {
  for (const [index, one] of buttons.entries()) one.setAttribute("aria-pressed", String(index === selected));
}

// Small photos are what this project is for: they are shown larger, and as the pixels that they are.
function enlarge(image) {
  const factor = Math.min(Math.min(ENLARGED, 0.55 * window.innerHeight) / image.naturalHeight, MOST_ENLARGED);
  if (factor <= 1) return;
  image.style.setProperty("width", `${Math.round(factor * image.naturalWidth)}px`);
  if (factor > 2) image.classList.add("pixels");
}

function box(face, index, count, select) {
  const [left, top, right, bottom] = face.box_normalized;
  const percent = (value) => `${(100 * Math.min(1, Math.max(0, value))).toFixed(3)}%`;
  const number = count > 1 ? `${index + 1} ` : "";
  const kind = standing(face).kind;
  return el(
    "button",
    {
      type: "button", "aria-pressed": "false",
      class: `face-box ${kind} ${top > 0.9 ? "above" : ""} ${left > 0.5 ? "leftward" : ""}`,
      "aria-label": `Face ${index + 1}: ${shortAnswer(face)}`, click: () => select(index),
      css: {
        left: percent(left), top: percent(top), width: percent(Math.min(1, right) - Math.max(0, left)),
        height: percent(Math.min(1, bottom) - Math.max(0, top)),
      },
    },
    el("span", { class: "box-label", "aria-hidden": "true" },
      el("span", { class: "box-number" }, number), el("span", { class: "box-name" }, standing(face).label)),
  );
}
