// "This is ...": a person says whose face it is, and it is enrolled.

import { post } from "./api.js";
import { confirmDecision, isOpen } from "./decisions.js";
import { openDialog } from "./dialog.js";
import { el, freshKey } from "./dom.js";
import { enrollPhoto, levelChoice } from "./enroll.js";
import { blobImage } from "./face.js";
import { personPicker } from "./picker.js";
import { done } from "./say.js";
import { may } from "./session.js";

/** Opens the dialog for a face of a photo; resolves to the answer to the enrolled face, or false. */
export async function openThisIs({ photo, face }) {
  const { picture } = face;
  const level = levelChoice();
  const first = face.candidates.filter((one) => one.person).map(({ name, person }) => ({ id: person, name }));
  const picker = personPicker({ label: "This is", allowNew: true, first });
  const effect = el("p", { class: "small" }, "The face becomes one more reference that this person is recognized by.");
  let created = null; // somebody new whose face was refused at first: the next try is for the same person
  const keys = new Map(); // the same request again is answered as before, so that a fault enrolls nothing twice
  const dialog = openDialog({
    title: "Whose face is this?",
    body: [
      el("div", { class: "beside" },
        picture ? el("span", { class: "face face-medium" }, blobImage(picture, "The face", { class: "pixels" })) : null,
        effect),
      picker.element,
      level.element,
    ],
    submit: "Enroll this face",
    act: enrollFace,
  });
  const answer = await dialog.closed;
  if (!answer && created) await takeBack(created);
  return answer;

  async function enrollFace() {
    const chosen = picker.value();
    if (!chosen) throw new Error(picker.input.value.trim()
      ? "Choose from the list whose face it is: a person, or “Somebody new”."
      : "Choose a person from the list, or type the name of somebody new.");
    const person = chosen.id ? chosen : await createdFor(chosen.name);
    const request = `${person.id} ${level.value()}`;
    if (!keys.has(request)) keys.set(request, freshKey());
    const how = { level: level.value(), box: face.box, key: keys.get(request) };
    const enrolled = await enrollPhoto(person.id, photo.file, how);
    if (!enrolled.reference) {
      const codes = enrolled.codes.join(", ");
      throw new Error(`Rejected: ${enrolled.sentence} (${codes}) You may choose another level, or leave it.`);
    }
    if (created && created.id !== person.id) await takeBack(created);
    created = null;
    if (isOpen(face)) await confirmDecision(face, face.person === person.id);
    face.said = { what: "enrolled", name: person.name, answer: enrolled };
    done(`Enrolled as ${person.name}`);
    return enrolled;
  }

  async function createdFor(name) {
    if (created && created.name === name) return created;
    if (created) await takeBack(created);
    created = await post("v1/persons", { name });
    return created;
  }
}

// Somebody without a face would stay behind.
async function takeBack(person) {
  if (may("admin")) await post(`v1/persons/${person.id}/forget`, { confirm: person.name }).catch(() => {});
  else done(`${person.name} is enrolled without a face; add a photo under People.`);
}
