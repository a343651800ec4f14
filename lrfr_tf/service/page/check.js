// Check: does this gallery work? every reference is held against everybody, as if it were new.

import { get } from "./api.js";
import { alikePairs, heightBands, peopleInTrouble, setAside, withFewReferences } from "./check_lists.js";
import { ratesSlider } from "./check_rates.js";
import { button, counted, el } from "./dom.js";
import { needs } from "./session.js";
import { ruleInWords } from "./standing.js";

export const title = "Check";

const SLOW = 3; // seconds, from which on it is said how long the check has taken

export async function open({ root, signal }) {
  root.append(
    el("h1", {}, "Does this gallery work?"),
    el(
      "p", { class: "lead" },
      "Each reference is taken out for a moment and compared with everybody, as if it were a new photo.",
    ),
  );
  const refused = needs("enroll", "The check");
  if (refused) {
    root.append(refused);
    return;
  }
  const again = button("Check again", () => run().catch((error) => state.replaceChildren(failure(error))));
  const state = el("p", { class: "small check-state", role: "status" });
  const result = el("div", { class: "check-result" });
  root.append(el("div", { class: "actions check-actions" }, again, state), result);

  async function run() {
    const began = performance.now();
    const tell = () => {
      const seconds = Math.round((performance.now() - began) / 1000);
      state.textContent = seconds < SLOW ? "Checking …" : `Checking … ${seconds} s. Large galleries take a while.`;
    };
    const timer = setInterval(tell, 1000);
    tell();
    again.disabled = true;
    result.setAttribute("aria-busy", "true");
    try {
      const { check } = await get("v1/gallery/check", {}, { signal, waiting: () => tell() });
      result.replaceChildren(...sections(check));
      const seconds = Math.max(0.1, (performance.now() - began) / 1000).toFixed(1);
      state.textContent = `Checked at ${new Date().toLocaleTimeString("en-GB")}, in ${seconds} s.`;
    } catch (error) {
      state.textContent = "";
      if (error.code !== "empty_gallery") throw error;
      result.replaceChildren(nobody());
    } finally {
      clearInterval(timer);
      again.disabled = false;
      result.removeAttribute("aria-busy");
    }
  }

  await run();
}

function failure(error) {
  return el("span", { class: "wrong" }, `${error.message} `, el("span", { class: "code" }, error.code || "page"));
}

function nobody() {
  return el(
    "p", { class: "note" }, "Nobody is enrolled yet, so there is nothing to check. ",
    el("a", { href: "#/people" }, "Enroll people"), " first.",
  );
}

function sections(check) {
  const parts = [
    ...peopleInTrouble(check), ...alikePairs(check), strangers(check), ...withFewReferences(check), ...setAside(check),
  ];
  return [
    summary(check), advice(check, parts), ratesSlider(check), ...parts, ...heightBands(check),
  ].filter(Boolean);
}

function summary(check) {
  const missed = check.tested - check.recognized - check.wrong;
  const share = (count) => (check.tested ? `${((100 * count) / check.tested).toFixed(1)} %` : "–");
  const figures = [
    ["Recognized", share(check.recognized), "right"],
    ["Another's name", share(check.wrong), check.wrong ? "wrong" : ""],
    ["No name", share(missed), ""],
    ["Persons", check.persons.toLocaleString("en"), ""],
    ["References", check.references.toLocaleString("en"), ""],
    ["Set aside", (check.references - check.active).toLocaleString("en"), ""],
  ];
  return el(
    "section", { class: "check-summary", "aria-label": "Summary" },
    el("p", { class: "verdict" }, inWords(check, missed)),
    el("dl", { class: "figures" }, figures.map(([name, value, kind]) => (
      el("div", { class: kind }, el("dt", {}, name), el("dd", {}, value))
    ))),
    el("p", { class: "small" }, ruleInWords(check.threshold)),
  );
}

function inWords(check, missed) {
  if (!check.tested) return "No person has two references in force, so recognition cannot be tested.";
  if (!check.threshold) {
    return `Without a threshold nobody is named; ${counted(check.tested, "reference")} could be compared.`;
  }
  const others = [
    check.wrong ? `${check.wrong.toLocaleString("en")} get another's name` : "nobody gets another's name",
    missed ? `${missed.toLocaleString("en")} get none` : "",
  ];
  const references = counted(check.tested, "reference");
  const recognized = `${check.recognized.toLocaleString("en")} of ${references} are recognized`;
  return `${recognized}; ${others.filter(Boolean).join(", ")}.`;
}

/** What to look at first: a line for each part below that asks for something. */
function advice(check, parts) {
  const lines = parts.filter((part) => part.dataset.advice).map((part) => (
    el("li", {}, button(part.dataset.advice, () => {
      const heading = part.querySelector("h2");
      heading.tabIndex = -1;
      heading.focus({ preventScroll: true });
      heading.scrollIntoView({ block: "start" });
    }, { kind: "link" }))
  ));
  if (!lines.length) return check.tested ? el("p", { class: "note good" }, "Nothing needs a look.") : null;
  return el("section", { class: "advice" }, el("h2", {}, "Worth a look"), el("ul", {}, lines));
}

function strangers(check) {
  const warns = check.strangers?.warns;
  const element = el(
    "section", {},
    el("h2", {}, "Are these people more alike than others?"),
    el(
      "p", { class: "small" },
      "Families, one age or one origin are more alike than the people by whom the threshold was set; ",
      "then wrong names are more frequent than the rate says.",
    ),
    el("p", { class: warns ? "note warning" : "note" }, check.strangers_in_words),
  );
  if (warns) element.dataset.advice = "More of these people are alike than the rate says";
  return element;
}
