"""The page on which people are enrolled, found and corrected: files of this package, under / and /page/."""

from pathlib import Path

from fastapi import APIRouter, Response
from fastapi.responses import FileResponse

from lrfr_tf.service.request_error import RequestError

FOLDER = Path(__file__).with_name("page")
INDEX = "index.html"
# Whatever the system's own table says: a browser runs no script that is called plain text.
MEDIA_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
# Scripts and styles come from here and nowhere else, and none stands in the page itself.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)

router = APIRouter(include_in_schema=False)
_files = {file.name: file for file in FOLDER.iterdir() if file.suffix in MEDIA_TYPES}


@router.get("/")
def index() -> Response:
    """The page; it asks for a key itself."""
    return page_file(INDEX)


@router.get("/page/{name}")
def page_file(name: str) -> Response:
    """A script, a style sheet or a picture of the page: one of the names that are there, so nothing else is opened."""
    file = _files.get(name)
    if file is None:
        raise RequestError(404, "no_such_route", "Not Found.")
    return FileResponse(file, media_type=MEDIA_TYPES[file.suffix])


def is_page(path: str) -> bool:
    """Whether an address is the page's."""
    return path == "/" or path.startswith("/page/")
