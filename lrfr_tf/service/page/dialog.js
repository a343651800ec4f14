// Dialogs: the browser's own, which keeps the focus inside, closes on Escape and gives the focus back.

import { button, el, freshId } from "./dom.js";

/** What `act` returns where the dialog stays open. */
export const STAY = Symbol("stay");

const open = new Set(); // closes each

/**
 * Opens a dialog with a form.
 *
 * title, body: what it shows; body is a list of elements.
 * submit: text of the button that agrees; without it there is only "Close".
 * danger: the button that agrees destroys something.
 * act: called when it is submitted; as long as it runs the dialog waits, and what it throws is shown in the dialog,
 *     which stays open. What it returns is what `closed` resolves to (true if it returns nothing).
 *     If it returns STAY, the dialog stays open.
 * cancel: text of the button that does not agree. leave: called when the dialog is closed while `act` runs; without it
 *     the dialog cannot be closed meanwhile.
 * wide: takes more room. stays: it is about no part of the page, and stays where another part is shown.
 *
 * Gives {element, form, close(value), closed}: `closed` resolves to false where it was cancelled.
 */
export function openDialog({ title, body, submit, danger = false, act, cancel, leave, wide = false, stays = false }) {
  const heading = el("h2", { id: freshId("dialog"), tabindex: "-1" }, title);
  const problem = el("p", { class: "note warning", role: "alert", hidden: true });
  const agree = submit ? el("button", { class: `button ${danger ? "danger" : "primary"}` }, submit) : null;
  const dismiss = button(cancel || (submit ? "Cancel" : "Close"), dismissed);
  const form = el(
    "form", { method: "dialog", submit: onSubmit },
    heading, el("div", { class: "dialog-body" }, body), problem, el("div", { class: "actions" }, dismiss, agree),
  );
  const element = el("dialog", { class: wide ? "wide" : "", "aria-labelledby": heading.id }, form);
  const before = document.activeElement;
  let answer = false;
  let busy = false;
  let resolve;
  const closed = new Promise((done) => {
    resolve = done;
  });

  function close(value) {
    answer = value;
    element.close();
  }

  function dismissed() {
    if (busy && !leave) return;
    if (busy) leave();
    close(false);
  }

  async function onSubmit(event) {
    event.preventDefault();
    if (busy) return;
    if (!act) {
      close(true);
      return;
    }
    busy = true;
    agree.disabled = true;
    agree.setAttribute("aria-busy", "true");
    problem.hidden = true;
    try {
      const value = (await act()) ?? true;
      if (value !== STAY) close(value);
    } catch (error) {
      problem.textContent = error.code ? `${error.message} (${error.code})` : error.message;
      problem.hidden = false;
    } finally {
      busy = false;
      agree.disabled = false;
      agree.removeAttribute("aria-busy");
    }
  }

  element.addEventListener("cancel", (event) => {
    if (busy && leave) leave();
    else if (busy) event.preventDefault();
  });
  // What was wrong may be right by now.
  for (const event of ["input", "click"]) form.addEventListener(event, () => busy || (problem.hidden = true));
  const quit = () => {
    if (busy && leave) leave();
    close(false);
  };
  if (!stays) open.add(quit);
  element.addEventListener("close", () => {
    open.delete(quit);
    element.remove();
    if (before && before.isConnected && before !== document.body) before.focus();
    else document.getElementById("main").focus();
    resolve(answer);
  });
  document.body.append(element);
  element.showModal();
  const first = form.querySelector(".dialog-body :is(input, select, textarea):not([hidden])");
  (first || heading).focus();
  return { element, form, agree, close, closed };
}

/** Closes all dialogs that belong to the part of the page that is left. */
export function closeDialogs() {
  for (const quit of [...open].reverse()) quit();
}

/** Asks for agreement; resolves to whether it was given. `act` as for `openDialog`. */
export function confirm({ title, text, submit, danger = false, act }) {
  return openDialog({ title, body: [el("p", {}, text)], submit, danger, act }).closed;
}
