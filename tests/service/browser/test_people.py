"""The tab "People": added, corrected, merged, set aside, forgotten; and names are text whatever they hold."""

import re
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.recognition.calibration import DecisionRule
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import choose_person, drop, go_to, identify

pytestmark = pytest.mark.slow
EVIL = "<img src=x onerror=alert(1)>&lt;b&gt;"


def stored(people: Path) -> dict[str, int]:
    """The references of each person, in the file."""
    return {person.name: person.references for person in People(Store(people)).persons()}


def person_page(page: Page, name: str) -> Locator:
    """Opens the page of a person; gives the list of references."""
    go_to(page, "People")
    page.get_by_role("main").get_by_role("link", name=name).click()
    expect(page.get_by_role("heading", name=name, level=1, exact=True)).to_be_visible()
    return page.get_by_role("main").get_by_role("list").last


def answer(page: Page, button: str, title: str, agree: str, **fields: str) -> Locator:
    """Presses a button and answers its dialog."""
    page.get_by_role("main").get_by_role("button", name=button, exact=True).click()
    dialog = page.get_by_role("dialog", name=title)
    for label, value in fields.items():
        dialog.get_by_label(label.replace("_", " ")).fill(value)
    dialog.get_by_role("button", name=agree, exact=True).click()
    return dialog


def test_somebody_is_added_by_dropping_photos(page: Page, photo_file: Callable[..., Path], people: Path) -> None:
    go_to(page, "People")
    page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    dialog.get_by_label("Name").fill("zoe")
    dialog.get_by_label("How strictly photos are looked at").select_option("off")
    drop(page, dialog, [photo_file(7), photo_file(7, 51)])
    expect(dialog.get_by_role("list", name="Photos to enroll").get_by_role("listitem")).to_have_count(2)
    dialog.get_by_role("button", name="Enroll 2 photos").click()
    expect(page.get_by_role("heading", name="zoe", level=1)).to_be_visible()
    expect(page.get_by_text("2 references in force")).to_be_visible()
    expect(page.get_by_role("img", name="Stored face of zoe").first).to_be_visible()
    assert stored(people)["zoe"] == 2


def test_a_photo_that_is_no_picture_is_rejected_with_its_code(
    serve: Serve, open_page: Open, photo_file: Callable[..., Path], people: Path, tmp_path: Path
) -> None:
    page, _ = open_page(serve())
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    person_page(page, "ada")
    drop(page, page.get_by_role("heading", name="ada", level=1), [broken, photo_file(0)])
    dialog = page.get_by_role("dialog", name="Photos of ada")
    dialog.get_by_label("How strictly photos are looked at").select_option("off")
    dialog.get_by_role("button", name="Enroll 2 photos").click()
    rows = dialog.get_by_role("listitem")
    expect(rows.filter(has_text="broken.png")).to_contain_text("unreadable")
    expect(rows.filter(has_text="photo-0-50.png")).to_contain_text("accepted")
    dialog.get_by_role("button", name="Close").click()
    expect(page.get_by_text("3 references in force")).to_be_visible()
    assert stored(people)["ada"] == 3


def test_renaming_refuses_a_name_that_somebody_has(serve: Serve, open_page: Open, people: Path) -> None:
    page, complaints = open_page(serve())
    complaints.expected.add(409)
    person_page(page, "ada")
    dialog = answer(page, "Rename", "Rename", "Rename", Name="grace")
    expect(dialog.get_by_role("alert")).to_contain_text("name_taken")
    dialog.get_by_label("Name").fill("Ada Lovelace")
    dialog.get_by_role("button", name="Rename", exact=True).click()
    expect(page.get_by_role("heading", name="Ada Lovelace", level=1)).to_be_focused()
    assert set(stored(people)) == {"Ada Lovelace", "grace", "hedy", "mary"}


def test_two_persons_become_one(page: Page, people: Path) -> None:
    person_page(page, "mary")
    page.get_by_role("button", name="Merge into …").click()
    dialog = page.get_by_role("dialog", name="Merge mary into another person")
    expect(dialog.get_by_role("option", name="mary")).to_have_count(0)
    choose_person(dialog, "hed", "hedy")
    dialog.get_by_role("button", name="Merge", exact=True).click()
    expect(page.get_by_role("heading", name="hedy", level=1)).to_be_visible()
    expect(page.get_by_text("4 references in force")).to_be_visible()
    assert stored(people) == {"ada": 2, "grace": 2, "hedy": 4}


def test_forgetting_needs_the_name(serve: Serve, open_page: Open, people: Path) -> None:
    page, complaints = open_page(serve())
    complaints.expected.add(400)
    person_page(page, "grace")
    dialog = answer(page, "Forget …", "Forget grace", "Forget for good", **{"To_agree,_type_the_name": "Grace"})
    expect(dialog.get_by_role("alert")).to_contain_text("not_confirmed")
    assert "grace" in stored(people)
    dialog.get_by_label("To agree, type the name").fill("grace")
    dialog.get_by_role("button", name="Forget for good").click()
    afterwards = page.get_by_role("dialog", name="grace is forgotten")
    expect(afterwards).to_contain_text("Removed: 2 references.")
    afterwards.get_by_role("button", name="Close").click()
    expect(page.get_by_role("heading", name="People", level=1)).to_be_visible()
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(3)
    assert set(stored(people)) == {"ada", "hedy", "mary"}


def test_a_reference_is_set_aside_and_restored(page: Page, people: Path) -> None:
    person_page(page, "ada")
    page.get_by_role("checkbox").first.check()
    chosen = page.get_by_role("group", name="Ticked references")
    chosen.get_by_role("button", name="Set aside …").click()
    dialog = page.get_by_role("dialog", name="Set 1 reference aside")
    dialog.get_by_label("Why").fill("a hat")
    dialog.get_by_role("button", name="Set aside", exact=True).click()
    expect(page.get_by_text("1 reference in force · 1 set aside")).to_be_visible()
    aside = page.get_by_role("listitem").filter(has=page.get_by_text("set aside", exact=True))
    expect(aside).to_contain_text("a hat")
    aside.get_by_role("button", name="Restore").click()
    expect(page.get_by_text("2 references in force")).to_be_visible()
    assert {one.state for one in People(Store(people)).references("ada")} == {"active"}


def test_all_references_cannot_be_split_off(page: Page) -> None:
    person_page(page, "ada")
    ticks, chosen = page.get_by_role("checkbox"), page.get_by_role("group", name="Ticked references")
    ticks.first.check()
    expect(chosen.get_by_role("button", name="Split off …")).to_be_visible()
    ticks.last.check()
    expect(chosen.get_by_text("2 references ticked")).to_be_visible()
    expect(chosen.get_by_role("button", name="Split off …")).to_have_count(0)


def test_what_was_changed_before_a_fault_is_shown(page: Page, people: Path) -> None:
    person_page(page, "ada")
    for tick in page.get_by_role("checkbox").all():
        tick.check()
    page.get_by_role("group", name="Ticked references").get_by_role("button", name="Set aside …").click()
    dialog = page.get_by_role("dialog", name="Set 2 references aside")
    done = []
    page.route("**/set-aside", lambda route: route.abort() if done else (done.append(1), route.continue_()))
    dialog.get_by_role("button", name="Set aside", exact=True).click()
    expect(dialog.get_by_role("alert")).to_contain_text("no_answer")
    dialog.get_by_role("button", name="Cancel").click()
    expect(page.get_by_text("1 reference in force · 1 set aside")).to_be_visible()
    assert sorted(one.state for one in People(Store(people)).references("ada")) == ["active", "set_aside"]


def test_whose_last_day_is_over_has_nothing_in_force(page: Page) -> None:
    person_page(page, "ada")
    answer(page, "Last day", "Last day in force", "Set", Last_day="2020-01-31")
    expect(page.get_by_role("main").get_by_text("2 references, none in force")).to_be_visible()


def test_the_last_day_is_set_and_taken_away(page: Page, people: Path) -> None:
    person_page(page, "ada")
    answer(page, "Last day", "Last day in force", "Set", Last_day="2030-01-31")
    expect(page.get_by_role("main").get_by_text("last day 2030-01-31")).to_be_visible()
    assert [one.expires for one in People(Store(people)).persons() if one.name == "ada"] == ["2030-01-31"]
    answer(page, "Last day", "Last day in force", "Set", Last_day="")
    expect(page.get_by_role("main").get_by_text("no last day")).to_be_visible()
    assert [one.expires for one in People(Store(people)).persons() if one.name == "ada"] == [None]


def test_what_is_stored_is_handed_out_as_a_zip(page: Page, tmp_path: Path) -> None:
    person_page(page, "ada")
    with page.expect_download() as download:
        page.get_by_role("button", name="Export").click()
    download.value.save_as(tmp_path / "ada.zip")
    assert len([name for name in zipfile.ZipFile(tmp_path / "ada.zip").namelist() if re.search("png|jpg", name)]) == 2


def test_a_name_with_html_is_text_everywhere(
    serve: Serve, open_page: Open, photo_file: Callable[..., Path], people: Path
) -> None:
    People(Store(people)).rename("ada", EVIL)
    page, _ = open_page(serve(rule=DecisionRule(threshold=0.95)))  # it complains of alerts and of requests for "x"
    panel = identify(page, photo_file(0))
    expect(panel.get_by_role("heading", name=f"Candidate: {EVIL}")).to_be_visible()
    panel.get_by_role("button", name=f"Confirm {EVIL}").click()
    expect(panel.get_by_role("heading", name=f"Confirmed: {EVIL}")).to_be_visible()
    go_to(page, "Audit")
    expect(page.get_by_role("main").get_by_role("link", name=EVIL).first).to_be_visible()
    go_to(page, "Check")
    expect(page.get_by_role("heading", name=EVIL).first).to_be_visible()
    person_page(page, EVIL)
    page.get_by_role("button", name="Forget …").click()
    expect(page.get_by_role("dialog", name=f"Forget {EVIL}")).to_be_visible()
