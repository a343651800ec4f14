// Identify: who is in these photos? What was dropped stays while other parts of the page are shown.

import { button, counted, el } from "./dom.js";
import { filesOf, picturesOnly, reportNoPictures, takeDrops } from "./drop.js";
import { filmstrip } from "./filmstrip.js";
import { panel } from "./panel.js";
import { isForGood, Photos } from "./photos.js";
import { progress } from "./progress.js";
import { code, report } from "./say.js";
import { aboutGallery, gallery, galleryChanged, readGallery } from "./session.js";
import { faceList, stage } from "./stage.js";
import { standing } from "./standing.js";
import { hasWebcam, openWebcam } from "./webcam.js";

export const title = "Identify";

const photos = new Photos();
let selected = null; // a photo
let face = 0; // its face that is shown in full
let unsent = () => {}; // takes away what was said of photos that were not sent

export async function open({ root, signal }) {
  const empty = el("div", { class: "intake" });
  const line = el("div", {});
  const left = el("div", { class: "identify-left" });
  const right = el("div", { class: "identify-right" });
  const strip = filmstrip(photos, (photo) => {
    choosePhoto(photo);
    // In one column the photo stands above the list: without this nothing would be seen to happen.
    const [above, below] = [left, right].map((part) => part.getBoundingClientRect());
    if (above.left === below.left && above.top < 0) left.scrollIntoView({ block: "start" });
  });
  const bottom = el("div", { class: "identify-all" }, strip.element);
  const work = el("div", { class: "identify" }, left, right, bottom);
  let bar = null;
  let shown = null; // {photo, state, answer} that is drawn
  let refocus = false; // what had the focus is drawn anew

  intake(empty, add);
  const about = aboutGallery(el("p", { class: "lead" }), lead, signal);
  readGallery().catch((error) => report(error));
  root.append(
    el("h1", {}, "Who is in this photo?"),
    about,
    empty, line, work,
  );
  takeDrops(document.body, add, signal);
  document.addEventListener("paste", async (event) => {
    if (document.querySelector("dialog[open]")) return;
    const files = await filesOf(event.clipboardData);
    if (files.length) add(files);
  }, { signal });
  photos.listen(draw, signal);
  draw();

  function add(files) {
    const added = photos.add(files);
    if (!selected || selected.state !== "sent") choosePhoto(added[0]);
    send();
  }

  async function send() {
    unsent();
    try {
      await photos.send();
    } catch (error) {
      unsent = report(error, `${counted(photos.waiting.length, "photo")} not sent`);
    }
  }

  function choosePhoto(photo) {
    selected = photo;
    face = photo ? largest(photo) : 0;
    draw();
  }

  function draw(changed = null) {
    if (!photos.all.includes(selected)) selected = photos.all[0] || null;
    drawProgress();
    strip.draw(selected, changed);
    work.hidden = !selected;
    empty.classList.toggle("compact", photos.all.length > 0);
    bottom.hidden = photos.all.length < 2;
    if (!selected) {
      shown = null;
      return;
    }
    if (shown?.photo === selected && selected.state === "sent" && selected.answer) {
      right.setAttribute("aria-busy", "true"); // asked again: what was answered stays meanwhile
      return;
    }
    const now = `${selected.id} ${selected.state}`;
    if (shown?.now === now && shown.answer === selected.answer && changed !== selected) return;
    if (changed === selected && selected.state === "answered") face = Math.min(face, selected.faces.length - 1);
    if (shown?.photo !== selected || (shown.answer === null && selected.answer)) face = largest(selected);
    shown = { now, photo: selected, answer: selected.answer };
    drawPhoto();
  }

  function drawPhoto() {
    const photo = selected;
    const choose = (index) => {
      face = index;
      pictured.mark(index);
      list.mark(index);
      drawFace();
    };
    const pictured = stage(photo, choose);
    const list = faceList(photo, choose);
    pictured.mark(face);
    list.mark(face);
    const again = () => {
      photos.again([photo]);
      send();
    };
    left.replaceChildren(pictured.element, ...caption(photo, again, turnOver(photo)), list.element);
    drawFace();
  }

  // The photos before and after: "Previous" and "Next", which keep the focus.
  function turnOver(photo) {
    if (photos.all.length < 2) return null;
    const at = photos.all.indexOf(photo);
    const to = (step, words) => button(words, () => {
      choosePhoto(photos.all[at + step]);
      const buttons = [...left.querySelectorAll(".turn-over button")];
      const open = buttons.filter((one) => !one.disabled);
      (open.find((one) => one.textContent === words) || open[0]).focus();
    }, { kind: "small", disabled: !photos.all[at + step] });
    return el("div", { class: "actions" }, to(-1, "Previous"), to(1, "Next"));
  }

  function drawFace() {
    const photo = selected;
    right.removeAttribute("aria-busy");
    if (photo.state !== "answered" || !photo.faces.length) {
      right.replaceChildren(waitingOrNothing(photo));
      return;
    }
    const index = Math.max(0, face);
    right.replaceChildren(panel({
      photo, face: photo.faces[index], index, signal,
      changed: () => {
        refocus = true;
        drawProgress(); // it counts candidates
        drawPhoto();
        strip.draw(selected, photo);
      },
      again: () => {
        refocus = true;
        galleryChanged();
        photos.identify(photo, signal);
      },
    }));
    if (refocus) right.querySelector("h2").focus({ preventScroll: true });
    refocus = false;
  }

  function drawProgress() {
    if (photos.running && !bar) {
      bar = progress({ label: "Identifying", total: photos.all.length, stop: () => photos.stop() });
      line.replaceChildren(bar.element);
    }
    if (!photos.running) {
      if (bar && photos.finished) bar.end(summary());
      bar = null;
      line.replaceChildren(...(photos.all.length ? [toolbar(send, draw)] : []));
    } else {
      bar.step(photos.finished, photos.note, photos.all.length);
    }
  }
}

function lead() {
  if (!gallery.persons) {
    return "Nobody is enrolled yet, so every face is unknown. Say whose a face is, or add persons under People.";
  }
  const people = gallery.persons === 1 ? "only person" : `${gallery.persons.toLocaleString("en")} persons`;
  return `Each face is compared with the ${people} of this gallery. A name is a candidate until somebody confirms it.`;
}

function intake(element, add) {
  const files = el("input", { type: "file", multiple: true, accept: "image/*", hidden: true });
  const folder = el("input", { type: "file", multiple: true, webkitdirectory: true, hidden: true });
  files.addEventListener("change", () => {
    if (files.files.length) add([...files.files]);
    files.value = "";
  });
  folder.addEventListener("change", () => {
    const pictures = picturesOnly(folder.files);
    if (pictures.length) add(pictures);
    else reportNoPictures();
    folder.value = "";
  });
  const webcam = hasWebcam()
    ? button("Webcam", () => openWebcam((file) => add([file])).catch((error) => report(error, "No webcam"))) : null;
  files.setAttribute("aria-label", "Photos to identify");
  folder.setAttribute("aria-label", "A folder to identify");
  element.append(
    el("p", { class: "intake-text" }, el("strong", {}, "Drop photos or a folder here"), ", or paste a picture."),
    el("div", { class: "actions" },
      button("Choose photos", () => files.click(), { kind: "primary" }),
      button("Choose a folder", () => folder.click()), webcam),
    files, folder,
  );
}

function caption(photo, again, turnOver) {
  const name = el("p", { class: "photo-name small" }, photo.name);
  const lines = [el("div", { class: "actions turn-over" }, name, turnOver)];
  if (photo.state === "failed") {
    lines.push(
      el("p", { class: "note bad", role: "alert" }, `${photo.error.message} `, code(photo.error)),
      isForGood(photo.error) ? "" : button("Try this photo again", again),
    );
  } else if (photo.state === "answered") {
    name.textContent = `${photo.name} · ${facesOf(photo)}`;
  }
  return lines;
}

function waitingOrNothing(photo) {
  const words = {
    waiting: "This photo waits to be sent.", sent: "The service looks at this photo …",
    failed: "This photo has no answer.",
    answered: "No face is found in this photo.",
  };
  return el("div", { class: "panel card" }, el("p", { class: "small", role: "status" }, words[photo.state]));
}

function toolbar(send, draw) {
  const waiting = photos.waiting.length;
  const failed = photos.failed;
  return el(
    "div", { class: "toolbar" },
    el("p", { role: "status" }, summary()),
    el("div", { class: "actions" },
      waiting ? button(`Send ${counted(waiting, "photo")}`, send, { kind: "primary small" }) : null,
      failed.length ? button(`Try ${counted(failed.length, "failed photo")} again`, () => {
        photos.again(failed);
        send();
      }, { kind: "small" }) : null,
      button("Identify all again", () => {
        photos.again(photos.all);
        send();
      }, { kind: "small" }),
      button("Clear", () => {
        selected = null;
        photos.clear();
        draw();
      }, { kind: "small" })),
  );
}

function summary() {
  const faces = photos.all.flatMap((photo) => (photo.state === "answered" ? photo.faces : []));
  const count = (kind) => faces.filter((one) => standing(one).kind === kind).length;
  const parts = [
    counted(photos.all.length, "photo"), counted(faces.length, "face"), counted(count("candidate"), "candidate"),
  ];
  if (count("confirmed")) parts.push(`${count("confirmed").toLocaleString("en")} confirmed`);
  if (count("refuted")) parts.push(`${count("refuted").toLocaleString("en")} refuted`);
  const unknown = count("unknown");
  if (unknown) parts.push(`${unknown.toLocaleString("en")} unknown`);
  const failed = photos.all.filter((photo) => photo.state === "failed").length;
  if (failed) parts.push(`${failed.toLocaleString("en")} failed`);
  return parts.join(" · ");
}

function facesOf(photo) {
  const { width, height } = photo.answer.images[0];
  return `${width} × ${height} · ${photo.faces.length ? counted(photo.faces.length, "face") : "no face found"}`;
}

function largest(photo) {
  let best = 0;
  for (const [index, one] of photo.faces.entries()) if (one.height > photo.faces[best].height) best = index;
  return best;
}
