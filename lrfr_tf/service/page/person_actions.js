// What can be changed about a person, each in a dialog. They resolve to whether anything was changed.

import { ask, dropPictures, patch, post } from "./api.js";
import { openDialog } from "./dialog.js";
import { counted, el, field, moment } from "./dom.js";
import { personPicker } from "./picker.js";
import { go, personAddress } from "./router.js";
import { done, report } from "./say.js";

const COPIES = { backup: "Backup", export: "Export of the gallery", subject_export: "Export of this person" };
const address = (person) => `v1/persons/${encodeURIComponent(person.id)}`;
const referenceAddress = (one) => `v1/references/${encodeURIComponent(one.id)}`;

function nameField(value = "") {
  return el("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true, maxlength: 200, value });
}

export function askRename(person) {
  const input = nameField(person.name);
  return openDialog({
    title: "Rename", body: [field("Name", input)], submit: "Rename",
    act: async () => {
      const { name } = await patch(address(person), { name: input.value });
      done(`Renamed to ${name}`);
    },
  }).closed;
}

export function askExpiry(person) {
  return askDay(person.expires, `After it ${person.name} is never named; nothing is removed.`,
    (expires) => patch(address(person), { expires }));
}

export function askReferenceExpiry(references) {
  const effect = references.length === 1
    ? "After it the reference no longer counts; nothing is removed."
    : `After it the ${references.length} references no longer count; nothing is removed.`;
  const work = inTurn(references, (one, expires) => patch(referenceAddress(one), { expires }));
  return work.changed(askDay(references[0].expires, effect, work.run));
}

function askDay(day, effect, set) {
  const input = el("input", { type: "date", value: day || "" });
  return openDialog({
    title: "Last day in force",
    body: [field("Last day", input, "Empty: no end."), el("p", { class: "small" }, effect)],
    submit: "Set",
    act: async () => {
      if (!input.value && input.validity.badInput) throw new Error("This is no day of the calendar.");
      await set(input.value || null);
      done(input.value ? `The last day is ${input.value}` : "There is no last day");
    },
  }).closed;
}

export async function askMerge(person) {
  const picker = personPicker({ label: "Into", without: person.id });
  const into = await openDialog({
    title: `Merge ${person.name} into another person`,
    body: [
      picker.element,
      el("p", { class: "small" }, `All references of ${person.name} become those of the other person, whose name ` +
        `stays. The name ${person.name} is gone. There is no way back but to split them again by hand.`),
    ],
    submit: "Merge", danger: true,
    act: async () => {
      if (!picker.value()) throw new Error("Choose a person from the list.");
      return post(`${address(person)}/merge`, { into: picker.value().id });
    },
  }).closed;
  if (!into) return;
  done(`${person.name} is merged into ${into.name}`);
  go("people", into.id);
}

export async function askForget(person) {
  const input = nameField();
  const forgotten = await openDialog({
    title: `Forget ${person.name}`,
    body: [
      el("p", { class: "note bad" }, "Name, embeddings and pictures are removed and overwritten. There is no way " +
        "back."),
      field("To agree, type the name", input, person.name),
    ],
    submit: "Forget for good", danger: true,
    act: () => post(`${address(person)}/forget`, { confirm: input.value }),
  }).closed;
  if (!forgotten) return;
  dropPictures();
  await openDialog({ title: `${person.name} is forgotten`, body: afterwards(forgotten) }).closed;
  if (location.hash === personAddress(person.id)) go("people");
}

function afterwards({ references, cleaned, not_reached: copies }) {
  const rest = copies.length
    ? [
      el("p", {}, "These copies were made since, and still hold the data. Delete them yourself:"),
      el("ul", {}, copies.map((one) => el("li", {}, copyInWords(one)))),
    ]
    : el("p", {}, "No backup or export of the gallery is known that holds the data.");
  return [
    el("p", {}, `Removed: ${counted(references, "reference")}.`),
    cleaned ? null : el("p", { class: "note warning" }, "Another program reads the gallery; what is left in its file " +
      "is overwritten when the gallery is opened next."),
    rest,
    el("p", { class: "small" }, "The photos that the references were made from are where you keep them."),
  ];
}

function copyInWords({ kind, at, id }) {
  return `${COPIES[kind] || kind} of ${moment(at)} (${id})`;
}

export async function exportSubject(person) {
  try {
    const blob = await ask("POST", `${address(person)}/subject-export`, { as: "blob" });
    const link = el("a", { href: URL.createObjectURL(blob), download: `${person.id}.zip` });
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
    done(`Everything stored about ${person.name} is in ${person.id}.zip`);
  } catch (error) {
    report(error, "Nothing was exported");
  }
}

export function askSetAside(references) {
  const input = el("input", { type: "text", autocomplete: "off", maxlength: 200, value: "" });
  const setAside = (one, reason) => post(`${referenceAddress(one)}/set-aside`, reason ? { reason } : {});
  const work = inTurn(references, setAside);
  return work.changed(openDialog({
    title: `Set ${counted(references.length, "reference")} aside`,
    body: [
      field("Why", input, "One sentence, for whoever looks later; may be left empty."),
      el("p", { class: "small" }, references.length === 1
        ? "It no longer counts, but is kept, and can be restored."
        : "They no longer count, but are kept, and can be restored."),
    ],
    submit: "Set aside",
    act: async () => {
      await work.run(input.value.trim());
      done(`${counted(references.length, "reference")} set aside`);
    },
  }).closed);
}

export async function restore(reference) {
  try {
    await post(`${referenceAddress(reference)}/restore`);
    done("The reference is in force again");
    return true;
  } catch (error) {
    report(error, "The reference was not restored");
    return false;
  }
}

export function askMove(person, references) {
  const picker = personPicker({ label: "To", without: person.id });
  const work = inTurn(references, (one, to) => post(`${referenceAddress(one)}/move`, { to }));
  return work.changed(openDialog({
    title: `Move ${counted(references.length, "reference")}`,
    body: [picker.element],
    submit: "Move",
    act: async () => {
      const to = picker.value();
      if (!to) throw new Error("Choose a person from the list.");
      await work.run(to.id);
      done(`${counted(references.length, "reference")} moved to ${to.name}`);
    },
  }).closed);
}

export async function askSplit(person, references) {
  const input = nameField();
  const made = await openDialog({
    title: `Split ${counted(references.length, "reference")} off`,
    body: [
      el("p", {}, `They do not show ${person.name} but somebody who is not enrolled yet.`),
      field("Name of the new person", input),
    ],
    submit: "Split off",
    act: () => post(`${address(person)}/split`, { references: references.map((one) => one.id), name: input.value }),
  }).closed;
  if (!made) return false;
  done(`${made.name} is a person now`);
  go("people", made.id);
  return false;
}

// Changes references one after the other. Where one fails, those before it are changed: another try leaves them out,
// and `changed` resolves to true although the dialog was left.
function inTurn(references, act) {
  const finished = new Set();
  const run = async (value) => {
    for (const one of references) {
      const step = `${one.id} ${value}`;
      if (finished.has(step)) continue;
      await act(one, value);
      finished.add(step);
    }
  };
  return { run, changed: async (closed) => (await closed) || finished.size > 0 };
}
