// The key of the service: asked for once, kept until this tab is closed, sent with each request.

import { openDialog } from "./dialog.js";
import { el, field } from "./dom.js";

const PLACE = "lrfr-key";
let asking = null;

export function storedKey() {
  return sessionStorage.getItem(PLACE);
}

export function forgetKey() {
  sessionStorage.removeItem(PLACE);
}

/** Asks for a key, once for all that wait for one; resolves to whether there is one now. */
export function askForKey(why) {
  asking ||= ask(why).finally(() => {
    asking = null;
  });
  return asking;
}

async function ask(why) {
  const input = el("input", {
    type: "password", autocomplete: "off", spellcheck: "false", required: true, placeholder: "lrfr_…",
  });
  const dialog = openDialog({
    title: "This service needs a key",
    body: [
      why ? el("p", { class: "note warning", role: "alert" }, why) : null,
      field("Key", input, "Whoever runs the service makes one with: lrfr key create --gallery=... --role=read"),
      el("p", { class: "small" }, "It is kept in this tab alone, and gone when the tab is closed."),
    ],
    submit: "Use this key",
    stays: true,
  });
  if (!(await dialog.closed)) return false;
  sessionStorage.setItem(PLACE, input.value.trim());
  return true;
}
