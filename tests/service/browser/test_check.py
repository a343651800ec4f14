"""The tab "Check": what is found in a gallery of 33 made-up persons, two of whom are one."""

import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from lrfr_tf.files import read_json
from lrfr_tf.gallery.check_gallery import check_gallery
from lrfr_tf.gallery.check_report import Report
from lrfr_tf.gallery.gallery import Gallery
from lrfr_tf.recognition.calibration import write_calibration
from lrfr_tf.recognition.recognizer import Recognizer
from tests.service.browser.checked_by_code import SINGLE, TWINS, write_checked
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import go_to
from tests.strangers_by_code import strangers
from tests.tools.small_embedders import write_small_embedder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def calibrated(tmp_path_factory: pytest.TempPathFactory) -> Recognizer:
    """With a calibration by which some references are recognized at one rate and not at another."""
    folder = tmp_path_factory.mktemp("embedders") / "small"
    version = write_small_embedder(folder / "1", dimensions=192)
    write_calibration(folder, read_json(version / "model.json"), strangers(start=0.1), {})
    return Recognizer(folder)


@pytest.fixture(scope="module")
def checked(calibrated: Recognizer, portrait: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("galleries") / "checked.db"
    write_checked(path, calibrated, portrait)
    return path


@pytest.fixture(scope="module")
def report(checked: Path, calibrated: Recognizer) -> Report:
    with Gallery.open(checked, calibrated) as gallery:
        return check_gallery(gallery)


@pytest.fixture
def page(checked: Path, calibrated: Recognizer, serve: Serve, open_page: Open) -> Page:
    page, _ = open_page(serve(checked, calibrated))
    go_to(page, "Check")
    expect(page.get_by_role("status").filter(has_text="Checked at")).to_be_visible()
    return page


def test_recognition_is_said_in_words_and_in_numbers(page: Page, report: Report) -> None:
    assert 0 < report.wrong < report.recognized < report.tested
    summary = page.get_by_role("region", name="Summary")
    expect(summary).to_contain_text(f"{report.recognized} of {report.tested} references are recognized")
    expect(summary).to_contain_text(f"{report.wrong} get another's name")
    figures = dict(zip(summary.get_by_role("term").all_inner_texts(),
                       summary.get_by_role("definition").all_inner_texts(), strict=True))  # fmt: skip
    assert figures["Recognized"] == f"{100 * report.recognized / report.tested:.1f} %"
    assert (figures["Persons"], figures["References"], figures["Set aside"]) == ("33", "97", "1")


def test_persons_in_trouble_are_shown_with_faces(page: Page) -> None:
    for name, other in (TWINS, TWINS[::-1]):
        card = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=name, exact=True))
        expect(card).to_contain_text("0 of 3 recognized")
        expect(card).to_contain_text(f"3 taken for others, most often {other}")
        card.scroll_into_view_if_needed()
        expect(card.get_by_role("img", name=f"Stored face of {name}")).to_have_count(3)
    card.get_by_role("link", name=TWINS[1]).click()
    expect(page).to_have_url(re.compile(r"#/people/[0-9a-f]{16}$"))


def test_alike_pairs_have_both_faces_and_the_score_beside_the_threshold(page: Page, report: Report) -> None:
    first = page.get_by_role("listitem").filter(has=page.get_by_role("heading", name=" and ")).first
    first.scroll_into_view_if_needed()
    pair = report.pairs[0]
    assert report.threshold is not None
    expect(first).to_contain_text(f"{pair.score:.3f}, reaches the threshold of {report.threshold['score']:.3f}")
    for name in TWINS:
        expect(first.get_by_role("img", name=f"Stored face of {name}", exact=True)).to_be_visible()


def test_set_aside_single_and_small_ones_are_listed(page: Page, report: Report) -> None:
    aside = page.get_by_role("listitem").filter(has_text="the hat hides the face")
    expect(aside.get_by_role("link", name="person 09")).to_be_visible()
    expect(page.get_by_role("heading", name="Persons with one reference")).to_be_visible()
    expect(page.get_by_role("link", name=SINGLE)).to_be_visible()
    cost = report.small_cost
    assert cost is not None
    expect(page.get_by_text(f"small references move the mean score of {cost.compared} large ones")).to_be_visible()
    rows = page.get_by_role("group", name="References by face height").get_by_role("row")
    expect(rows.filter(has_text="16 to below 32 px")).to_contain_text("100.0 %")


def test_people_who_are_too_alike_are_warned_of(page: Page, report: Report) -> None:
    assert report.strangers is not None
    assert report.strangers.warns
    expect(page.get_by_text("WARNING")).to_contain_text(f"{report.strangers.reached} reach the threshold")
    page.get_by_role("button", name="More of these people are alike than the rate says").click()
    expect(page.get_by_role("heading", name="Are these people more alike than others?")).to_be_focused()


def test_under_30_persons_it_cannot_tell(serve: Serve, open_page: Open, people: Path) -> None:
    page, _ = open_page(serve(people))
    go_to(page, "Check")
    expect(page.get_by_text("4 persons are fewer than 30")).to_be_visible()


def test_the_slider_says_what_each_rate_costs(page: Page, checked: Path, calibrated: Recognizer) -> None:
    slider = page.get_by_role("slider", name="How many strangers may get a name")
    expect(slider).to_have_attribute("aria-valuetext", re.compile("^1 %: "))
    expect(page.get_by_text("In force: 1 %.")).to_be_visible()
    page.get_by_text("All rates as a table").click()
    rows = page.get_by_role("group", name="All rates").get_by_role("row")
    count = rows.count() - 1
    assert count >= 5
    slider.focus()
    slider.press("Home")
    seen = []
    for step in range(count):
        said = slider.get_attribute("aria-valuetext") or ""
        rate, threshold, recognized, wrong, none = rows.nth(step + 1).get_by_role("cell").or_(
            rows.nth(step + 1).get_by_role("rowheader")).all_inner_texts()  # fmt: skip
        assert said.startswith(f"{rate}: {recognized} of ")
        assert f"{wrong} with another's name, {none} without a name" in said
        assert f"a score of {threshold}" in said
        seen.append((float(rate.split()[0]), float(threshold), int(recognized)))
        slider.press("ArrowRight")
    assert seen == sorted(seen)  # a looser rate recognizes more
    assert seen[0][2] < seen[-1][2]
    assert [rate for rate, *_ in seen][0] == 0.1
    # The same as a gallery that is opened with this rate says.
    from lrfr_tf.recognition.calibration import DecisionRule

    with Gallery.open(checked, calibrated, rule=DecisionRule(fpir=0.001)) as gallery:
        strict = check_gallery(gallery)
    assert (round(strict.threshold["score"], 3), strict.recognized) == seen[0][1:]  # type: ignore[index]


def test_an_empty_gallery_says_so(serve: Serve, open_page: Open, calibrated: Recognizer, tmp_path: Path) -> None:
    Gallery.create(tmp_path / "empty.db", calibrated).close()
    page, complaints = open_page(serve(tmp_path / "empty.db", calibrated))
    complaints.expected.add(409)
    go_to(page, "Check")
    expect(page.get_by_text("Nobody is enrolled yet, so there is nothing to check.")).to_be_visible()
