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

start();
