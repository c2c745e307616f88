"""The main job as a person does it, in a real browser against the real product."""

from __future__ import annotations

import csv
import io
import re
from pathlib import Path

import pytest
from playwright.sync_api import Page, Route, expect

pytestmark = [pytest.mark.browser, pytest.mark.processes, pytest.mark.xdist_group("product")]

PASSWORD = "a long pass phrase"
HEADER = "Handle,Title,Body (HTML),Vendor,Type,Variant SKU,SEO Title,SEO Description"
ROWS = [
    "linen-apron,Linen Apron,,Larch,Aprons,L-1,,",
    "oak-board,Oak Board,,Larch,Boards,B-1,,",
    'evil,"<script>document.title=1</script> Mug",,Larch,Mugs,M-1,,',
]


def sign_up(page: Page, email: str) -> None:
    page.goto("/")
    page.get_by_role("link", name="Start free").first.click()
    page.get_by_label("Email").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Create my workspace").click()
    page.wait_for_url("**/w/**")


def import_file(page: Page, path: Path) -> None:
    page.get_by_role("link", name="Import", exact=True).first.click()
    page.locator("input[type=file]").set_input_files(path)
    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"))


def test_sign_up_import_write_edit_download(page: Page, tmp_path: Path) -> None:
    source = tmp_path / "my shop.csv"
    source.write_bytes("\r\n".join([HEADER, *ROWS, ""]).encode("utf-8-sig"))

    sign_up(page, "mia@linden-tools.example")
    expect(page.get_by_role("heading", level=1)).to_have_text("Linden Tools")
    expect(page.get_by_text("sample-shop.csv").first).to_be_visible()

    import_file(page, source)
    expect(page.get_by_text("3 products").first).to_be_visible()
    expect(page.get_by_text("Shopify").first).to_be_visible()

    page.get_by_role("link", name="Write descriptions").first.click()
    expect(page.get_by_text("At most", exact=True)).to_be_visible()
    page.get_by_text("Friendly", exact=True).click()
    page.get_by_role("button", name="Write 3 descriptions").click()
    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))
    expect(page.get_by_role("heading", name="Done")).to_be_visible()

    page.get_by_role("link", name="Read the texts").click()
    page.get_by_role("link", name="Linen Apron").click()
    sentence = page.locator("#copy [data-labels]").first
    sentence.hover()
    expect(page.locator("dl.facts [data-lit]").first).to_be_visible()
    page.get_by_role("button", name="Write another").click()
    proposal = page.get_by_role("heading", name="Another wording")
    expect(proposal).to_be_visible()
    page.get_by_role("button", name="Keep it").click()
    expect(proposal).to_have_count(0)
    page.get_by_role("link", name="Edit").click()
    editor = page.get_by_role("textbox", name="Description", exact=True)
    editor.press("Control+a")
    editor.press_sequentially("A linen apron by Larch & friends.", delay=10)
    expect(page.locator("[data-saving]")).to_contain_text("Saved")

    page.get_by_role("link", name="Import", exact=True).first.click()
    page.get_by_role("link", name="my shop.csv").click()
    page.get_by_role("link", name="Export").click()
    expect(page.get_by_role("paragraph").filter(has_text="A linen apron by Larch &amp; friends.")).to_be_visible()
    with page.expect_download() as download:
        page.get_by_role("link", name="Download your file").click()

    content = Path(download.value.path()).read_bytes()
    assert download.value.suggested_filename == "my shop-described.csv"
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.reader(io.StringIO(content.decode("utf-8-sig"), newline="")))
    assert rows[0] == HEADER.split(",")
    assert rows[1][2] == "<p>A linen apron by Larch &amp; friends.</p>"
    untouched = [0, 1, 3, 4, 5]
    before = list(csv.reader(io.StringIO("\r\n".join(ROWS))))
    assert [[row[n] for n in untouched] for row in rows[1:]] == [[row[n] for n in untouched] for row in before]
    assert all(row[2] for row in rows[1:])


@pytest.mark.parametrize("milliseconds", [300, 1_500])  # as long as a finger takes; as a slow one, or a slow server
def test_price_is_not_renewed_under_the_pointer_that_presses_the_button(page: Page, milliseconds: int) -> None:
    sign_up(page, f"ida-{milliseconds}@alder-tools.example")
    page.goto(page.url + "runs/new/")
    page.get_by_label("Stop at, in dollars").fill("0.50")
    button = page.get_by_role("button", name=re.compile(r"^Write \d+ descriptions"))
    expect(page.get_by_text("Nothing to write")).to_have_count(0)

    button.hover()
    page.mouse.down()  # leaves the field
    page.wait_for_timeout(milliseconds)
    page.mouse.up()

    page.wait_for_url(re.compile(r"/runs/[0-9a-f-]{36}/"))


def test_visitor_tries_without_signing_up(page: Page) -> None:
    page.goto("/")
    page.get_by_role("textbox").fill("Oxbow chef's knife\nBlade: steel, 20 cm\nHandle: oak")
    page.get_by_role("button", name="Write it").click()

    expect(page.locator("#try-result [data-labels]").first).to_be_visible()


def test_sentence_pointed_at_before_the_scripts_came_is_lit_all_the_same(page: Page) -> None:
    late: list[Route] = []
    page.route("**/evidence*.js", lambda route: late.append(route))
    page.goto("/", wait_until="commit")
    page.locator("[data-labels]").first.hover()
    assert late
    late[0].continue_()

    expect(page.locator("[data-labels]").first).to_have_attribute("data-lit", "")


def test_file_chosen_before_the_scripts_came_is_sent_all_the_same(page: Page, tmp_path: Path) -> None:
    source = tmp_path / "my shop.csv"
    source.write_text("\n".join([HEADER, *ROWS]))
    sign_up(page, "eva@larch-goods.example")
    late: list[Route] = []
    page.route("**/dropzone*.js", lambda route: late.append(route))
    page.goto(page.url + "import/", wait_until="commit")
    page.locator("input[type=file]").set_input_files(source)
    assert late
    page.unroute("**/dropzone*.js")  # which lets it come

    page.wait_for_url(re.compile(r"/import/[0-9a-f-]{36}/"))


def test_file_that_is_none_is_refused_in_plain_words(page: Page, tmp_path: Path) -> None:
    workbook = tmp_path / "shop.xlsx"
    workbook.write_bytes(b"PK\x03\x04" + b"\0" * 500)

    sign_up(page, "tom@birch-goods.example")
    import_file(page, workbook)

    expect(page.get_by_text("CSV").first).to_be_visible()
    expect(page.get_by_text("Refused").or_(page.get_by_text("not imported")).first).to_be_visible()


def test_phone_reaches_every_page_without_scrolling_sideways(page: Page) -> None:
    page.set_viewport_size({"width": 390, "height": 844})
    sign_up(page, "lea@elm-works.example")
    base = page.url
    for part in (
        "",
        "products/",
        "import/",
        "runs/",
        "runs/new/",
        "usage/",
        "usage/ledger/",
        "usage/caps/",
        "api-keys/",
        "plan/",
    ):
        page.goto(base + part)
        overflow = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert overflow <= 0, part
