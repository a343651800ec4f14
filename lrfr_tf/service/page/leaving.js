// While something is sent, the browser asks before it leaves the page: what is not sent yet would be lost.

const reasons = new Set();

/** Asks from now on; gives what ends that. */
export function askBeforeLeaving() {
  const reason = {};
  reasons.add(reason);
  return () => reasons.delete(reason);
}

window.addEventListener("beforeunload", (event) => {
  if (reasons.size) event.preventDefault();
});
