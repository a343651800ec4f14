// A thin line at the top of the page while the service has not answered for a moment: nothing seems to be stuck.

const SLOW = 500; // milliseconds

let waiting = 0;
let timer = 0;

/** Notes that a request has begun; gives what has to be called when it has ended. */
export function begin() {
  waiting += 1;
  if (waiting === 1) timer = setTimeout(() => show(true), SLOW);
  return () => {
    waiting -= 1;
    if (waiting) return;
    clearTimeout(timer);
    show(false);
  };
}

function show(is) {
  document.getElementById("activity").hidden = !is;
}
