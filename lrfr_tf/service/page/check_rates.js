// What a stricter or a looser rate would cost: a slider over the rates that the service has tried.

import { counted, el, freshId, score } from "./dom.js";

const KINDS = { recognized: "recognized", none: "no name", another: "another's name" };

/** The section with the slider; null where the service knows no rates. */
export function ratesSlider(check) {
  const rates = check.rates || [];
  if (!rates.length) return null;
  const now = inForce(check, rates);
  const hint = freshId("rate-hint");
  const slider = el("input", {
    id: freshId("rate"), type: "range", min: 0, max: rates.length - 1, step: 1, "aria-describedby": hint,
  });
  slider.value = String(now.index);
  const words = el("p", { class: "rate-words" });
  const bar = el("div", { class: "shares", "aria-hidden": "true" });
  const rows = rates.map((rate) => row(rate));
  const show = () => {
    const rate = rates[Number(slider.value)];
    slider.setAttribute("aria-valuetext", `${percent(rate.fpir)}: ${costs(rate, rates[now.index], now.exact)}`);
    words.replaceChildren(
      el("strong", {}, `${percent(rate.fpir)}: ${ofStrangers(rate.fpir)}`),
      el("span", {}, costs(rate, rates[now.index], now.exact)),
    );
    bar.replaceChildren(...shares(rate));
    rows.forEach((one, index) => one.classList.toggle("chosen", index === Number(slider.value)));
  };
  slider.addEventListener("input", show);
  show();
  return el(
    "section", { class: "rates" },
    el("h2", {}, "What would a stricter rate cost?"),
    el(
      "div", { class: "rate-field" },
      el("label", { for: slider.id }, "How many strangers may get a name"), slider,
      el("div", { class: "rate-ends", "aria-hidden": "true" }, el("span", {}, "stricter"), el("span", {}, "looser")),
    ),
    words, bar,
    el("p", { class: "share-key small", "aria-hidden": "true" }, Object.entries(KINDS).map(([kind, words]) => (
      el("span", { class: `key-${kind}` }, words)
    ))),
    el(
      "p", { class: "small", id: hint }, inForceInWords(check, now), " Whoever starts the service sets the rate: ",
      el("code", {}, "--fpir=0.003"), ".",
    ),
    el("details", {}, el("summary", {}, "All rates as a table"), table(rows)),
  );
}

/** Which rate is in force: the nearest, and whether it is the very one. */
function inForce(check, rates) {
  const { rule, rate } = check.threshold || {};
  const wanted = rule === "fpir" ? rate : 0.01;
  const far = rates.map((one) => Math.abs(Math.log(one.fpir / wanted)));
  const index = far.indexOf(Math.min(...far));
  return { index, exact: rule === "fpir" && far[index] < 1e-6 };
}

function inForceInWords(check, now) {
  const { rule, rate } = check.threshold || {};
  if (rule === "fpir") return `In force: ${percent(rate)}${now.exact ? "" : ", which lies between these"}.`;
  return "The threshold in force follows none of these rates.";
}

function costs(rate, before, isInForce) {
  if (typeof rate.threshold !== "number") return "No threshold keeps this rate with this calibration: nobody is named.";
  const none = rate.tested - rate.recognized - rate.wrong;
  const share = rate.tested ? ` (${percent(rate.recognized / rate.tested)})` : "";
  const parts = [
    `${rate.recognized} of ${counted(rate.tested, "reference")} recognized${share}`,
    `${rate.wrong} with another's name`, `${none} without a name`,
  ];
  let text = `${parts.join(", ")}. A name needs a score of ${score(rate.threshold)}.`;
  if (typeof rate.strangers_share === "number") {
    text += ` If their own person were not enrolled, ${percent(rate.strangers_share)} would get another's name.`;
  }
  return isInForce && rate !== before ? `${text} ${difference(rate, before)}` : text;
}

function difference(rate, before) {
  const changes = [
    change(rate.recognized - before.recognized, "recognized"), change(rate.wrong - before.wrong, "wrong"),
  ].filter(Boolean);
  if (!changes.length) return "Nothing changes for these references.";
  return `Compared with the rate in force: ${changes.join(", ")}.`;
}

function change(count, what) {
  if (!count) return "";
  return `${Math.abs(count)} ${count > 0 ? "more" : "fewer"} ${what}`;
}

function shares(rate) {
  const all = rate.tested || 1;
  const none = rate.tested - rate.recognized - rate.wrong;
  return [["recognized", rate.recognized], ["none", none], ["another", rate.wrong]].map(([kind, count]) => (
    el("span", { class: `share share-${kind}`, css: { "flex-grow": String(count / all) } })
  ));
}

function table(rows) {
  const heads = ["Strangers named", "Threshold", "Recognized", "Another's name", "No name"];
  return el(
    "div", { class: "scroll", tabindex: "0", role: "group", "aria-label": "All rates" },
    el(
      "table", {}, el("caption", { class: "hidden-text" }, "What each rate costs"),
      el("thead", {}, el("tr", {}, heads.map((head) => el("th", { scope: "col" }, head)))), el("tbody", {}, rows),
    ),
  );
}

function row(rate) {
  const none = rate.tested - rate.recognized - rate.wrong;
  const cells = typeof rate.threshold === "number"
    ? [score(rate.threshold), rate.recognized, rate.wrong, none] : ["none keeps it", 0, 0, rate.tested];
  return el("tr", {}, el("th", { scope: "row" }, percent(rate.fpir)), cells.map((cell) => el("td", {}, String(cell))));
}

function ofStrangers(fpir) {
  const many = fpir < 0.01 ? 1000 : 100;
  const named = Number((fpir * many).toPrecision(3));
  return `of ${many.toLocaleString("en")} strangers ${named} ${named === 1 ? "gets" : "get"} a name`;
}

/** 0.003 -> "0.3 %". */
function percent(share) {
  return `${Number((100 * share).toPrecision(3))} %`;
}
