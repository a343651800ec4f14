"""The tab "Identify": photos are dropped, names are looked at, confirmed, refuted and corrected."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from lrfr_tf.gallery.audit import AuditRow, read_audit
from lrfr_tf.gallery.people import People
from lrfr_tf.gallery.store import Store
from lrfr_tf.recognition.calibration import DecisionRule
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import choose_person, identify

pytestmark = pytest.mark.slow
ALIKE = DecisionRule(threshold=0.95)  # what photos of one made-up person reach, and those of two do not
Photo = Callable[..., Path]


@pytest.fixture
def page(serve: Serve, open_page: Open) -> Page:
    return open_page(serve(rule=ALIKE))[0]


def audited(people: Path) -> list[AuditRow]:
    return read_audit(Store(people))


def test_a_dropped_photo_gets_a_candidate_and_shows_what_the_network_saw(page: Page, photo_file: Photo) -> None:
    panel = identify(page, photo_file(0))
    expect(panel.get_by_role("heading", name="Candidate: ada")).to_be_visible()
    expect(panel.get_by_text("not confirmed")).to_be_visible()
    nearest = panel.get_by_role("listitem")
    expect(nearest).to_have_count(4)
    expect(nearest.first).to_contain_text("ada")
    expect(nearest.first).to_contain_text("reaches the threshold")
    seen = panel.get_by_role("img", name="The face as the network saw it")
    expect(seen).to_be_visible()
    invented = panel.get_by_role("img", name="The same face super-resolved")
    expect(invented).to_be_visible()
    expect(panel.get_by_text("Its detail is invented. It is no evidence.")).to_be_visible()
    # Native pixels: the face in the photo is not larger than that.
    assert 20 < seen.evaluate("image => image.naturalWidth") < 96
    assert invented.evaluate("image => image.naturalWidth") == 64


def test_a_candidate_is_confirmed_and_the_audit_has_it(page: Page, photo_file: Photo, people: Path) -> None:
    panel = identify(page, photo_file(1))
    panel.get_by_role("button", name="Confirm grace").click()
    expect(panel.get_by_role("heading", name="Confirmed: grace")).to_be_visible()
    *_, decision, confirmation = audited(people)
    assert (decision.what, decision.decision) == ("decision", "known")
    assert (confirmation.what, confirmation.decided, confirmation.who) == ("confirmed", decision.number, "local")


def test_not_him_refutes_and_confirming_is_over(page: Page, photo_file: Photo, people: Path) -> None:
    panel = identify(page, photo_file(2))
    panel.get_by_role("button", name="Not hedy").click()
    expect(panel.get_by_role("heading", name="Not hedy")).to_be_visible()
    expect(panel.get_by_role("button", name="Confirm hedy")).to_have_count(0)
    assert audited(people)[-1].what == "refuted"


def test_this_is_enrolls_somebody_new_who_is_known_from_then_on(page: Page, photo_file: Photo, people: Path) -> None:
    panel = identify(page, photo_file(7))
    expect(panel.get_by_role("heading", name="Unknown face")).to_be_visible()
    panel.get_by_role("button", name="This is …").click()
    dialog = page.get_by_role("dialog", name="Whose face is this?")
    choose_person(dialog, "zoe", "Somebody new: zoe")
    dialog.get_by_role("button", name="Enroll this face").click()
    expect(dialog).to_be_hidden()
    expect(panel.get_by_role("heading", name="Enrolled as zoe")).to_be_visible()
    assert {person.name: person.references for person in People(Store(people)).persons()}["zoe"] == 1
    page.get_by_role("button", name="Clear").click()
    panel = identify(page, photo_file(7, 51))
    expect(panel.get_by_role("heading", name="Candidate: zoe")).to_be_visible()


def test_a_wrong_name_is_corrected_by_enrolling_the_face_as_another(
    page: Page, photo_file: Photo, people: Path
) -> None:
    panel = identify(page, photo_file(3))
    panel.get_by_role("button", name="This is …").click()
    dialog = page.get_by_role("dialog", name="Whose face is this?")
    choose_person(dialog, "hed", "hedy")
    dialog.get_by_label("How strictly photos are looked at").select_option("off")
    dialog.get_by_role("button", name="Enroll this face").click()
    expect(panel.get_by_role("heading", name="Enrolled as hedy")).to_be_visible()
    assert [row.what for row in audited(people)].count("refuted") == 1  # the name that was given
    assert {person.name: person.references for person in People(Store(people)).persons()}["hedy"] == 3


def test_an_unreadable_photo_is_said_with_its_code_and_the_others_go_on(
    serve: Serve, open_page: Open, photo_file: Photo, tmp_path: Path
) -> None:
    page, complaints = open_page(serve(rule=ALIKE))
    complaints.expected.add(400)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    identify(page, broken, photo_file(0))
    films = page.get_by_role("region", name="All photos").get_by_role("button")
    expect(films.filter(has=page.get_by_text("ada?"))).to_have_count(1)
    films.and_(page.get_by_role("button", name="broken.png")).click()
    alert = page.get_by_role("alert").filter(has_text="unreadable")
    expect(alert).to_be_visible()
    expect(page.get_by_role("button", name="Try this photo again")).to_have_count(0)  # it would not help


def test_a_photo_without_a_face_is_said_to_have_none(page: Page, tmp_path: Path) -> None:
    import numpy as np

    from lrfr_tf.images.decode import write_png

    write_png(tmp_path / "grey.png", np.full((80, 80, 3), 128, np.uint8))
    identify(page, tmp_path / "grey.png")
    expect(page.get_by_text("No face is found in this photo.")).to_be_visible()
