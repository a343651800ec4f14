// Audit: what was changed and decided, with the key that asked; newest first.

import { get } from "./api.js";
import { pageOfRows, WHATS } from "./audit_rows.js";
import { openDialog } from "./dialog.js";
import { button, counted, el, field } from "./dom.js";
import { personPicker } from "./picker.js";
import { code, report } from "./say.js";
import { gallery, needs } from "./session.js";

export const title = "Audit";

const ROWS = 50; // asked for at once

export async function open({ root, signal, query }) {
  root.append(el("h1", {}, "Changes and decisions"), el("p", { class: "lead" }, retention()));
  const refused = needs("admin", "The audit");
  if (refused) {
    root.append(refused);
    return;
  }
  const what = query.get("what") || "";
  const wanted = { what: Object.hasOwn(WHATS, what) ? what : "", person: query.get("person") || "" };
  const kinds = el(
    "select", { change: () => look({ what: kinds.value }) },
    el("option", { value: "" }, "Everything"),
    Object.entries(WHATS).map(([what, { plural }]) => el("option", { value: what }, plural)),
  );
  kinds.value = wanted.what;
  const whose = el("span", { class: "name" });
  const choose = button("Choose a person …", choosePerson);
  const everybody = button("Everybody", () => look({ person: "" }), { kind: "quiet" });
  const days = el("div", { class: "audit-days" });
  const older = button("Show older", more);
  const state = el("p", { class: "small", role: "status" });
  root.append(
    el(
      "div", { class: "bar" },
      field("What", kinds),
      el("div", { class: "field", role: "group", "aria-label": "Person" },
        el("span", { class: "label" }, "Person"), el("div", { class: "actions" }, whose, choose, everybody)),
      button("Newest", () => look({})),
    ),
    days, el("div", { class: "actions" }, older, state),
  );
  let cursor = null;
  let shown = 0;
  let asked = 0;
  let failed = () => {}; // takes away what was said of it

  /** Begins anew with a filter; the address keeps it. */
  function look(change) {
    Object.assign(wanted, change);
    const words = new URLSearchParams(Object.entries(wanted).filter(([, value]) => value));
    history.replaceState(null, "", `#/audit${words.size ? `?${words}` : ""}`);
    const done = load(true);
    if (change.person === "") choose.focus();
    return done;
  }

  async function more() {
    const before = days.querySelectorAll("li").length;
    await load(false);
    const first = days.querySelectorAll("li")[before];
    if (first) {
      first.tabIndex = -1;
      first.focus();
    }
  }

  async function load(anew) {
    asked += 1;
    const mine = asked;
    state.textContent = "Asking …";
    older.disabled = true;
    days.setAttribute("aria-busy", "true");
    try {
      const page = await get("v1/audit", {
        order: "newest", limit: ROWS, what: wanted.what, person: wanted.person, cursor: anew ? undefined : cursor,
      }, { signal });
      if (mine !== asked) return;
      if (anew) {
        days.replaceChildren();
        shown = 0;
      }
      shown += page.rows.length;
      pageOfRows(days, page);
      cursor = page.next_cursor;
      const rows = `${counted(shown, "row")}${cursor ? "" : ", no older ones"}`;
      const nothing = wanted.what || wanted.person ? "There is nothing of this kind." : "Nothing is on record yet.";
      state.textContent = shown ? rows : nothing;
      failed();
    } catch (error) {
      if (mine !== asked) return;
      failed();
      failed = report(error, "The audit was not read");
      state.replaceChildren("The audit was not read. ", code(error));
    } finally {
      if (mine === asked) {
        older.disabled = false;
        older.hidden = !cursor;
        days.removeAttribute("aria-busy");
        await showPerson();
      }
    }
  }

  async function showPerson() {
    everybody.hidden = !wanted.person;
    choose.textContent = wanted.person ? "Another person …" : "Choose a person …";
    whose.textContent = wanted.person ? await nameOf(wanted.person, signal) : "Everybody";
  }

  async function choosePerson() {
    let chosen = null;
    const picker = personPicker({
      label: "Person",
      chosen: (option) => {
        chosen = option;
        if (dialog) dialog.agree.disabled = !option;
      },
    });
    const dialog = openDialog({
      title: "Whose rows?", body: [picker.element], submit: "Show these", act: () => chosen.id,
    });
    dialog.agree.disabled = true;
    const id = await dialog.closed;
    if (id) await look({ person: id });
  }

  await load(true);
}

function retention() {
  const days = gallery.audit_days;
  const kept = days ? `Each row is kept for ${counted(days, "day")}, then removed. ` : "";
  return `${kept}Rows hold random ids; a name is shown as long as its person is enrolled.`;
}

async function nameOf(id, signal) {
  try {
    return (await get(`v1/persons/${encodeURIComponent(id)}`, {}, { signal })).name;
  } catch {
    return `${id}, no longer enrolled`;
  }
}
