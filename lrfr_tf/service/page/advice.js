// What would help a person's references: rules of thumb, each with its reason.

const FEW = 3;
const SMALL = 32; // pixels high, as the service's code `small`
const ONE_SIZE = 1.5; // the largest face is less than so many times as high as the smallest
const FRONTAL = 20; // degrees
const SOON = 30; // days

/** Sentences about a person's references; none where nothing is missing. `today` is a day as "2027-01-31". */
export function adviceFor(person, references, today = new Date().toISOString().slice(0, 10)) {
  const active = references.filter((one) => one.state === "active" && !(one.expires && one.expires < today));
  const advice = [];
  if (person.expires && person.expires < today) {
    return [`The last day was ${person.expires}: this person is never named any more. Set another day, or forget.`];
  }
  if (person.expires && daysBetween(today, person.expires) <= SOON) {
    advice.push(`The last day is ${person.expires}; after it this person is never named.`);
  }
  if (!active.length) return [...advice, "No reference is in force, so this person is never named. Add a photo."];
  const heights = active.map((one) => one.height).filter((height) => height > 0);
  const largest = Math.max(...heights);
  if (active.length === 1) {
    advice.push("There is one reference, so nothing can be checked. Two or three sharp photos are better.");
  } else if (active.length < FEW) {
    advice.push(`There are ${active.length} references. One more from another day or camera makes answers steadier.`);
  }
  if (heights.length && largest < SMALL) {
    advice.push(`All faces are under ${SMALL} pixels high. A sharp, large photo would help most.`);
  } else if (heights.length >= 2 && largest / Math.min(...heights) < ONE_SIZE) {
    advice.push(
      `All faces are about ${Math.round(largest)} pixels high. One from another distance shows how this person looks ` +
      "at the sizes of your cameras.",
    );
  }
  const poses = active.map((one) => one.pose).filter((pose) => pose !== null);
  if (poses.length >= 2 && Math.max(...poses) < FRONTAL) {
    advice.push("All faces look into the camera. One that is turned a little helps where cameras see people aside.");
  }
  if (active.every((one) => one.codes.includes("blurred"))) {
    advice.push("All photos are blurred; a sharp one would help.");
  }
  const aside = references.filter((one) => one.state !== "active").length;
  if (aside === 1) advice.push("One reference is set aside: does it show this person?");
  if (aside > 1) advice.push(`${aside} references are set aside: do they show this person?`);
  return advice;
}

function daysBetween(first, second) {
  return Math.round((new Date(second) - new Date(first)) / 86_400_000);
}
