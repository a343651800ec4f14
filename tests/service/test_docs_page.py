"""The page that tries the routes, in a real browser: its policy lets it work, and it loads nothing from elsewhere."""

import os
import re
import shutil

import pytest
from starlette.testclient import TestClient

from lrfr_tf.service.app import make_app
from tests.conftest import missing
from tests.service.conftest import Start
from tests.service.serving import serving

pytestmark = pytest.mark.slow
MILLISECONDS = 120_000  # the machine may be busy


def test_routes_are_shown_and_tried_under_the_policy(start: Start) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium")
    if chromium is None:
        if os.environ.get("CI"):
            pytest.fail("Chromium is not installed")
        missing("Chromium is not installed; apt-get install chromium brings it")
    _, service = start()
    complaints: list[str] = []
    asked: set[str] = set()
    with serving(make_app(service)) as (port, _), playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page()
        page.set_default_timeout(MILLISECONDS)
        page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.add(request.url.partition("://")[2].partition("/")[0]))
        page.goto(f"http://127.0.0.1:{port}/docs")
        route = page.locator("[id$=live_v1_health_live_get]")
        route.locator(".opblock-summary-control").click()
        route.get_by_role("button", name="Try it out").click()
        route.get_by_role("button", name="Execute").click()
        answer = route.locator(".live-responses-table .microlight").first
        answer.wait_for()
        assert "live" in answer.inner_text()
        routes = sum(map(len, page.request.get(f"http://127.0.0.1:{port}/openapi.json").json()["paths"].values()))
        assert page.locator(".opblock").count() == routes
        browser.close()
        assert asked == {f"127.0.0.1:{port}"}
    assert complaints == []


def test_what_is_described_is_what_is_taken(client: TestClient) -> None:
    described = client.get("/openapi.json").json()
    pattern = re.compile(described["components"]["schemas"]["Name"]["properties"]["name"]["pattern"], re.ASCII)
    assert pattern.search("Ada Lovelace")
    for name in ("g\x1cu", "\x00", "a\x85", " "):
        assert not pattern.search(name)
    assert described["components"]["schemas"]["PersonChange"]["minProperties"] == 1
    body = described["paths"]["/v1/persons/{id}/references"]["post"]["requestBody"]["content"]["application/json"]
    assert {"type": "null"} in body["schema"]["properties"]["box"]["anyOf"]
