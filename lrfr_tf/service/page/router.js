// The address behind "#/" says which part of the page is shown.

import { closeDialogs } from "./dialog.js";
import { button, el } from "./dom.js";
import { clearErrors, report } from "./say.js";

const SLOW = 400; // milliseconds of waiting from which on it is said
const SETTLED = 150; // milliseconds without scrolling after which the place is kept

/**
 * Shows a part for each address, and again whenever it changes.
 *
 * parts: {name: {title, open}}; `open({root, rest, signal, query})` fills `root`, an empty element. `rest` are the
 * pieces of the address behind the name, `signal` ends when another part is shown.
 */
export function route(parts, first) {
  const main = document.getElementById("main");
  let leaving = new AbortController();
  let shown = null; // the address that is shown
  rememberPlaces();

  async function show() {
    if (shown && location.hash && !location.hash.startsWith("#/")) return; // a place in the page
    const [path, search = ""] = location.hash.slice(2).split("?");
    const [name, ...rest] = path.split("/").map(decoded);
    const part = Object.hasOwn(parts, name) ? parts[name] : null;
    if (!part) {
      location.replace(`#/${first}`);
      return;
    }
    leaving.abort();
    leaving = new AbortController();
    const { signal } = leaving;
    const [from, place] = [shown, kept("scroll")];
    closeDialogs();
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
    shown = location.hash;
    const state = el("p", { class: "small", role: "status" });
    root.append(state);
    const slow = setTimeout(() => state.append("Asking the service …"), SLOW);
    try {
      await part.open({ root, rest, signal, query: new URLSearchParams(search) });
      if (!signal.aborted && place) returnTo(root, place, from);
    } catch (error) {
      if (error.code === "cancelled") return;
      report(error, `${part.title} cannot be shown`);
      root.append(el("p", {}, button("Try again", show, { kind: "primary" })));
    } finally {
      clearTimeout(slow);
      state.remove();
    }
  }

  window.addEventListener("hashchange", show);
  show();
}

/** What the browser's history keeps with this address, such as kept("scroll"): there after "back" and a reload. */
export function kept(name) {
  return history.state?.[name];
}

/** Keeps something with this address: keep({scroll: 100}). */
export function keep(values) {
  history.replaceState({ ...history.state, ...values }, "");
}

// The browser would scroll before the part is there: so the place is kept and returned to here.
function rememberPlaces() {
  history.scrollRestoration = "manual";
  const note = () => keep({ scroll: Math.round(window.scrollY) });
  let timer = 0;
  window.addEventListener("scroll", () => {
    clearTimeout(timer);
    timer = setTimeout(note, SETTLED);
  });
  document.addEventListener("click", note, true); // it may lead elsewhere before the timer is over
}

// Scrolls to where one was, and gives the focus to the link by which one had left.
function returnTo(root, place, from) {
  const links = [...root.querySelectorAll("a")];
  if (from) links.find((link) => link.getAttribute("href") === from)?.focus({ preventScroll: true });
  window.scrollTo(0, place);
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
