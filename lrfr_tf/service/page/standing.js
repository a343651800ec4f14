// What is known about a face, in words: a name is a candidate until a person has confirmed it.

import { counted, score } from "./dom.js";

/** {kind, label, title}: kind is a class of the style sheet, label is short, title a heading. */
export function standing(face) {
  const said = face.said;
  if (said?.what === "enrolled") {
    return { kind: "confirmed", label: `${said.name} ✓`, title: `Enrolled as ${said.name}` };
  }
  if (!face.name) return { kind: "unknown", label: "unknown", title: "Unknown face" };
  if (said?.what === "refuted") return { kind: "refuted", label: `not ${face.name}`, title: `Not ${face.name}` };
  if (said?.what === "confirmed" && said.is_confirmed) {
    return { kind: "confirmed", label: `${face.name} ✓`, title: `Confirmed: ${face.name}` };
  }
  return { kind: "candidate", label: `${face.name}?`, title: `Candidate: ${face.name}` };
}

/** The same as a part of a sentence, with the score. */
export function shortAnswer(face) {
  const { kind, title } = standing(face);
  if (kind === "unknown") {
    return face.candidates.length ? `unknown face, best score ${score(face.score)}` : "unknown face";
  }
  return `${title}, score ${score(face.score)}`;
}

/** The rule of the threshold in a sentence. */
export function ruleInWords(rule) {
  if (!rule || rule.score === undefined || rule.score === null) return "No threshold is known, so nobody is named.";
  const from = `A name needs a score of ${score(rule.score)}`;
  if (rule.rule === "fpir") {
    return `${from}: so of ${strangers(rule.rate)} gets a name, in a gallery of ${counted(rule.persons, "person")}.`;
  }
  if (rule.rule === "far") return `${from}: of ${strangers(rule.rate)} passes, in each comparison with one person.`;
  return `${from}, as asked; what that promises, nobody has measured.`;
}

/** "100 strangers one" for a rate of 0.01. */
export function strangers(rate) {
  const one = 1 / rate;
  if (Math.abs(one - Math.round(one)) < 0.01) return `${Math.round(one).toLocaleString("en")} strangers one`;
  return `1,000 strangers ${Math.round(1000 * rate)}`;
}
