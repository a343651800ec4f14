"""The tab "Audit": newest first, a page at a time, by kind and by person; names as long as somebody is enrolled."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect

from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.recognition.calibration import DecisionRule
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import choose_person, go_to

pytestmark = pytest.mark.slow


@pytest.fixture
def page(serve: Serve, open_page: Open, photo_file: Callable[..., Path]) -> Page:
    """After three decisions: of ada, confirmed; of grace, refuted; of a stranger."""
    address = serve(rule=DecisionRule(threshold=0.95))
    for identity, agrees in ((0, True), (1, False), (7, None)):
        image = photo_file(identity).read_bytes()
        (face,) = httpx.post(f"{address}/v1/identify", files={"image": image}, timeout=60).json()["faces"]
        if agrees is not None:
            said = httpx.post(f"{address}/v1/decisions/{face['record']}/confirm", json={"agrees": agrees, "who": "eve"})
            assert said.status_code == 200
    page, _ = open_page(address)
    go_to(page, "Audit")
    expect(rows(page)).not_to_have_count(0)
    return page


def rows(page: Page) -> Locator:
    return page.get_by_role("main").get_by_role("listitem")


def test_the_newest_stands_first_with_its_state(page: Page) -> None:
    expect(rows(page)).to_have_count(13)  # eight references, three decisions, two that were looked at
    first = [text.replace("\n", " ") for text in rows(page).all_inner_texts()[:5]]
    for text, parts in zip(
        first,
        (
            ("Nobody named", "threshold 0.950", "this machine"),
            ("Refuted decision", "grace", "by eve"),
            ("Named: grace", "refuted"),
            ("Confirmed decision", "ada", "by eve"),
            ("Named: ada", "confirmed"),
        ),
        strict=True,
    ):
        assert all(part in text for part in parts), text
    expect(page.get_by_text("Each row is kept for 365 days, then removed.")).to_be_visible()


def test_rows_are_filtered_by_kind_and_by_person(page: Page) -> None:
    page.get_by_label("What").select_option("Decisions")
    expect(rows(page)).to_have_count(3)
    page.get_by_role("button", name="Choose a person …").click()
    dialog = page.get_by_role("dialog", name="Whose rows?")
    choose_person(dialog, "gra", "grace")
    dialog.get_by_role("button", name="Show these").click()
    expect(rows(page)).to_have_count(1)
    expect(rows(page)).to_contain_text("grace")
    page.reload()  # the address keeps it
    expect(rows(page)).to_have_count(1)
    page.get_by_role("button", name="Everybody").click()
    expect(rows(page)).to_have_count(3)
    page.get_by_label("What").select_option("Everything")
    expect(rows(page)).to_have_count(13)


def test_who_was_forgotten_has_no_name_left(page: Page, people: Path) -> None:
    gallery = People(Store(people))
    (id,) = [person.id for person in gallery.persons() if person.name == "ada"]
    gallery.forget("ada")
    page.get_by_role("button", name="Newest").click()
    expect(rows(page).first).to_contain_text("Forgotten")
    expect(rows(page).first).to_contain_text(f"somebody no longer enrolled {id}")
    assert "ada" not in page.get_by_role("main").inner_text()


def test_older_rows_come_on_demand(page: Page, people: Path) -> None:
    gallery = People(Store(people))
    for number in range(50):
        gallery.create_person(f"person {number:02d}")
    page.get_by_role("button", name="Newest").click()
    expect(rows(page).first).to_contain_text("person 49")
    expect(rows(page)).to_have_count(50)
    page.get_by_role("button", name="Show older").click()
    expect(rows(page)).to_have_count(63)
    expect(rows(page).nth(50)).to_be_focused()
    expect(page.get_by_role("button", name="Show older")).to_be_hidden()
    expect(page.get_by_role("status").filter(has_text="63 rows, no older ones")).to_be_visible()
