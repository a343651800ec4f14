// Where the page begins: who asks is found out first, then the part that the address names is shown.

import * as audit from "./audit.js";
import * as check from "./check.js";
import { button, el } from "./dom.js";
import * as identify from "./identify.js";
import * as people from "./people.js";
import { route } from "./router.js";
import { clearErrors, report } from "./say.js";
import { readGallery } from "./session.js";

async function start() {
  const main = document.getElementById("main");
  main.replaceChildren(el("p", { class: "small" }, "Asking the service …"));
  try {
    await readGallery();
  } catch (error) {
    report(error, "The page cannot begin");
    main.replaceChildren(el("p", {}, button("Try again", start, { kind: "primary" })));
    return;
  }
  clearErrors();
  route({ identify, people, check, audit }, "identify");
}

// A photo that misses its place must not take the page away.
for (const event of ["dragover", "drop"]) window.addEventListener(event, (dropped) => dropped.preventDefault());

// What fails where nobody waits for it, as a search while one types, is said all the same.
window.addEventListener("unhandledrejection", (event) => {
  event.preventDefault();
  report(event.reason instanceof Error ? event.reason : new Error(String(event.reason)));
});

// The link would put "#main" in place of the address, which names the part of the page.
document.querySelector(".skip").addEventListener("click", (event) => {
  event.preventDefault();
  document.getElementById("main").focus();
});

start();
