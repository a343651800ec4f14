// People: everybody who is enrolled, found by a part of the name; photos are dropped onto a person.

import { get } from "./api.js";
import { add, button, counted, el, field } from "./dom.js";
import { takeDrops } from "./drop.js";
import { openEnroll } from "./enroll_dialog.js";
import { storedFace } from "./face.js";
import { openPerson } from "./person.js";
import { go, keep, kept, personAddress } from "./router.js";
import { report } from "./say.js";
import { aboutGallery, gallery, galleryChanged, may, needs, readGallery } from "./session.js";

export const title = "People";

const PAGE = 60;
const MOST = 1000; // that the service gives at once
const TYPING = 200; // milliseconds without a key after which it is searched

export async function open({ root, rest, signal, query }) {
  if (rest[0]) {
    await openPerson({ root, id: rest[0], signal });
    return;
  }
  await readGallery();
  const list = el("ul", { class: "people" });
  const more = button("Show more", () => again(false), { hidden: true });
  const state = el("p", { class: "small", role: "status" });
  const search = el("input", { type: "search", autocomplete: "off", spellcheck: "false" });
  search.value = query.get("name") || "";
  const adding = may("enroll") ? button("Add a person", () => addPerson([]), { kind: "primary" }) : null;
  let cursor = null;
  let latest = 0;
  let timer = 0;
  let failed = () => {}; // takes away what was said of it

  search.addEventListener("input", () => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      const text = search.value.trim();
      history.replaceState(null, "", text ? `#/people?name=${encodeURIComponent(text)}` : "#/people");
      again(true);
    }, TYPING);
  });
  add(
    root,
    el("h1", {}, "People"),
    aboutGallery(el("p", { class: "lead" }), about, signal),
    el("div", { class: "bar people-bar" }, field("Find a person", search), adding),
    needs("enroll", "Adding people and photos"),
    state, list, el("p", { class: "more" }, more),
  );
  if (may("enroll")) takeDrops(root, addPerson, signal);
  await load(true, Math.min(kept("persons") || PAGE, MOST)); // as many as were there before "back" led here

  async function load(anew, limit = PAGE) {
    const asked = ++latest;
    const text = search.value.trim();
    more.disabled = true;
    let found;
    try {
      found = await get("v1/persons", { contains: text, limit, cursor: anew ? null : cursor }, { signal });
    } catch (error) {
      if (asked !== latest) return;
      more.disabled = false;
      if (anew) list.replaceChildren(); // whoever is there was not asked for
      throw error;
    }
    if (asked !== latest) return;
    failed();
    if (anew) list.replaceChildren();
    const first = list.children.length;
    list.append(...found.persons.map(card));
    cursor = found.next_cursor;
    more.hidden = cursor === null;
    more.disabled = false;
    if (!anew) list.children[first]?.querySelector("a").focus();
    keep({ persons: list.children.length });
    state.textContent = says(text, list.children.length, cursor !== null);
  }

  async function again(anew, limit) {
    try {
      await load(anew, limit);
    } catch (error) {
      failed();
      failed = report(error, "The list cannot be shown");
    }
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
        if (!(await openEnroll({ person, files }))) return;
        galleryChanged();
        again(true, Math.min(Math.max(PAGE, list.children.length), MOST));
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
