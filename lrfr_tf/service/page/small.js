// Small pictures of photos: the browser shrinks while it decodes, so that large photos do not fill the memory.

const SIDE = 160; // pixels

/** Draws a file small; what is no picture, or none that this browser knows, gets the class "nothing". */
export async function drawSmall(file, canvas) {
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
