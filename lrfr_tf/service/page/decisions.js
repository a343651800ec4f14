// A person looks at a decision that gave a name: it is confirmed or refuted, and the audit has it.

import { post } from "./api.js";
import { done, report } from "./say.js";

/** Notes that a person looked at a decision; errors are said on the page. */
export async function confirmDecision(face, agrees) {
  try {
    const answer = await post(`v1/decisions/${face.record}/confirm`, { agrees });
    face.said = { what: agrees ? "confirmed" : "refuted", ...answer };
    done(agrees ? `Noted: you confirm ${face.name}` : `Noted: it is not ${face.name}`);
  } catch (error) {
    report(error, `The decision was not ${agrees ? "confirmed" : "refuted"}`);
  }
}
