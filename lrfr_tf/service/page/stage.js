// A photo with a box for each face; boxes are buttons.

import { el } from "./dom.js";
import { shortAnswer, standing } from "./standing.js";

/**
 * Shows a photo. `select(index)` is called with the face that was clicked.
 * Gives {element, mark(index)}: `mark` shows which face is selected.
 */
export function stage(photo, select) {
  const image = el("img", { class: "stage-image", src: photo.address, alt: `Photo ${photo.name}` });
  const boxes = photo.faces.map((face, index) => box(face, index, photo.faces.length, select));
  const frame = el("div", { class: `stage-frame ${boxes.length > 6 ? "many" : ""}` }, image, boxes);
  const element = el("div", { class: "stage" }, frame);
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
    mark(selected) {
      for (const [index, one] of boxes.entries()) one.setAttribute("aria-pressed", String(index === selected));
    },
  };
}

function box(face, index, count, select) {
  const [left, top, right, bottom] = face.box_normalized;
  const percent = (value) => `${(100 * Math.min(1, Math.max(0, value))).toFixed(3)}%`;
  const number = count > 1 ? `${index + 1} ` : "";
  const kind = standing(face).kind;
  return el(
    "button",
    {
      type: "button", class: `face-box ${kind} ${top > 0.9 ? "above" : ""}`, "aria-pressed": "false",
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
