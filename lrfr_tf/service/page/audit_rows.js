// Rows of the audit as sentences, a list for each day.

import { el, freshId, score } from "./dom.js";
import { personAddress } from "./router.js";
import { gallery } from "./session.js";

/** Kinds of rows: what is said of one, and of all of a kind. */
export const WHATS = {
  decision: { plural: "Decisions" },
  confirmed: { plural: "Confirmations" },
  refuted: { plural: "Refuted decisions" },
  enroll: { one: "Reference enrolled", plural: "References enrolled" },
  create: { one: "Person created", plural: "Persons created" },
  rename: { one: "Renamed", plural: "Renamed" },
  merge: { one: "Merged", plural: "Merged" },
  split: { one: "Reference split off", plural: "References split off" },
  move: { one: "Reference moved here", plural: "References moved" },
  set_aside: { one: "Reference set aside", plural: "References set aside" },
  restore: { one: "Reference restored", plural: "References restored" },
  expire: { one: "Last day set", plural: "Last days set" },
  forget: { one: "Forgotten", plural: "Forgotten" },
  subject_export: { one: "Data handed out", plural: "Data handed out" },
  export: { one: "Gallery exported", plural: "Exports" },
  backup: { one: "Gallery backed up", plural: "Backups" },
  import: { one: "Persons imported", plural: "Imports" },
  migrate: { one: "Moved to another network", plural: "Moves to another network" },
};

const DAY = { weekday: "short", day: "numeric", month: "long", year: "numeric" };

/** Adds rows to the days that are shown. */
export function pageOfRows(days, { rows, names = {} }) {
  for (const row of rows) {
    const at = new Date(row.at);
    const day = at.toLocaleDateString("en-GB", DAY);
    if (days.lastChild?.dataset.day !== day) {
      const heading = el("h2", { id: freshId("day") }, day);
      const list = el("ol", { class: "plain audit-rows", role: "list", "aria-labelledby": heading.id });
      const section = el("section", { class: "audit-day" }, heading, list);
      section.dataset.day = day;
      days.append(section);
    }
    days.lastChild.querySelector("ol").append(item(row, at, names));
  }
}

function item(row, at, names) {
  const time = at.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit", second: "2-digit" });
  return el(
    "li", { class: "audit-row" },
    el("time", { datetime: row.at, class: "small" }, time),
    el("div", { class: "audit-what" }, sentence(row, names), state(row)),
    el("span", { class: "small audit-who" }, byWhom(row.who), `no. ${row.number}`),
  );
}

function sentence(row, names) {
  const person = whom(row.person, names);
  if (row.what === "decision") {
    const scores = el(
      "span", { class: "small" },
      ` score ${score(row.score)}${typeof row.threshold === "number" ? `, threshold ${score(row.threshold)}` : ""}`,
    );
    const named = [el("strong", {}, "Named"), ": ", person];
    return [row.decision === "known" ? named : el("strong", {}, "Nobody named"), scores];
  }
  if (row.what === "confirmed" || row.what === "refuted") {
    const said = row.what === "confirmed" ? "Confirmed " : "Refuted ";
    return [el("strong", {}, said), "decision ", String(row.decided), ", ", person];
  }
  const said = WHATS[row.what]?.one || row.what;
  return [el("strong", {}, said), row.person ? [": ", person] : null];
}

/** How far a name is confirmed. */
function state(row) {
  if (row.what !== "decision" || row.decision !== "known" || !row.confirmation) return null;
  const { confirmed, refuted, needed = gallery.confirmations, is_confirmed: isConfirmed } = row.confirmation;
  if (refuted) return el("span", { class: "badge bad" }, "refuted");
  if (isConfirmed) return el("span", { class: "badge good" }, "confirmed");
  const words = needed > 1 ? `candidate, confirmed by ${confirmed} of ${needed}` : "candidate";
  return el("span", { class: "badge warn" }, words);
}

function whom(id, names) {
  if (!id) return "";
  if (Object.hasOwn(names, id)) return el("a", { class: "name", href: personAddress(id) }, names[id]);
  return el("span", {}, "somebody no longer enrolled ", el("span", { class: "code" }, id));
}

function byWhom(who) {
  if (!who) return "";
  return who === "local" ? "this machine · " : `by ${who} · `;
}
