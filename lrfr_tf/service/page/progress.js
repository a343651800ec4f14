// Progress of long work, with a way to stop it.

import { button, el, freshId } from "./dom.js";

/**
 * A line of progress: put its `element` into the page.
 *
 * label: what is done. total: how many steps; null: nobody knows. stop: called by its button, if there is one.
 * Gives {element, step(done, text, total), note(text), end(text)}. A screen reader hears the beginning, every
 * quarter and the end.
 */
export function progress({ label, total = null, stop }) {
  const id = freshId("progress");
  const bar = el("progress", { id, max: total === null ? undefined : Math.max(1, total), value: undefined });
  if (total !== null) bar.value = 0;
  const text = el("span", { class: "progress-text" }, total === null ? "" : `0 of ${total.toLocaleString("en")}`);
  const heard = el("span", { class: "hidden-text", role: "status" });
  const stopping = stop ? button("Stop", () => {
    stopping.disabled = true;
    stop();
  }, { kind: "small" }) : null;
  const element = el("div", { class: "progress" }, el("label", { for: id }, label), text, stopping, bar, heard);
  heard.textContent = label;
  let said = 0;

  return {
    element,
    step(done, more = "", newTotal = total) {
      total = newTotal; // more may have come
      bar.max = Math.max(1, total);
      bar.value = done;
      text.textContent = `${done.toLocaleString("en")} of ${total.toLocaleString("en")}${more ? ` · ${more}` : ""}`;
      const quarter = Math.floor((4 * done) / Math.max(1, total));
      if (quarter > said && quarter < 4) heard.textContent = `${label}: ${done} of ${total}`;
      said = quarter;
    },
    note(more) {
      text.textContent = more;
    },
    end(more = "") {
      heard.textContent = more || `${label}: done`;
      text.textContent = more;
      bar.value = bar.max;
      stopping?.remove();
      element.classList.add("ended");
    },
  };
}
