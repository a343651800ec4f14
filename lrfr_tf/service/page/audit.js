// Audit: what was changed and decided, with the key that asked.

import { el } from "./dom.js";

export const title = "Audit";

export async function open({ root }) {
  root.append(el("h1", {}, "Changes and decisions"));
}
