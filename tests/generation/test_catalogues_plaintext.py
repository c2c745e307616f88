from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.catalogues import holds_html, html_to_text, storable


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>One.</p><p>Two.</p>", "One.\nTwo."),
        ("One.<br/>Two.<br>Three.", "One.\nTwo.\nThree."),
        ("<ul><li>warm</li><li>light</li></ul>", "warm\nlight"),
        ("<table><tr><td>Size</td><td>M</td></tr></table>", "Size M"),
        ("Tom &amp; Jerry&nbsp;&lt;3", "Tom & Jerry <3"),
        ("5 < 6 & 7 > 2", "5 < 6 & 7 > 2"),
        ("<script>alert(1)</script>Oak<style>p{}</style>", "Oak"),
        ("<!-- note -->Oak", "Oak"),
        ("<meta charset='utf-8'><span style='x'>Oak</span>", "Oak"),
        ("  a \t b\u00a0c \r\n\r\n\r\n d ", "a b c\nd"),
        ("a\u200bb\u202ec\u2066d\ufeff\u00ade", "abcde"),
        ("👩\u200d🚀 a\u200db", "👩\u200d🚀 ab"),
    ],
)
def test_a_cell_is_read_as_a_person_sees_it(html: str, text: str) -> None:
    assert html_to_text(html) == text


@settings(max_examples=150, deadline=None)
@given(value=st.text(max_size=60))
def test_any_cell_becomes_text_that_can_be_stored(value: str) -> None:
    text = html_to_text(value + "\ud800")

    assert "\0" not in text
    assert text.encode().decode() == text


def test_plain_text_with_angles_is_no_html() -> None:
    assert not holds_html("5 < 6, a <3 b")
    assert holds_html("A<br>B")


def test_a_stored_cell_differs_only_where_the_database_must() -> None:
    assert storable("<p>A\r\n\t\u200b") == "<p>A\r\n\t\u200b"
    assert storable("a\0b\udcff") == "ab\ufffd"
