"""Many photos on the tab "Identify": they are turned over, counted, and drawn without filling the memory."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

from lrfr_tf.recognition.calibration import DecisionRule
from tests.service.browser.chromium import PHONE
from tests.service.browser.conftest import Open, Serve
from tests.service.browser.steps import drop, go_to, identify

pytestmark = pytest.mark.slow
ALIKE = DecisionRule(threshold=0.95)  # what photos of one made-up person reach, and those of two do not
Photo = Callable[..., Path]
# Counts how many photos are decoded, and at most how many at the same time.
COUNT_DECODING = """() => {
  window.decoded = 0;
  window.most = 0;
  let now = 0;
  const decode = window.createImageBitmap;
  window.createImageBitmap = async (...given) => {
    decoded += 1;
    now += 1;
    most = Math.max(most, now);
    try { return await decode(...given); } finally { now -= 1; }
  };
}"""
# As a drop of many files: pictures of one pixel, made by the page itself.
MANY = """async count => {
  const canvas = new OffscreenCanvas(1, 1);
  canvas.getContext("2d");
  const blob = await canvas.convertToBlob();
  const transfer = new DataTransfer();
  for (let number = 0; number < count; number += 1) transfer.items.add(new File([blob], `${number}.png`));
  return transfer;
}"""


def test_only_small_pictures_in_sight_are_drawn_two_at_a_time(page: Page) -> None:
    page.evaluate(COUNT_DECODING)
    go_to(page, "People")
    page.get_by_role("button", name="Add a person").click()
    dialog = page.get_by_role("dialog", name="Add a person")
    transfer = page.evaluate_handle(MANY, 300)
    dialog.dispatch_event("drop", {"dataTransfer": transfer})
    expect(dialog.get_by_role("listitem")).to_have_count(300)
    page.wait_for_function("() => decoded > 0")
    before = page.evaluate("decoded")
    dialog.get_by_role("listitem").last.scroll_into_view_if_needed()
    page.wait_for_function("before => decoded > before", arg=before)
    assert page.evaluate("most") <= 2
    assert page.evaluate("decoded") < 150


def test_photos_are_turned_over_and_what_was_said_is_counted(serve: Serve, open_page: Open, photo_file: Photo) -> None:
    page, _ = open_page(serve(rule=ALIKE))
    panel = identify(page, photo_file(0), photo_file(1))
    expect(page.get_by_text("2 photos · 2 faces · 2 candidates")).to_be_visible()
    expect(page.get_by_role("button", name="Previous")).to_be_disabled()
    page.get_by_role("button", name="Next").click()
    expect(panel.get_by_role("heading", name="Candidate: grace")).to_be_visible()
    expect(page.get_by_role("button", name="Next")).to_be_disabled()
    expect(page.get_by_role("button", name="Previous")).to_be_focused()
    panel.get_by_role("button", name="Confirm grace").click()
    expect(page.get_by_text("2 photos · 2 faces · 1 candidate · 1 confirmed")).to_be_visible()


def test_on_a_phone_a_photo_that_is_chosen_comes_into_sight(serve: Serve, open_page: Open, photo_file: Photo) -> None:
    page, _ = open_page(serve(rule=ALIKE), viewport=PHONE, has_touch=True)
    identify(page, photo_file(0), photo_file(1))
    page.get_by_role("region", name="All photos").get_by_role("button", name="photo-1-50").click()
    expect(page.get_by_role("img", name="Photo photo-1-50")).to_be_in_viewport()


def test_photos_dropped_beside_everybody_are_of_somebody_new(page: Page, photo_file: Photo) -> None:
    go_to(page, "People")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    drop(page, page.get_by_role("heading", name="People", level=1), [photo_file(7)])
    dialog = page.get_by_role("dialog", name="Add a person")
    expect(dialog.get_by_role("list", name="Photos to enroll").get_by_role("listitem")).to_have_count(1)


def held_over(page: Page, *paths: Path) -> None:
    """Drops files and folders on the middle of the page, as the system does: a script cannot make a folder."""
    session = page.context.new_cdp_session(page)
    held = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    for event in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": event, "x": 600, "y": 300, "data": held})


def test_photos_of_a_folder_keep_the_names_of_their_folders(page: Page, photo_file: Photo, tmp_path: Path) -> None:
    for camera in ("hall", "door"):
        (tmp_path / "cameras" / camera).mkdir(parents=True)
        photo_file(0).rename(tmp_path / "cameras" / camera / "1.png")
    (tmp_path / "cameras" / "readme.txt").write_text("no photo")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    held_over(page, tmp_path / "cameras")
    films = page.get_by_role("region", name="All photos").get_by_role("button")
    expect(films).to_have_count(2)
    expect(films.first).to_have_accessible_name(re.compile("^cameras/door/1.png: "))
    expect(films.last).to_have_accessible_name(re.compile("^cameras/hall/1.png: "))
    go_to(page, "People")
    expect(page.get_by_role("main").get_by_role("listitem")).to_have_count(4)
    held_over(page, tmp_path / "cameras")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_text("cameras/hall/1.png")).to_be_visible()


def test_a_folder_without_pictures_is_said_also_in_a_dialog(page: Page, tmp_path: Path) -> None:
    (tmp_path / "papers").mkdir()
    (tmp_path / "papers" / "readme.txt").write_text("no photo")
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    held_over(page, tmp_path / "papers")
    expect(page.locator("#errors")).to_contain_text("The folder holds no pictures. no_image")
    go_to(page, "People")
    page.get_by_role("button", name="Add a person").click()
    held_over(page, tmp_path / "papers")
    expect(page.get_by_role("dialog").get_by_role("alert")).to_contain_text("The folder holds no pictures. no_image")


def test_pictures_of_faces_are_kept_as_bytes_and_not_as_text(page: Page, photo_file: Photo) -> None:
    page.evaluate("""() => {
      window.parsed = [];
      const read = Response.prototype.json;
      Response.prototype.json = async function () {
        const answer = await read.call(this);
        if (answer.faces) parsed.push(...answer.faces.map(face => new WeakRef(face)));
        return answer;
      };
    }""")
    session = page.context.new_cdp_session(page)
    identify(page, photo_file(0))
    session.send("HeapProfiler.collectGarbage")
    assert page.evaluate("parsed.length") == 1
    assert page.evaluate("parsed.filter(face => face.deref()).length") == 0


def test_leaving_while_photos_are_sent_is_asked_about(page: Page, photo_file: Photo) -> None:
    held: list[Route] = []
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.route("**/v1/identify*", lambda route: held.append(route))
    drop(page, page.get_by_role("main"), [photo_file(0)])
    expect(page.get_by_role("progressbar", name="Identifying")).to_be_visible()
    assert page.evaluate("dispatchEvent(new Event('beforeunload', {cancelable: true}))") is False
    while not held:  # the bar is there before the request
        page.wait_for_timeout(20)
    held[0].continue_()
    expect(page.get_by_role("button", name="Identify all again")).to_be_visible()
    assert page.evaluate("dispatchEvent(new Event('beforeunload', {cancelable: true}))") is True


def test_a_failed_photo_is_named_in_words(serve: Serve, open_page: Open, photo_file: Photo, tmp_path: Path) -> None:
    page, complaints = open_page(serve())
    complaints.expected.add(400)
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no picture")
    drop(page, page.get_by_role("main"), [broken, photo_file(0)])
    film = page.get_by_role("region", name="All photos").get_by_role("button", name="broken.png: no picture")
    expect(film).to_be_visible()
    expect(page.get_by_role("main").get_by_text("unreadable")).to_be_visible()  # the code, beside the sentence
