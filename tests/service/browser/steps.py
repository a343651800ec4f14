"""What a person does on the page, by roles and names."""

import base64
from collections.abc import Sequence
from pathlib import Path

from playwright.sync_api import Locator, Page, expect

TRANSFER = """files => {
  const transfer = new DataTransfer();
  for (const {name, data, type} of files) {
    const bytes = Uint8Array.from(atob(data), letter => letter.charCodeAt(0));
    transfer.items.add(new File([bytes], name, {type}));
  }
  return transfer;
}"""


def drop(page: Page, target: Locator, files: Sequence[Path]) -> None:
    """Drops files on a part of the page, once it is there."""
    expect(page.locator("h1")).to_be_visible()
    held = [
        {"name": path.name, "data": base64.b64encode(path.read_bytes()).decode(), "type": "image/png"} for path in files
    ]
    transfer = page.evaluate_handle(TRANSFER, held)
    for event in ("dragenter", "dragover", "drop"):
        target.dispatch_event(event, {"dataTransfer": transfer})


def go_to(page: Page, tab: str) -> None:
    page.get_by_role("navigation", name="Parts of the page").get_by_role("link", name=tab).click()


def identify(page: Page, *files: Path) -> Locator:
    """Drops photos on the tab "Identify" and waits for the answers; gives the panel of the face that is shown."""
    drop(page, page.get_by_role("main"), files)
    expect(page.get_by_role("button", name="Identify all again")).to_be_visible()
    return page.get_by_role("region", name="Face 1 of")


def choose_person(dialog: Locator, name: str, option: str | None = None) -> None:
    """Types a name and takes what the list offers."""
    field = dialog.get_by_role("combobox").first
    field.fill(name)
    dialog.get_by_role("option", name=option or name).first.click()
