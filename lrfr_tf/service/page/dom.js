// Elements are made here and nowhere from strings of HTML: whatever a name holds, it is shown as text.

/**
 * An element with attributes and children; strings become text.
 * `class`, `hidden` and other attributes as in HTML; `css` sets properties of its style; functions are listeners, by
 * the name of their event: `el("button", {type: "button", click: go}, "Go")`.
 */
export function el(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (typeof value === "function") element.addEventListener(name, value);
    else if (name === "css") for (const [key, one] of Object.entries(value)) element.style.setProperty(key, one);
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  add(element, children);
  return element;
}

/** Appends children; strings become text, and what is undefined, null or false is left out. */
export function add(element, ...children) {
  const isThere = (child) => child !== undefined && child !== null && child !== false;
  element.append(...children.flat(Infinity).filter(isThere));
}

/** Puts children into an element instead of what was there. */
export function fill(element, ...children) {
  element.replaceChildren();
  add(element, children);
}

/** A button with a text; `kind` is "primary", "danger", "quiet" or nothing. */
export function button(text, click, { kind = "", ...attributes } = {}) {
  return el("button", { type: "button", class: `button ${kind}`, click, ...attributes }, text);
}

/** 32 random digits, also where the page has no TLS, which crypto.randomUUID asks for. */
export function freshKey() {
  return [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

let numbered = 0;

/** An id that no other element has. */
export function freshId(prefix) {
  numbered += 1;
  return `${prefix}-${numbered}`;
}

/** A label with its field, and a hint below it. */
export function field(text, input, hint) {
  input.id ||= freshId("field");
  const described = hint ? el("p", { class: "hint", id: `${input.id}-hint` }, hint) : null;
  if (described) input.setAttribute("aria-describedby", described.id);
  return el("div", { class: "field" }, el("label", { for: input.id }, text), input, described);
}

/** "1 photo", "2 photos". */
export function counted(count, one, many = `${one}s`) {
  return `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
}

/** A score with three digits, or "-". */
export function score(value) {
  return typeof value === "number" ? value.toFixed(3) : "–";
}

/** A moment of the service (UTC, ISO 8601) in this browser's time; a day stays as it is. */
export function moment(text) {
  if (!text || text.length <= 10) return text || "–";
  const at = new Date(text);
  return Number.isNaN(at.getTime()) ? text : at.toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "short" });
}
