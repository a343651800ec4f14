// Photos from where people have them: dropped files and folders, chosen ones, the clipboard.

import { report } from "./say.js";

const paths = new WeakMap(); // of what was dropped in folders
const IMAGE = /\.(jpe?g|jfif|jpe|png|bmp|webp|pgm|gif|tiff?|heic|heif|avif)$/i;

/**
 * Calls `take(files)` with what is dropped on an element, folders walked through.
 * The element has the class "over" while something is held over it. A signal ends it.
 */
export function takeDrops(element, take, signal) {
  let inside = 0;
  const on = (event, act) => element.addEventListener(event, act, { signal });
  signal?.addEventListener("abort", () => element.classList.remove("over"));
  const hasFiles = (event) => [...event.dataTransfer.types].includes("Files");
  on("dragenter", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    inside += 1;
    element.classList.add("over");
  });
  on("dragover", (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    event.dataTransfer.dropEffect = "copy";
  });
  on("dragleave", (event) => {
    if (inside) event.stopPropagation(); // a part that takes drops may lie in another one
    inside = Math.max(0, inside - 1);
    if (!inside) element.classList.remove("over");
  });
  on("drop", async (event) => {
    if (!hasFiles(event)) return;
    event.preventDefault();
    event.stopPropagation();
    inside = 0;
    element.classList.remove("over");
    const hasEntries = event.dataTransfer.items.length > 0;
    const files = await filesOf(event.dataTransfer);
    if (files.length) take(files);
    else if (hasEntries) reportNoPictures();
  });
}

/** What a drop or the clipboard holds; of folders only pictures, by the name's ending. */
export async function filesOf(transfer) {
  // Entries must be taken before the first wait: afterwards the browser has emptied the list.
  const items = [...(transfer.items || [])].filter((item) => item.kind === "file");
  const entries = items.map((item) => item.webkitGetAsEntry?.() || null);
  const plain = items.map((item) => item.getAsFile());
  const found = [];
  for (const [index, entry] of entries.entries()) {
    if (entry && entry.isDirectory) found.push(...(await filesIn(entry)).sort(byPath));
    else if (plain[index]) found.push(plain[index]);
  }
  return items.length ? found : [...(transfer.files || [])];
}

/** The pictures of a chosen folder: other files that lie beside them are not meant. */
export function picturesOnly(files) {
  return [...files].filter((file) => IMAGE.test(file.name)).sort(byPath);
}

/** Says that a folder was meant, and is of no use. */
export function reportNoPictures() {
  report({ code: "no_image", message: "The folder holds no pictures." });
}

/** A file's name with the folders in which it was dropped or chosen: many cameras call their photos alike. */
export function nameOf(file) {
  return paths.get(file) || file.webkitRelativePath || file.name;
}

async function filesIn(folder) {
  const reader = folder.createReader();
  const found = [];
  for (;;) { // it gives about a hundred at a time
    const entries = await new Promise((resolve, reject) => reader.readEntries(resolve, reject)).catch(() => []);
    if (!entries.length) break;
    for (const entry of entries) {
      if (entry.name.startsWith(".")) continue;
      if (entry.isDirectory) found.push(...(await filesIn(entry)));
      else if (IMAGE.test(entry.name)) {
        const file = await new Promise((resolve) => entry.file(resolve, () => resolve(null)));
        if (!file) continue;
        paths.set(file, entry.fullPath.replace(/^\//, ""));
        found.push(file);
      }
    }
  }
  return found;
}

function byPath(a, b) {
  return nameOf(a).localeCompare(nameOf(b), "en", { numeric: true });
}
