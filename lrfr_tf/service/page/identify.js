// Identify: who is in these photos?

import { el } from "./dom.js";

export const title = "Identify";

export async function open({ root }) {
  root.append(el("h1", {}, "Who is in this photo?"));
}
