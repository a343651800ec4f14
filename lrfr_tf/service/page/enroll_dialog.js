// The dialog in which photos become references of a person, each with its answer.

import { post } from "./api.js";
import { openDialog, STAY } from "./dialog.js";
import { button, counted, el, field, freshKey } from "./dom.js";
import { filesOf, nameOf, takeDrops } from "./drop.js";
import { enrollPhoto, levelChoice, verdictLine } from "./enroll.js";
import { askBeforeLeaving } from "./leaving.js";
import { isForGood, isGone } from "./photos.js";
import { progress } from "./progress.js";
import { done } from "./say.js";
import { may } from "./session.js";
import { drawSmall } from "./small.js";

/**
 * Opens it. person: {id, name}; left out: somebody new, whose name is asked for. files: photos that are there already.
 * Resolves to the person if something was changed, else to false.
 */
export async function openEnroll({ person = null, files = [] }) {
  const photos = []; // {file, state: "new" | "sent" | "answered" | "failed", answer, error, key, level, row}
  const name = el("input", { type: "text", autocomplete: "off", spellcheck: "false", required: true, maxlength: 200 });
  const level = levelChoice(() => label());
  const list = el("ul", { class: "enroll-list", "aria-label": "Photos to enroll" });
  const line = el("div", {});
  const drop = el("div", { class: "enroll-drop" });
  let stopping = null;
  let someone = person;
  let isNew = false; // made here, and without a face so far
  let changed = false;

  const input = el("input", { type: "file", multiple: true, accept: "image/*", hidden: true, "aria-label": "Photos" });
  input.addEventListener("change", () => {
    add([...input.files]);
    input.value = "";
  });
  const choose = button("Choose photos", () => input.click(), { kind: "small" });
  drop.append(el("span", {}, "Drop photos here, or paste one."), choose, input);
  const dialog = openDialog({
    title: person ? `Photos of ${person.name}` : "Add a person",
    body: [person ? null : field("Name", name), drop, level.element, line, list],
    submit: "Enroll", cancel: "Close", wide: true, act: enroll, leave: () => stopping?.abort(),
  });
  takeDrops(dialog.element, add);
  dialog.element.addEventListener("paste", async (event) => add(await filesOf(event.clipboardData)));
  add(files);
  if (person) dialog.agree.focus();
  await dialog.closed;
  stopping?.abort();
  if (isNew) await leaveNobody();
  return changed ? someone : false;

  function add(more) {
    for (const file of more) {
      const photo = { file, state: "new", answer: null, error: null, key: null, level: null };
      photo.words = el("span", { class: "enroll-words" }, "waits");
      const image = el("canvas", { width: 1, height: 1, "aria-hidden": "true" });
      drawSmall(file, image);
      const called = el("span", { class: "enroll-name" }, nameOf(file));
      const about = el("span", { class: "enroll-about" }, called, photo.words);
      list.append(el("li", {}, image, about));
      photos.push(photo);
    }
    if (photos.length) list.tabIndex = 0; // a long list scrolls, also by keys
    label();
  }

  function left() {
    const isPicture = (photo) => !photo.answer.codes.includes("unreadable"); // else no level takes it
    const again = (photo) => photo.answer?.verdict === "rejected" && photo.level !== level.value() && isPicture(photo);
    const isLeft = (photo) => photo.state === "new" || (photo.state === "failed" && !isForGood(photo.error));
    return photos.filter((photo) => isLeft(photo) || again(photo));
  }

  function label() {
    const count = left().length;
    if (!someone && !count) dialog.agree.textContent = "Add without photos";
    else if (count) dialog.agree.textContent = `Enroll ${counted(count, "photo")}`;
    else dialog.agree.textContent = photos.length ? "Done" : "Enroll";
    dialog.agree.disabled = Boolean(someone) && !photos.length;
  }

  async function enroll() {
    if (!someone) {
      someone = await post("v1/persons", { name: name.value });
      isNew = true;
      changed = true;
      name.disabled = true;
    }
    const work = left();
    if (!work.length) {
      isNew = false; // without photos, as asked
      return true;
    }
    stopping = new AbortController();
    const bar = progress({ label: "Enrolling", total: work.length, stop: () => stopping.abort() });
    line.replaceChildren(bar.element);
    const sent = askBeforeLeaving();
    for (const [number, photo] of work.entries()) {
      if (stopping.signal.aborted) break;
      bar.step(number);
      await enrollOne(photo, bar);
      if (photo.error && (await isGone(photo.error))) break;
    }
    sent();
    bar.end(summary());
    label();
    if (photos.every((photo) => photo.answer?.verdict === "accepted")) {
      done(`${counted(photos.length, "photo")} of ${someone.name} enrolled`);
      return true;
    }
    return STAY;
  }

  async function enrollOne(photo, bar) {
    if (photo.level !== level.value() || !photo.key) photo.key = freshKey(); // another request
    Object.assign(photo, { level: level.value(), state: "sent", error: null });
    photo.words.replaceChildren("is sent …");
    try {
      photo.answer = await enrollPhoto(someone.id, photo.file, {
        level: photo.level, signal: stopping.signal, key: photo.key,
        waiting: (seconds) => bar.note(`The service is busy; waiting ${seconds} s`),
      });
      photo.state = "answered";
      photo.words.replaceChildren(...verdictLine(photo.answer));
      if (photo.answer.reference) {
        changed = true;
        isNew = false;
      }
    } catch (error) {
      photo.error = error;
      photo.state = error.code === "cancelled" ? "new" : "failed";
      photo.words.replaceChildren(...(photo.state === "new" ? ["stopped"] : verdictLine({}, error)));
    }
  }

  function summary() {
    const count = (is) => photos.filter(is).length;
    const parts = [
      [count((photo) => photo.answer?.verdict === "accepted"), "accepted"],
      [count((photo) => photo.answer?.verdict === "accepted_with_warning"), "with a warning"],
      [count((photo) => photo.answer?.verdict === "rejected"), "rejected"],
      [count((photo) => photo.state === "failed"), "failed"],
      [count((photo) => photo.state === "new"), "not sent"],
    ];
    return parts.filter(([number]) => number).map(([number, words]) => `${number} ${words}`).join(" · ");
  }

  // No photo was taken: somebody without a face would stay behind.
  async function leaveNobody() {
    if (may("admin")) {
      await post(`v1/persons/${someone.id}/forget`, { confirm: someone.name }).catch(() => {});
      done(`${someone.name} was not added: no photo was accepted`);
      changed = false;
    } else {
      done(`${someone.name} was added without a face`);
    }
  }
}
