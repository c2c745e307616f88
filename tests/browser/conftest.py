from __future__ import annotations

import os
import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.races.product import Product

# Workers may still be starting on a busy machine; a page that is right is right at once.
expect.set_options(timeout=30_000)

# Headless in a container, and silent: no look-ups of its own.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if chromium is None:
        assert not os.environ.get("REQUIRE_BROWSER"), "REQUIRE_BROWSER is set, and no Chromium is installed"
        pytest.skip("no Chromium is installed: on Debian, apt-get install chromium")
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield launched
        launched.close()


@pytest.fixture
def page(browser: Browser, product: Product) -> Iterator[Page]:
    """A fresh visitor. A script error or a refused resource on any page fails the test."""
    context = browser.new_context(base_url=product.url, accept_downloads=True)
    opened = context.new_page()
    opened.set_default_timeout(30_000)
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on("console", lambda message: troubles.append(message.text) if message.type == "error" else None)
    yield opened
    context.close()
    assert troubles == []
