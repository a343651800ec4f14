// A person's page: the references, what to add, and what can be changed.

import { get } from "./api.js";
import { adviceFor } from "./advice.js";
import { button, counted, el, fill, moment } from "./dom.js";
import { takeDrops } from "./drop.js";
import { openEnroll } from "./enroll_dialog.js";
import { storedFace } from "./face.js";
import * as actions from "./person_actions.js";
import { needs, may } from "./session.js";

/** Fills `root` with the page of a person. */
export async function openPerson({ root, id, signal }) {
  const body = el("div", {});
  root.append(el("p", { class: "back" }, el("a", { href: "#/people" }, "← All people")), body);
  let person = null;
  try {
    await show();
  } catch (error) {
    if (error.code !== "no_such_person") throw error;
    body.append(el("h1", {}, "Nobody is here"), gone(id));
    return;
  }
  if (may("enroll")) takeDrops(root, enroll, signal);

  async function show() {
    const path = `v1/persons/${encodeURIComponent(id)}`;
    const options = { signal };
    const [about, { references }] = await Promise.all([get(path, {}, options), get(`${path}/references`, {}, options)]);
    person = about;
    document.title = `${person.name} · lrfr`;
    const chosen = new Set();
    const selection = el("div", { class: "selection", hidden: true, role: "group", "aria-label": "Ticked references" });
    const mark = (reference, is) => {
      if (is) chosen.add(reference.id);
      else chosen.delete(reference.id);
      drawSelection(selection, references.filter((one) => chosen.has(one.id)), references.length);
    };
    const cards = references.map((one) => card(one, mark));
    fill(
      body,
      head(references),
      advice(references),
      el("h2", { class: "section" }, "References"),
      references.length ? el("ul", { class: "references" }, cards) : nothing(),
      selection,
    );
  }

  function head(references) {
    const active = references.filter((one) => one.state === "active").length;
    const aside = references.length - active;
    const facts = [
      `${counted(active, "reference")}${isPast(person.expires) ? ", none" : ""} in force`,
      aside ? `${aside} set aside` : null,
      `enrolled ${moment(person.created)}`, person.expires ? `last day ${person.expires}` : "no last day",
    ];
    return el(
      "header", { class: "person-head" },
      storedFace(person.picture, person.name, "large"),
      el("div", {},
        el("h1", { class: "name", tabindex: "-1" }, person.name),
        el("p", { class: "small" }, facts.filter(Boolean).join(" · ")),
        buttons(),
        needs("enroll", "Changing anything"),
        may("enroll") ? needs("admin", "Merging, splitting, exporting and forgetting", "need") : null),
    );
  }

  function buttons() {
    const all = [];
    if (may("enroll")) {
      all.push(button("Add photos", () => enroll([]), { kind: "primary" }));
      all.push(button("Rename", () => after(actions.askRename(person))));
      all.push(button("Last day", () => after(actions.askExpiry(person))));
    }
    if (may("admin")) {
      all.push(button("Merge into …", () => actions.askMerge(person)));
      all.push(button("Export", () => actions.exportSubject(person)));
      all.push(button("Forget …", () => actions.askForget(person), { kind: "danger" }));
    }
    return el("div", { class: "actions" }, all);
  }

  function advice(references) {
    const sentences = adviceFor(person, references);
    if (!sentences.length) return el("p", { class: "note good" }, "Nothing is missing: references of several sizes.");
    return el("section", { class: "note", "aria-label": "What would help" },
      el("h2", {}, "What would help"), el("ul", {}, sentences.map((one) => el("li", {}, one))));
  }

  function card(one, mark) {
    const active = one.state === "active";
    const size = one.height ? `Face ${one.height.toFixed(0)} px high` : "Height unknown";
    const tick = el("input", { type: "checkbox", change: () => mark(one, tick.checked) });
    tick.setAttribute("aria-label", `Tick the reference: ${size}, enrolled ${moment(one.enrolled)}`);
    return el(
      "li", { class: `reference ${active ? "" : "aside"}` },
      el("label", { class: "reference-face" },
        storedFace(one.has_picture ? one.id : null, person.name, "fill"), may("enroll") ? tick : null),
      el("div", { class: "reference-about" },
        el("strong", {}, size), active ? null : [" ", el("span", { class: "badge warn" }, "set aside")],
        el("p", { class: "small" }, [turned(one), moment(one.enrolled)].filter(Boolean).join(" · ")),
        one.codes.map((code) => [el("span", { class: "badge warn", title: code }, code.replaceAll("_", " ")), " "]),
        one.expires ? el("p", { class: "small" }, `Last day ${one.expires}`) : null,
        one.reason ? el("p", { class: "small" }, one.reason) : null,
        may("enroll") && !active ? button("Restore", () => after(actions.restore(one)), { kind: "small" }) : null),
    );
  }

  // All references cannot be split off: renaming does what that would.
  function drawSelection(selection, chosen, count) {
    selection.hidden = !chosen.length;
    if (!chosen.length) return;
    const active = chosen.filter((one) => one.state === "active");
    fill(
      selection,
      el("strong", { role: "status" }, `${counted(chosen.length, "reference")} ticked`),
      el("div", { class: "actions" },
        active.length ? button("Set aside …", () => after(actions.askSetAside(active)), { kind: "small" }) : null,
        button("Move to …", () => after(actions.askMove(person, chosen)), { kind: "small" }),
        may("admin") && chosen.length < count ? button("Split off …",
          () => after(actions.askSplit(person, chosen)), { kind: "small" }) : null,
        button("Last day", () => after(actions.askReferenceExpiry(chosen)), { kind: "small" })),
    );
  }

  function nothing() {
    return el("div", { class: "empty" }, el("p", {}, "There is no photo of this person yet."),
      may("enroll") ? el("p", {}, "Drop photos here.") : null);
  }

  async function enroll(files) {
    await after(openEnroll({ person, files }));
  }

  // Shows the page anew once something was changed; the focus goes to the heading, as what had it may be gone.
  async function after(changing) {
    if (!(await changing) || signal.aborted) return;
    await show();
    body.querySelector("h1").focus({ preventScroll: true });
  }
}

// An old address, or another tab's: it leads nowhere, and trying again would change nothing.
function gone(id) {
  const audit = `#/audit?${new URLSearchParams({ person: id })}`;
  return el(
    "p", { class: "note" }, "There is no person with this id (no_such_person): forgotten, or merged into another. ",
    may("admin") ? [el("a", { href: audit }, "The audit"), " says what was changed."] : null,
  );
}

function isPast(day) {
  return Boolean(day) && day < new Date().toISOString().slice(0, 10);
}

function turned({ pose }) {
  if (pose === null) return "";
  return pose < 15 ? "frontal" : `turned ${pose.toFixed(0)}°`;
}
