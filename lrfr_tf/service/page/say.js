// The one place where the page says what went wrong, and what was done.

import { button, el } from "./dom.js";

const SHOWN = 6000; // milliseconds of a line that says what was done

/**
 * Shows an error until it is closed. `doing` says what was tried: "Photo.jpg was not identified".
 * What was cancelled is no error. Gives what takes the line away, as when another try goes well.
 */
export function report(error, doing = "") {
  if (error.code === "cancelled") return () => {};
  if (!error.code) console.error(error); // a fault of the page
  const lines = place();
  const text = error.code ? error.message : `The page failed: ${error.message}`;
  const line = el(
    "div", { class: "error" },
    el("p", {}, doing ? el("strong", {}, `${doing}. `) : null, text, " ", code(error)),
    button("Dismiss", () => line.remove(), { kind: "quiet" }),
  );
  for (const other of lines.children) if (other.textContent === line.textContent) other.remove();
  while (lines.children.length >= 3) lines.firstChild.remove();
  lines.append(line);
  return () => line.remove();
}

// A dialog lies above everything: what goes wrong meanwhile is said in it.
function place() {
  const dialog = [...document.querySelectorAll("dialog[open]")].pop();
  if (!dialog) return document.getElementById("errors");
  const body = dialog.querySelector(".dialog-body");
  if (body.previousElementSibling.role !== "alert") body.before(el("div", { role: "alert" }));
  return body.previousElementSibling;
}

/** The code of an error, as the service gave it, and the id under which its log has the request. */
export function code(error) {
  const id = error.requestId ? ` · request ${error.requestId}` : "";
  return el("span", { class: "code" }, `${error.code || "page"}${id}`);
}

/** Says what was done, for some seconds. */
export function done(text) {
  const line = el("p", { class: "toast" }, text);
  document.getElementById("toasts").append(line);
  setTimeout(() => line.remove(), SHOWN);
}

/** Takes away what was said before: another part of the page is shown. */
export function clearErrors() {
  document.getElementById("errors").replaceChildren();
}
