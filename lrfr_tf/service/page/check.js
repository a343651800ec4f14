// Check: does this gallery work?

import { el } from "./dom.js";

export const title = "Check";

export async function open({ root }) {
  root.append(el("h1", {}, "Does this gallery work?"));
}
