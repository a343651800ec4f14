// The address behind "#/" says which part of the page is shown.

import { button, el } from "./dom.js";
import { clearErrors, report } from "./say.js";

/**
 * Shows a part for each address, and again whenever it changes.
 *
 * parts: {name: {title, open}}; `open({root, rest, signal, query})` fills `root`, an empty element. `rest` are the
 * pieces of the address behind the name, `signal` ends when another part is shown.
 */
export function route(parts, first) {
  const main = document.getElementById("main");
  let leaving = new AbortController();
  let shown = false;

  async function show() {
    if (location.hash && !location.hash.startsWith("#/")) return; // a place in the page, such as #main
    const [path, search = ""] = location.hash.slice(2).split("?");
    const [name, ...rest] = path.split("/").map(decoded);
    const part = Object.hasOwn(parts, name) ? parts[name] : null;
    if (!part) {
      location.replace(`#/${first}`);
      return;
    }
    leaving.abort();
    leaving = new AbortController();
    clearErrors();
    for (const link of document.querySelectorAll(".tabs a")) {
      if (link.getAttribute("href") === `#/${name}`) link.setAttribute("aria-current", "page");
      else link.removeAttribute("aria-current");
    }
    document.title = `${part.title} · lrfr`;
    const root = el("div", { class: `view view-${name}` });
    main.replaceChildren(root);
    if (shown) {
      main.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
    shown = true;
    try {
      await part.open({ root, rest, signal: leaving.signal, query: new URLSearchParams(search) });
    } catch (error) {
      if (error.code === "cancelled") return;
      report(error, `${part.title} cannot be shown`);
      root.append(el("p", {}, button("Try again", show, { kind: "primary" })));
    }
  }

  window.addEventListener("hashchange", show);
  show();
}

/** Goes to an address, such as go("people", id). */
export function go(...pieces) {
  location.hash = `#/${pieces.map(encodeURIComponent).join("/")}`;
}

/** The address of a person's page. */
export function personAddress(id) {
  return `#/people/${encodeURIComponent(id)}`;
}

function decoded(piece) {
  try {
    return decodeURIComponent(piece);
  } catch {
    return piece;
  }
}
