// The parts of the check that list persons, pairs and references, with their faces.

import { button, counted, el, score } from "./dom.js";
import { storedFace } from "./face.js";
import { personAddress } from "./router.js";

const FIRST = 12; // shown at once; more on demand

/** Persons of whom a reference is not recognized, worst first. */
export function peopleInTrouble(check) {
  if (!check.threshold) return [];
  const people = check.people.filter((person) => person.recognized < person.tested);
  if (!people.length) return [];
  const taken = people.filter((person) => person.wrong).length;
  const one = (person) => el(
    "li", { class: "card trouble" },
    el("h3", {}, link(person.name, person.person)),
    faces(person.ids, person.name),
    el("p", {}, `${person.recognized} of ${person.tested} recognized`),
    person.wrong ? el(
      "p", { class: "wrong" }, `${person.wrong} taken for ${person.wrong > 1 ? "others, most often " : ""}`,
      link(person.taken_for, person.taken_for_person),
    ) : null,
    el("p", { class: "small" }, `median score ${score(person.similarity)}; the least alike reference first`),
  );
  return [section(
    "People who are not always recognized",
    "Look whether a reference shows somebody else, or is poor: it can be moved or set aside on the person's own page.",
    el("div", {}, shownInParts(people, one, "cards")),
    taken ? `${counted(taken, "person", "persons")} taken for somebody else`
      : `${counted(people.length, "person", "persons")} not always recognized`,
  )];
}

/** The most alike persons: both faces and the score beside the threshold. */
export function alikePairs(check) {
  if (!check.pairs.length) return [];
  const least = check.threshold?.score;
  const reaching = check.pairs.filter((pair) => pair.reaches).length;
  const one = (pair) => el(
    "li", { class: "pair" },
    el(
      "div", { class: "pair-faces" },
      storedFace(pair.id, pair.first), storedFace(pair.second_id, pair.second),
    ),
    el(
      "div", { class: "pair-about" },
      el("h3", {}, link(pair.first, pair.first_person), " and ", link(pair.second, pair.second_person)),
      gauge(pair.score, least),
      el("p", { class: pair.reaches ? "wrong" : "small" }, beside(pair, least)),
    ),
  );
  return [section(
    "The most alike persons",
    "The score is that of the nearest reference with the other person. Two entries may be one person: then merge them.",
    shownInParts(check.pairs, one, "pairs"),
    reaching ? `${counted(reaching, "pair")} of persons as alike as one person's references` : "",
  )];
}

function beside(pair, least) {
  if (typeof least !== "number") return `${score(pair.score)}, no threshold is known`;
  return `${score(pair.score)}, ${pair.reaches ? "reaches" : "below"} the threshold of ${score(least)}`;
}

/** Persons who cannot be tested, and those who are never named. */
export function withFewReferences(check) {
  const ids = new Map(check.people.map((person) => [person.name, person.person]));
  const part = (heading, meaning, names, advice) => (names.length ? [section(
    heading, meaning,
    shownInParts(names, (name) => el("li", {}, link(name, ids.get(name))), "names"),
    advice,
  )] : []);
  return [
    ...part(
      "Persons with one reference", "They are recognized, but it cannot be tested how well; a second one helps.",
      check.single, `${counted(check.single.length, "person", "persons")} with a single reference`,
    ),
    ...part(
      "Persons without a reference in force", "They are never named.",
      check.without, `${counted(check.without.length, "person", "persons")} without a reference in force`,
    ),
  ];
}

/** References that are not compared, and why. */
export function setAside(check) {
  if (!check.set_aside.length) return [];
  const ids = new Map(check.people.map((person) => [person.name, person.person]));
  const one = (row) => el(
    "li", { class: "pair" },
    el("div", { class: "pair-faces" }, storedFace(row.id, row.name)),
    el(
      "div", { class: "pair-about" }, el("h3", {}, link(row.name, row.person || ids.get(row.name))),
      el("p", { class: "small" }, row.reason),
    ),
  );
  return [section(
    "References set aside",
    "They are kept and not compared. On the person's own page they are put back in force.",
    shownInParts(check.set_aside, one, "pairs"),
  )];
}

/** How references of each size do, and what small ones cost. */
export function heightBands(check) {
  const rows = check.bands.map((band) => {
    const name = typeof band.most === "number" ? `${band.least} to below ${band.most} px` : `${band.least} px and more`;
    const share = band.tested ? `${((100 * band.recognized) / band.tested).toFixed(1)} %` : "–";
    const cells = [band.references, band.tested, share, score(band.similarity)];
    return el("tr", {}, el("th", { scope: "row" }, name), cells.map((cell) => el("td", {}, String(cell))));
  });
  const heads = ["Face height", "References", "Tested", "Recognized", "Median score"];
  return [el(
    "section", {}, el("h2", {}, "Small faces"),
    el("p", {}, smallCost(check.small_cost)),
    el(
      "div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "References by face height" },
      el(
        "table", {}, el("caption", { class: "hidden-text" }, "References by face height"),
        el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, rows),
      ),
    ),
  )];
}

function smallCost(cost) {
  if (!cost) return "Nobody has both small and large references, so what small ones cost cannot be told.";
  return (
    `Where somebody has both, small references move the mean score of ${counted(cost.compared, "large one")} from `
    + `${score(cost.similarity_without)} to ${score(cost.similarity_with)}; ${cost.without_small} are recognized `
    + `without and ${cost.with_small} with them.`
  );
}

function section(heading, meaning, content, advice = "") {
  const element = el("section", {}, el("h2", {}, heading), el("p", { class: "small" }, meaning), content);
  if (advice) element.dataset.advice = advice;
  return element;
}

/** A list whose rest comes on demand: a gallery may have thousands. */
function shownInParts(rows, one, kind) {
  const list = el("ul", { class: `plain ${kind}`, role: "list" });
  const more = button("", show);
  let shown = 0;
  function show() {
    const part = rows.slice(shown, shown + FIRST).map(one);
    const isFirst = shown === 0;
    list.append(...part);
    shown += part.length;
    more.hidden = shown >= rows.length;
    more.textContent = `Show more (${(rows.length - shown).toLocaleString("en")} left)`;
    if (!isFirst) part[0].querySelector("a, button")?.focus();
  }
  show();
  return [list, more];
}

function link(name, id) {
  return id ? el("a", { class: "name", href: personAddress(id) }, name) : el("span", { class: "name" }, name);
}

function faces(ids, name) {
  return el("div", { class: "faces" }, ids.map((id) => storedFace(id, name)));
}

/** A line from 0 to 1 with the score and the threshold; the words beside it say the same. */
function gauge(value, least) {
  const place = (score) => `${(100 * Math.min(1, Math.max(0, score))).toFixed(1)}%`;
  return el(
    "div", { class: "gauge", "aria-hidden": "true" },
    el("span", { class: "gauge-score", css: { width: place(value) } }),
    typeof least === "number" ? el("span", { class: "gauge-threshold", css: { left: place(least) } }) : null,
  );
}
