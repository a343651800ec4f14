"""Where one is on the page: the address, "back", a reload, another key, a service that is gone: nothing is lost."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, Route, expect

from lrfr_tf.gallery import edit
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.references import Reference
from lrfr_tf.gallery.store import Store
from lrfr_tf.recognition.recognizer import Recognizer
from lrfr_tf.service.keys import ENROLL, READ, Keys
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import drop, go_to, identify

pytestmark = pytest.mark.slow
Photo = Callable[..., Path]


def give(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name="This service needs a key")
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Use this key").click()


def test_a_dialog_goes_with_the_part_that_opened_it(page: Page) -> None:
    go_to(page, "People")
    page.get_by_role("button", name="Add a person").click()
    expect(page.get_by_role("dialog", name="Add a person")).to_be_visible()
    page.go_back()
    expect(page.get_by_role("heading", name="Who is in this photo?")).to_be_visible()
    expect(page.get_by_role("dialog")).to_have_count(0)


def test_the_link_to_the_content_leaves_the_address(page: Page) -> None:
    go_to(page, "Check")
    page.get_by_role("link", name="Skip to the content").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
    page.reload()
    expect(page.get_by_role("heading", name="Does this gallery work?")).to_be_visible()


def test_an_address_that_names_no_part_shows_the_first(serve: Serve, open_page: Open) -> None:
    address = serve()
    page, _ = open_page(address)
    page.goto("about:blank")
    page.goto(f"{address}/#main")
    expect(page.get_by_role("heading", name="Who is in this photo?")).to_be_visible()


def test_back_leads_to_the_place_in_the_list(serve: Serve, open_page: Open, people: Path) -> None:
    vectors = np.random.default_rng(1).standard_normal((100, 192)).astype(np.float32)
    for number, vector in enumerate(vectors):
        edit.add(Store(people), f"person {number:03d}", [Reference(vector / np.linalg.norm(vector), 50.0)])
    page, _ = open_page(serve())
    go_to(page, "People")
    page.get_by_role("button", name="Show more").click()
    link = page.get_by_role("link", name="person 090")
    link.click()
    expect(page.get_by_role("heading", name="person 090")).to_be_visible()
    page.go_back()
    expect(link).to_be_in_viewport()
    expect(link).to_be_focused()


def test_who_is_not_there_is_no_fault_of_the_page(serve: Serve, open_page: Open) -> None:
    address = serve()
    page, complaints = open_page(address)
    complaints.expected.add(404)
    page.goto(f"{address}/#/people/0123456789abcdef")
    expect(page.get_by_text("There is no person with this id (no_such_person)")).to_be_visible()
    expect(page.get_by_role("button", name="Try again")).to_have_count(0)
    page.get_by_role("link", name="The audit").click()
    expect(page.get_by_text("There is nothing of this kind.")).to_be_visible()


def test_a_search_that_is_not_answered_is_said_until_one_is(page: Page) -> None:
    go_to(page, "People")
    cards = page.get_by_role("main").get_by_role("listitem")
    expect(cards).to_have_count(4)
    page.route("**/v1/persons?*", lambda route: route.abort())
    page.get_by_label("Find a person").fill("ad")
    expect(page.locator("#errors")).to_contain_text("no_answer")
    expect(cards).to_have_count(0)  # whoever stood there was not asked for
    page.unroute("**/v1/persons?*")
    page.get_by_label("Find a person").fill("ada")
    expect(cards).to_have_count(1)
    expect(page.locator("#errors")).to_be_empty()


def test_what_fails_after_a_change_is_said(page: Page) -> None:
    go_to(page, "People")
    page.get_by_role("link", name="ada").click()
    page.get_by_role("button", name="Rename").click()
    dialog = page.get_by_role("dialog", name="Rename")
    dialog.get_by_label("Name").fill("Ada")
    page.route("**/references", lambda route: route.abort())  # what the page shows anew
    dialog.get_by_role("button", name="Rename", exact=True).click()
    expect(page.locator("#errors")).to_contain_text("no_answer")


def test_a_slow_service_is_waited_for_in_sight(page: Page) -> None:
    held: list[Route] = []
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.route("**/v1/audit?*", lambda route: held.append(route))
    go_to(page, "Audit")
    expect(page.get_by_role("main").get_by_text("Asking the service …")).to_be_visible()
    expect(page.get_by_role("progressbar", name="Waiting for the service")).to_be_visible()
    held[0].continue_()
    expect(page.get_by_text("no older ones")).to_be_visible()
    expect(page.get_by_text("Asking the service …")).to_have_count(0)
    expect(page.get_by_role("progressbar")).to_have_count(0)


def test_photos_that_were_sent_after_all_are_not_called_unsent(page: Page, photo_file: Photo) -> None:
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.route("**/v1/identify*", lambda route: route.abort())
    page.route("**/v1/health/*", lambda route: route.abort())
    drop(page, page.get_by_role("main"), [photo_file(0)])
    expect(page.locator("#errors")).to_contain_text("1 photo not sent")
    page.unroute_all()
    page.get_by_role("button", name="Send 1 photo").click()
    expect(page.get_by_role("button", name="Identify all again")).to_be_visible()
    expect(page.get_by_text("not sent")).to_have_count(0)


def test_what_is_said_of_the_gallery_stays_true(
    serve: Serve, open_page: Open, recognizer: Recognizer, photo_file: Photo, tmp_path: Path
) -> None:
    path = tmp_path / "empty.db"
    Gallery.create(path, recognizer).close()
    page, _ = open_page(serve(path))
    panel = identify(page, photo_file(0))
    expect(page.get_by_text("Nobody is enrolled yet, so every face is unknown.")).to_be_visible()
    expect(panel.get_by_text("A name needs a score of")).to_have_count(0)  # there is no name to be had
    panel.get_by_role("button", name="This is …").click()
    dialog = page.get_by_role("dialog", name="Whose face is this?")
    dialog.get_by_role("combobox").first.fill("zoe")
    dialog.get_by_role("button", name="Enroll this face").click()
    expect(dialog.get_by_role("alert")).to_contain_text("“Somebody new”")
    dialog.get_by_role("option", name="zoe").click()
    expect(dialog.get_by_role("alert")).to_have_count(0)  # what was wrong is not any more
    dialog.get_by_label("How strictly photos are looked at").select_option("off")
    dialog.get_by_role("button", name="Enroll this face").click()
    expect(page.get_by_text("Each face is compared with the only person of this gallery.")).to_be_visible()
    assert [one.name for one in People(Store(path)).persons()] == ["zoe"]


def test_a_revoked_key_is_asked_for_once_and_the_next_one_is_shown(
    serve: Serve, open_page: Open, photo_file: Photo, tmp_path: Path
) -> None:
    keys = Keys(tmp_path / "people.keys")
    key, text = keys.create(ENROLL)
    other, reads = keys.create(READ)
    page, complaints = open_page(serve(keys=keys))
    complaints.expected.update({401, 403})
    give(page, text)
    go_to(page, "People")
    page.get_by_role("link", name="ada").click()
    page.get_by_role("button", name="Add photos").click()
    dialog = page.get_by_role("dialog", name="Photos of ada")
    drop(page, dialog, [photo_file(0, number) for number in (60, 61, 62)])
    keys.revoke(key.id)
    dialog.get_by_role("button", name="Enroll 3 photos").click()
    asked = page.get_by_role("dialog", name="This service needs a key")
    asked.get_by_role("button", name="Cancel").click()
    expect(dialog.get_by_text("1 failed · 2 not sent").first).to_be_visible()
    expect(asked).to_have_count(0)
    dialog.get_by_role("button", name="Close").click()
    go_to(page, "Identify")
    give(page, reads)
    expect(page.get_by_role("banner")).to_contain_text(f"key {other.id} · read")


def test_another_key_is_shown_where_one_was_revoked_meanwhile(serve: Serve, open_page: Open, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "people.keys")
    key, text = keys.create(ENROLL)
    other, reads = keys.create(READ)
    page, complaints = open_page(serve(keys=keys))
    complaints.expected.add(401)
    give(page, text)
    go_to(page, "People")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    keys.revoke(key.id)
    page.get_by_label("Find a person").fill("ada")
    give(page, reads)
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(1)
    expect(page.get_by_role("banner")).to_contain_text(f"key {other.id} · read")


def test_a_filter_that_there_is_not_is_none(serve: Serve, open_page: Open) -> None:
    address = serve()
    page, _ = open_page(address)
    page.goto(f"{address}/#/audit?what=bogus")
    expect(page.get_by_label("What")).to_have_value("")
    expect(page.get_by_text("8 rows, no older ones")).to_be_visible()
