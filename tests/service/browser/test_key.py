"""The page asks for the key, keeps it in the tab alone, and shows what the key's role allows."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lrfr_tf.recognition.calibration import DecisionRule
from lrfr_tf.service.keys import ADMIN, ENROLL, READ, Keys
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import go_to, identify

pytestmark = pytest.mark.slow
TITLE = "This service needs a key"


def give(page: Page, key: str) -> None:
    dialog = page.get_by_role("dialog", name=TITLE)
    dialog.get_by_label("Key", exact=True).fill(key)
    dialog.get_by_role("button", name="Use this key").click()


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "people.keys")


def test_a_wrong_key_is_said_and_asked_for_again(serve: Serve, open_page: Open, keys: Keys) -> None:
    key, text = keys.create(ADMIN)
    page, complaints = open_page(serve(keys=keys))
    complaints.expected.add(401)
    give(page, f"lrfr_{key.id}_{'0' * 64}")
    expect(page.get_by_role("dialog", name=TITLE)).to_contain_text("The key is not known, or was revoked.")
    give(page, text)
    expect(page.get_by_role("dialog")).to_have_count(0)
    expect(page.get_by_role("banner")).to_contain_text(f"key {key.id} · admin")
    go_to(page, "People")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    # In this tab and nowhere else: not in another tab, not in the address, not in a cookie.
    assert page.evaluate("[localStorage.length, document.cookie, location.href.includes('lrfr_')]") == [0, "", False]
    other = page.context.new_page()
    other.goto(page.url)
    expect(other.get_by_role("dialog", name=TITLE)).to_be_visible()
    keys.revoke(key.id)
    go_to(page, "Audit")
    expect(page.get_by_role("dialog", name=TITLE)).to_contain_text("The key is not known, or was revoked.")


@pytest.mark.parametrize(("role", "confirms"), [(READ, False), (ENROLL, True)])
def test_a_role_sees_what_it_may(
    role: str, confirms: bool, serve: Serve, open_page: Open, keys: Keys, photo_file: Callable[..., Path]
) -> None:
    _, text = keys.create(role)
    page, complaints = open_page(serve(keys=keys, rule=DecisionRule(threshold=0.95)))
    complaints.expected.add(401)
    give(page, text)
    panel = identify(page, photo_file(0))
    expect(panel.get_by_role("heading", name="Candidate: ada")).to_be_visible()
    expect(panel.get_by_role("button", name="Confirm ada")).to_have_count(int(confirms))
    go_to(page, "Check")
    says = page.get_by_text("The check needs a key with the role enroll; yours has read.")
    expect(says).to_have_count(int(not confirms))
    go_to(page, "Audit")
    expect(page.get_by_text(f"The audit needs a key with the role admin; yours has {role}.")).to_be_visible()
    go_to(page, "People")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    expect(page.get_by_role("button", name="Add a person")).to_have_count(int(confirms))
