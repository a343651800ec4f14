"""Debian's Chromium, driven by Playwright, and what its pages complain about."""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, sync_playwright

from tests.conftest import missing

NAMES = ("chromium", "chromium-browser", "google-chrome")
# Without a sandbox, as continuous integration is root in a container; and with nothing that calls home.
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def chromium() -> Path:
    """The browser; a test that needs it is skipped where there is none, and fails in continuous integration."""
    for name in NAMES:
        if (path := shutil.which(name)) is not None:
            return Path(path)
    reason = "Chromium is not installed; tools/repository/install_chromium.sh, or apt-get install chromium, brings it"
    if os.environ.get("CI"):
        pytest.fail(reason)
    missing(reason)
    raise AssertionError  # `missing` has raised


@contextlib.contextmanager
def launched() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()


class Complaints:
    """What must not happen on a page: requests elsewhere, errors on the console, breaches of the policy.

    Args:
        page: it is listened to from now on.
        address: the one origin that may be asked.

    Attributes:
        expected: statuses of answers that a test provokes; Chromium writes a line about each to the console.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.address = address
        self.expected: set[int] = set()
        self._answers: list[tuple[int, str]] = []
        self._found: list[str] = []
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self._found.append(f"uncaught: {error}"))
        page.on("request", self._look)
        page.on("response", lambda answer: self._answers.append((answer.status, answer.url)))
        page.on("dialog", lambda dialog: (self._found.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        page.expose_function("heardBreach", lambda what: self._found.append(f"against the policy: {what}"))
        page.add_init_script(
            "addEventListener('securitypolicyviolation', e => heardBreach(`${e.violatedDirective} ${e.blockedURI}`))"
        )

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and not message.text.startswith("Failed to load resource"):
            self._found.append(f"{message.type}: {message.text} ({message.location.get('url')})")

    def _look(self, request: Request) -> None:
        if not request.url.startswith((f"{self.address}/", "blob:", "data:")):
            self._found.append(f"asked {request.url}")

    def all(self) -> list[str]:
        refused = [f"{status} {url}" for status, url in self._answers if status >= 400 and status not in self.expected]
        return self._found + refused
