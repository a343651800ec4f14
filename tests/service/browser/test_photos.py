"""Many photos on the tab "Identify": they are turned over, counted, and drawn without filling the memory."""

from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

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
