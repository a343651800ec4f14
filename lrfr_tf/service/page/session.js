// Who asks, and what the gallery is: read once when the page starts, and again when the key changes.

import { dropPictures, get } from "./api.js";
import { button, el } from "./dom.js";
import { forgetKey, storedKey } from "./key.js";

const ROLES = ["read", "enroll", "admin"];

/** What GET /v1/gallery says. */
export let gallery = null;

/** Reads it; throws an ApiError. */
export async function readGallery() {
  gallery = await get("v1/gallery");
  show();
  document.dispatchEvent(new Event("gallery"));
  return gallery;
}

/** Reads it again after a change, so that what the page says of it is true; what is missing then is said elsewhere. */
export function galleryChanged() {
  readGallery().catch(() => {});
}

/** An element whose words are about the gallery, and stay true. */
export function aboutGallery(element, words, signal) {
  element.textContent = words();
  document.addEventListener("gallery", () => {
    element.textContent = words();
  }, { signal });
  return element;
}

// Another key may be another role's.
document.addEventListener("key", () => {
  if (!gallery) return;
  dropPictures();
  galleryChanged();
});

/** Whether the key has a role: "read", "enroll" or "admin". */
export function may(role) {
  return gallery !== null && ROLES.indexOf(gallery.role) >= ROLES.indexOf(role);
}

/** A line that says which role something needs, where the key has not got it; else null. Of several: verb "need". */
export function needs(role, what, verb = "needs") {
  if (may(role)) return null;
  return el("p", { class: "small" }, `${what} ${verb} a key with the role ${role}; yours has ${gallery.role}.`);
}

function show() {
  const who = gallery.needs_key ? `key ${gallery.key}` : "this machine, no key";
  const change = button("Change key", changeKey, { kind: "quiet small" });
  document.getElementById("session").replaceChildren(
    el("span", { class: "small" }, `${who} · ${gallery.role}`), gallery.needs_key ? change : "",
  );
}

function changeKey() {
  if (storedKey()) forgetKey();
  dropPictures();
  location.reload();
}
