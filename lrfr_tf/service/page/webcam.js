// A photo by the camera of this device, where the browser allows it.

import { openDialog } from "./dialog.js";
import { button, el } from "./dom.js";

const REASONS = {
  NotAllowedError: "The browser does not allow this page to use a camera.",
  NotFoundError: "This device has no camera.",
  NotReadableError: "The camera is used by another program.",
};

/** Whether the browser has a way to a camera: only on this machine or behind TLS. */
export function hasWebcam() {
  return Boolean(navigator.mediaDevices?.getUserMedia);
}

/** Opens the camera; `take(file)` is called for each photo. Resolves when the dialog is closed. */
export async function openWebcam(take) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { width: { ideal: 1280 } } }).catch((error) => {
    throw Object.assign(new Error(REASONS[error.name] || error.message), { code: "no_camera" });
  });
  const video = el("video", { class: "webcam", autoplay: true, playsinline: true });
  video.setAttribute("aria-label", "What the camera sees");
  video.muted = true;
  video.srcObject = stream;
  const count = el("p", { class: "small", role: "status" }, "Nothing is sent until you take a photo.");
  let taken = 0;
  const shoot = button("Take a photo", async () => {
    const canvas = el("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    const blob = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    if (!blob) return;
    taken += 1;
    take(new File([blob], `webcam ${taken}.png`, { type: "image/png" }));
    count.textContent = `${taken === 1 ? "One photo" : `${taken} photos`} taken; the faces are behind this dialog.`;
  }, { kind: "primary", disabled: true });
  video.addEventListener("loadeddata", () => {
    shoot.disabled = false;
    shoot.focus();
  });
  const bar = el("div", { class: "webcam-bar" }, shoot);
  const dialog = openDialog({ title: "Webcam", body: [video, count, bar], wide: true });
  try {
    await dialog.closed;
  } finally {
    for (const track of stream.getTracks()) track.stop();
  }
}
