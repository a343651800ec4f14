// A person looks at a decision that gave a name: it is confirmed or refuted, and the audit has it.

import { post } from "./api.js";
import { openDialog } from "./dialog.js";
import { el, field } from "./dom.js";
import { done, report } from "./say.js";
import { gallery } from "./session.js";

let lastWho = "";

/**
 * Notes that a person looked at the decision about a face, and keeps it in `face.said`; errors are said on the page.
 * Where several persons must confirm, each says who it is: they may share a key.
 */
export async function confirmDecision(face, agrees) {
  const look = async (who) => {
    const answer = await post(`v1/decisions/${face.record}/confirm`, who ? { agrees, who } : { agrees });
    face.said = { what: agrees ? "confirmed" : "refuted", ...answer };
    done(agrees ? `Noted: you confirm ${face.name}` : `Noted: it is not ${face.name}`);
  };
  if (gallery.confirmations > 1) {
    await askWho(agrees ? `Confirm ${face.name}` : `It is not ${face.name}`, look);
    return;
  }
  try {
    await look(null);
  } catch (error) {
    report(error, `The decision was not ${agrees ? "confirmed" : "refuted"}`);
  }
}

/** Whether somebody may still confirm or refute the decision about a face. */
export function isOpen(face) {
  if (!face.name || face.record === null) return false;
  return !face.said || (face.said.what === "confirmed" && !face.said.is_confirmed);
}

function askWho(title, look) {
  const input = el("input", { type: "text", autocomplete: "name", required: true, maxlength: 200, value: lastWho });
  return openDialog({
    title,
    body: [field("Your name", input, `${gallery.confirmations} different persons must look before a name counts as ` +
      "confirmed.")],
    submit: "Note it",
    act: async () => {
      await look(input.value.trim());
      lastWho = input.value.trim();
    },
  }).closed;
}
