// Finds a person by a part of the name, or takes the name of somebody new.

import { get } from "./api.js";
import { counted, el, freshId } from "./dom.js";
import { personFace, storedFace } from "./face.js";

const SHOWN = 8;
const TYPING = 200; // milliseconds without a key after which it is searched

/**
 * A field with a list below it (a combobox): arrows and Enter choose, so does a click.
 *
 * label: of the field. allowNew: whether a name that nobody has may be given. without: an id that is not offered.
 * first: persons, {id, name}, that are offered before anything is typed; without them the first of the gallery.
 * chosen: called with {id, name} of a person, {id: null, name} of somebody new, or null while nothing is chosen.
 * Gives {element, input, value()}.
 */
export function personPicker({ label, allowNew = false, without = null, first = [], chosen = () => {} }) {
  const list = el("ul", { id: freshId("options"), role: "listbox", class: "options", "aria-label": "Persons" });
  const input = el("input", {
    id: freshId("person"), type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
    "aria-expanded": "true", "aria-controls": list.id, "aria-autocomplete": "list", placeholder: "Part of the name",
  });
  const state = el("p", { class: "hint", role: "status" });
  let value = null;
  let options = [];
  let at = -1;
  let timer = 0;
  let latest = 0;

  function choose(option, index = -1) {
    value = option;
    for (const [number, item] of [...list.children].entries()) {
      item.setAttribute("aria-selected", String(number === index));
    }
    if (option) input.value = option.name;
    chosen(option);
  }

  function move(step) {
    if (!options.length) return;
    at = (at + step + options.length) % options.length;
    for (const [number, item] of [...list.children].entries()) item.classList.toggle("at", number === at);
    input.setAttribute("aria-activedescendant", list.children[at].id);
    list.children[at].scrollIntoView({ block: "nearest" });
  }

  async function search() {
    const asked = ++latest;
    const text = input.value.trim();
    if (!text && first.length) {
      offer(first, "The nearest persons; type for others.");
      return;
    }
    let found;
    try {
      found = await get("v1/persons", { contains: text, limit: SHOWN + 1 });
    } catch (error) {
      if (asked === latest) state.textContent = `${error.message} (${error.code})`;
      return;
    }
    if (asked !== latest) return;
    const persons = found.persons.filter((one) => one.id !== without).slice(0, SHOWN);
    const taken = found.persons.some((one) => one.name.toLowerCase() === text.toLowerCase());
    const offered = allowNew && text && !taken ? [...persons, { id: null, name: text }] : persons;
    offer(offered, says(text, persons.length, found.persons.length > SHOWN || Boolean(found.next_cursor)));
  }

  function offer(offered, words) {
    options = offered;
    list.replaceChildren(...options.map(item));
    at = -1;
    input.removeAttribute("aria-activedescendant");
    state.textContent = words;
  }

  function item(option, index) {
    const about = option.id ? known(option) : somebodyNew(option.name);
    return el("li", {
      id: freshId("option"), role: "option", "aria-selected": "false", click: () => choose(option, index),
    }, about);
  }

  function says(text, count, more) {
    if (!count) {
      if (!text) return allowNew ? "Nobody is enrolled yet; type a name." : "Nobody is enrolled yet.";
      return allowNew ? "Nobody's name has this in it." : "Nobody's name has this in it. Type less of it.";
    }
    return more ? `The first ${counted(count, "person")}; type more of the name.` : counted(count, "person");
  }

  input.addEventListener("input", () => {
    choose(null);
    clearTimeout(timer);
    timer = setTimeout(search, TYPING);
  });
  input.addEventListener("keydown", (event) => {
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      move(event.key === "ArrowDown" ? 1 : -1);
    } else if (event.key === "Enter" && !value && options.length) {
      event.preventDefault(); // chooses; the next Enter submits
      choose(options[Math.max(0, at)], Math.max(0, at));
    }
  });
  search();
  const element = el("div", { class: "field picker" }, el("label", { for: input.id }, label), input, list, state);
  return { element, input, value: () => value };
}

function known({ id, name, picture, references }) {
  const named = { named: true };
  return [
    picture === undefined ? personFace(id, name, "tiny", named) : storedFace(picture, name, "tiny", named),
    el("span", { class: "option-name" }, name),
    references === undefined ? null : el("span", { class: "small" }, counted(references, "reference")),
  ];
}

function somebodyNew(name) {
  return [
    el("span", { class: "face face-tiny" }, el("span", { class: "no-picture", "aria-hidden": "true" }, "+")),
    el("span", { class: "option-name" }, "Somebody new: ", el("strong", {}, name)),
  ];
}
