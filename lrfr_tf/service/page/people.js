// People: who is enrolled.

import { el } from "./dom.js";

export const title = "People";

export async function open({ root }) {
  root.append(el("h1", {}, "People"));
}
