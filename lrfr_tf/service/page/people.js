// People: everybody who is enrolled, found by a part of the name; photos are dropped onto a person.

import { get } from "./api.js";
import { add, button, counted, el, field } from "./dom.js";
import { takeDrops } from "./drop.js";
import { openEnroll } from "./enroll_dialog.js";
import { storedFace } from "./face.js";
import { openPerson } from "./person.js";
import { go, personAddress } from "./router.js";
import { gallery, may, needs, readGallery } from "./session.js";

export const title = "People";

const PAGE = 60;
const TYPING = 200; // milliseconds without a key after which it is searched

export async function open({ root, rest, signal, query }) {
  if (rest[0]) {
    await openPerson({ root, id: rest[0], signal });
    return;
  }
  await readGallery();
  const list = el("ul", { class: "people" });
  const more = button("Show more", () => load(false), { hidden: true });
  const state = el("p", { class: "small", role: "status" });
  const search = el("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  search.value = query.get("name") || "";
  const adding = may("enroll") ? button("Add a person", () => addPerson([]), { kind: "primary" }) : null;
  let cursor = null;
  let latest = 0;
  let timer = 0;

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = search.value.trim();
      history.replaceState(null, "", text ? `#/people?name=${encodeURIComponent(text)}` : "#/people");
      load(true);
    }, TYPING);
  });
  add(
    root,
    el("h1", {}, "People"),
    el("p", { class: "lead" }, about()),
    el("div", { class: "bar people-bar" }, field("Find a person", search), adding),
    needs("enroll", "Adding people and photos"),
    state, list, el("p", { class: "more" }, more),
  );
  if (may("enroll")) takeDrops(root, addPerson, signal);
  await load(true);

  async function load(anew) {
    const asked = ++latest;
    const text = search.value.trim();
    more.disabled = true;
    const found = await get("v1/persons", { contains: text, limit: PAGE, cursor: anew ? null : cursor }, { signal });
    if (asked !== latest) return;
    if (anew) list.replaceChildren();
    const first = list.children.length;
    list.append(...found.persons.map(card));
    cursor = found.next_cursor;
    more.hidden = cursor === null;
    more.disabled = false;
    if (!anew) list.children[first]?.querySelector("a").focus();
    state.textContent = says(text, list.children.length, cursor !== null);
  }

  function card(person) {
    const item = el(
      "li", { class: "person-card" },
      el("a", { href: personAddress(person.id) },
        storedFace(person.picture, person.name, "fill", { named: true }),
        el("span", { class: "person-name name" }, person.name),
        el("span", { class: "small" }, facts(person))),
    );
    if (may("enroll")) {
      item.append(el("span", { class: "drop-here", "aria-hidden": "true" }, "Drop to enroll"));
      takeDrops(item, async (files) => {
        if (await openEnroll({ person, files })) load(true);
      });
    }
    return item;
  }

  async function addPerson(files) {
    const person = await openEnroll({ files });
    if (person) go("people", person.id);
  }
}

function about() {
  const numbers = `${counted(gallery.persons, "person")} with ${counted(gallery.references, "reference")}`;
  const purpose = gallery.purpose ? ` Purpose: ${gallery.purpose}.` : "";
  const pictures = gallery.keeps_pictures ? "" : " This gallery keeps no pictures, so no faces are shown.";
  const drops = may("enroll") ? " Drop photos onto a person to enroll them, or beside to add somebody." : "";
  return `${numbers}.${purpose}${pictures}${drops}`;
}

function says(text, count, more) {
  if (!count) return text ? `Nobody's name has “${text}” in it.` : "Nobody is enrolled yet. Add the first person.";
  if (!text) return "";
  const persons = counted(count, "person");
  return more ? `The first ${persons} whose name has “${text}” in it` : `Found: ${persons}`;
}

function facts(person) {
  if (!person.references) return "no face yet";
  const aside = person.references - person.active;
  const parts = [`${aside ? `${person.active} of ` : ""}${counted(person.references, "reference")}`];
  if (person.expires) parts.push(isPast(person.expires) ? "expired" : `until ${person.expires}`);
  return parts.join(" · ");
}

function isPast(day) {
  return day < new Date().toISOString().slice(0, 10);
}
