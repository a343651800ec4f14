"""Everybody can use the page: axe finds nothing serious, and a keyboard is enough."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from tests.service.browser.chromium import DESKTOP, PHONE
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import drop, go_to, identify

pytestmark = pytest.mark.slow
SERIOUS = ("serious", "critical")
LOOKS = {
    "desktop, light": {"viewport": DESKTOP, "color_scheme": "light"},
    "desktop, dark": {"viewport": DESKTOP, "color_scheme": "dark"},
    "phone, light": {"viewport": PHONE, "color_scheme": "light", "has_touch": True},
    "phone, dark": {"viewport": PHONE, "color_scheme": "dark", "has_touch": True},
}


def findings(page: Page) -> list[str]:
    """What axe finds serious or critical, with the first place of each; and a page that is wider than its window."""
    found: dict[str, Any] = Axe().run(page).response
    serious = [one for one in found["violations"] if one["impact"] in SERIOUS]
    lines = [f"{one['id']}: {one['help']} at {one['nodes'][0]['html']}" for one in serious]
    wider = page.evaluate("document.documentElement.scrollWidth - window.innerWidth")
    return lines + ([f"{wider} pixels wider than the window"] if wider > 0 else [])


@pytest.mark.parametrize("look", LOOKS)
def test_axe_finds_nothing_serious(look: str, serve: Serve, open_page: Open, photo_file: Callable[..., Path]) -> None:
    page, _ = open_page(serve(), **LOOKS[look])
    found = {}
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    found["Identify, empty"] = findings(page)
    panel = identify(page, photo_file(0), photo_file(1))
    expect(panel.get_by_role("img", name="The same face super-resolved")).to_be_visible()
    found["Identify"] = findings(page)
    panel.get_by_role("button", name="This is …").click()
    expect(page.get_by_role("dialog").get_by_role("option")).not_to_have_count(0)
    found["Identify, whose face"] = findings(page)
    page.keyboard.press("Escape")
    go_to(page, "People")
    link = page.get_by_role("main").get_by_role("link", name="ada")
    expect(link).to_be_visible()
    found["People"] = findings(page)
    drop(page, page.get_by_role("heading", name="People", level=1), [photo_file(0, number) for number in range(8)])
    expect(page.get_by_role("dialog", name="Add a person").get_by_role("listitem")).to_have_count(8)
    found["People, somebody new"] = findings(page)
    page.keyboard.press("Escape")
    link.click()
    expect(page.get_by_role("heading", name="ada", level=1)).to_be_visible()
    found["A person"] = findings(page)
    go_to(page, "Check")
    expect(page.get_by_text("Checked at")).to_be_visible()
    found["Check"] = findings(page)
    go_to(page, "Audit")
    expect(page.get_by_role("main").get_by_role("listitem")).not_to_have_count(0)
    found["Audit"] = findings(page)
    assert {place: lines for place, lines in found.items() if lines} == {}


def tab_to(page: Page, target: Locator, most: int = 60) -> None:
    """Presses the tabulator until something has the focus."""
    for _ in range(most):
        page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    pytest.fail(f"{target} is not reached by the keyboard")


def test_a_keyboard_is_enough(page: Page, photo_file: Callable[..., Path]) -> None:
    # From the beginning: where nobody asks for them, a browser without a screen opens none.
    page.on("filechooser", lambda chooser: chooser.set_files(photo_file(0)))
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    tab_to(page, page.get_by_role("link", name="Skip to the content"), most=1)
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    # A photo is chosen, and its face is confirmed.
    tab_to(page, page.get_by_role("button", name="Choose photos"))
    page.keyboard.press("Enter")
    box = page.get_by_role("button", name="Face 1:")
    expect(box).to_be_visible()
    tab_to(page, box)
    page.keyboard.press("Enter")
    expect(box).to_have_attribute("aria-pressed", "true")
    tab_to(page, page.get_by_role("button", name="Confirm "))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Confirmed: ")).to_be_visible()
    # Whose face it is: typed, chosen with the arrows, and left again.
    opener = page.get_by_role("button", name="This is …")
    tab_to(page, opener)
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Whose face is this?")
    field = dialog.get_by_role("combobox").first
    expect(field).to_be_focused()
    page.keyboard.type("hed")
    expect(dialog.get_by_role("option", name="hedy")).to_be_visible()
    expect(dialog.get_by_role("option", name="grace")).to_have_count(0)
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    expect(field).to_have_value("hedy")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()
    # Somebody is renamed.
    page.keyboard.press("Home")
    tab_to(page, page.get_by_role("link", name="People"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("main").get_by_role("link", name="ada")).to_be_visible()
    tab_to(page, page.get_by_role("main").get_by_role("link", name="ada"))
    page.keyboard.press("Enter")
    rename = page.get_by_role("button", name="Rename")
    expect(rename).to_be_visible()
    tab_to(page, rename)
    page.keyboard.press("Enter")
    expect(page.get_by_role("dialog", name="Rename").get_by_label("Name")).to_be_focused()
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("Ada Lovelace")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Ada Lovelace", level=1)).to_be_focused()
