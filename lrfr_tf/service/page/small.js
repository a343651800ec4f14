// Small pictures of photos. A browser decodes a photo in full before it shrinks it, which takes tens of megabytes each:
// so they are drawn two at a time, and only those that come into sight.

import { whenSeen } from "./face.js";

const SIDE = 160; // pixels
const AT_ONCE = 2;

const line = [];
let drawing = 0;

/** Draws a file small once the canvas is seen; what is no picture, or none that this browser knows, gets "nothing". */
export function drawSmall(file, canvas) {
  whenSeen(canvas, () => {
    line.push([file, canvas]);
    next();
  });
}

async function next() {
  if (drawing >= AT_ONCE || !line.length) return;
  const [file, canvas] = line.shift();
  drawing += 1;
  if (canvas.isConnected) await draw(file, canvas);
  drawing -= 1;
  next();
}

async function draw(file, canvas) {
  try {
    const whole = await createImageBitmap(file);
    const scale = Math.min(1, SIDE / Math.max(whole.width, whole.height));
    canvas.width = Math.max(1, Math.round(whole.width * scale));
    canvas.height = Math.max(1, Math.round(whole.height * scale));
    const context = canvas.getContext("2d");
    context.imageSmoothingQuality = "high";
    context.drawImage(whole, 0, 0, canvas.width, canvas.height);
    whole.close();
  } catch {
    canvas.classList.add("nothing");
  }
}
