"""docs/PAGES.md shows every page of the desk, and no document shows a picture that is not there."""

import re
from pathlib import Path

import pytest

from tests.pages.access import ROUTES

DOCS = Path("docs")
# Parts of a page, files, what machines ask, and the way back from WeChat, which leads to the page of an errand.
NO_PAGE = re.compile(
    r"_(counts|state|presence|preflight|asks|status|progress|rows|now|recent|template|file)$"
)
NAMED_ELSE = {"my_trouble", "authorized", "healthz", "readyz", "metrics"}


@pytest.mark.parametrize("width", ["desktop", "phone"])
def test_every_page_has_its_picture(width: str) -> None:
    pages = {name for name, route in ROUTES.items() if route.method == "GET" and not NO_PAGE.search(name)}
    gallery = (DOCS / "PAGES.md").read_text(encoding="utf-8")
    assert sorted(name for name in pages - NAMED_ELSE if f"img/{name}-{width}.png" not in gallery) == []


def test_every_picture_of_a_document_is_there_and_shown() -> None:
    shown = set()
    for document in (Path("README.md"), *DOCS.glob("*.md")):
        shown |= {name.split("/")[-1] for name in re.findall(r"img/[\w-]+\.png", document.read_text("utf-8"))}
    assert shown == {image.name for image in (DOCS / "img").glob("*.png")}
