"""The README's pictures, taken from the running app: `make run` in one terminal, `make screenshots` in another."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "docs" / "screenshots"
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"]
ONE = re.compile(r"/[0-9a-f-]{36}/$")


def demo() -> dict[str, str]:
    lines = (ROOT / ".local" / "demo.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines)


def sign_in(page: Page, env: dict[str, str]) -> str:
    page.goto(env["CONTENTOPT_URL"] + "/accounts/login/")
    page.get_by_label("Email").fill(env["DEMO_EMAIL"])
    page.get_by_label("Password").fill(env["DEMO_PASSWORD"])
    page.keyboard.press("Enter")
    page.wait_for_url("**/w/**")
    return page.url


def shoot(page: Page, name: str) -> None:
    page.wait_for_timeout(300)
    page.screenshot(path=str(TARGET / f"{name}.png"))


def main() -> None:
    env = demo()
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1180, "height": 760}, color_scheme="light")
        page.goto(env["CONTENTOPT_URL"])
        shoot(page, "landing")
        home = sign_in(page, env)
        page.goto(home + "products/")
        page.get_by_role("link", name="Tarn insulated bottle").click()
        page.locator("#copy [data-labels]").nth(1).hover()
        shoot(page, "product")
        page.goto(home + "runs/new/")
        shoot(page, "price")
        page.goto(home + "usage/")
        shoot(page, "usage")
        page.goto(home + "runs/")
        page.locator("main a", has_text="sample-shop").first.click()
        page.wait_for_url(ONE)
        shoot(page, "run")
        page.goto(home + "import/")
        page.locator("main a", has_text="sample-shop").first.click()
        page.wait_for_url(ONE)
        shoot(page, "import")
        page.get_by_role("link", name="Export").click()
        page.get_by_role("heading", name="Review and download").wait_for()
        shoot(page, "export")
        browser.close()


if __name__ == "__main__":
    main()
