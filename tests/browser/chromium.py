"""The one browser of all tests: Chromium or Chrome of the system, driven by playwright, one for each file of tests.

Where there is none, tests that ask for `browser` are skipped; CI counts that as a failure (.ci/run).
"""

import os
import shutil
from pathlib import Path

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PLACES = (
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
)
CHROMIUM = os.environ.get("CHROMIUM") or next(
    (
        found
        for found in [*map(shutil.which, NAMES), *(place for place in PLACES if Path(place).exists())]
        if found
    ),
    None,
)
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-sync",
]


def needed() -> str:
    """Return the path of the browser. Skips the test that asks where there is none, or no playwright."""
    pytest.importorskip("playwright.sync_api", reason="playwright is not installed: make setup")
    if not CHROMIUM:
        pytest.skip("no Chromium or Chrome on this computer (Debian: apt install chromium)")
    return CHROMIUM


@pytest.fixture(scope="module")
def browser():
    """A browser for the tests of one file. (Not for all: while playwright runs, no other event loop can.)"""
    path = needed()
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()
