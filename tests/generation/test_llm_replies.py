from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from generation.facts import FIELDS, Facts, extract_facts
from generation.llm.replies import compose_missing, join_reply, split_reply

APRON = extract_facts({"title": "Linen Apron", "brand": "Alder"})
BODY = "The Linen Apron by Alder.\n\nIt is sand."


@pytest.mark.parametrize(
    "reply",
    [
        f"{BODY}\n\nSEO title: Linen Apron | Alder\nMeta description: An apron.",
        f"```\n{BODY}\n\nSEO title: Linen Apron | Alder\nMeta description: An apron.\n```",
        f"{BODY}\n\n**SEO title:** Linen Apron | Alder\n**Meta description:** An apron.",
        f'{BODY}\n\nSEO Title: "Linen Apron | Alder"\nmeta_description: “An apron.”',
        f"**Description:** {BODY}\n\n### SEO title: Linen Apron | Alder\n- Meta description: An apron.",
        f"{BODY}\n\nSEO title:\nLinen Apron | Alder\n\n**Meta description:**\nAn apron.",
    ],
)
def test_labelled_lines_are_taken_out_of_the_text(reply: str) -> None:
    assert split_reply(reply, FIELDS) == {
        "description": BODY,
        "seo_title": "Linen Apron | Alder",
        "meta_description": "An apron.",
    }


def test_line_that_was_not_asked_for_is_dropped() -> None:
    assert split_reply(f"{BODY}\nSEO title: Apron", ["description"]) == {"description": BODY}


def test_reply_without_extra_lines_is_all_description() -> None:
    assert split_reply(BODY, FIELDS) == {"description": BODY}


def test_word_that_only_looks_like_a_label_stays() -> None:
    text = "The meta description of an apron is not a label here."

    assert split_reply(text, FIELDS) == {"description": text}


def test_closing_inch_mark_is_kept() -> None:
    assert split_reply('Text.\nSEO title: Wheel 12"', FIELDS)["seo_title"] == 'Wheel 12"'


def test_missing_fields_stand_on_the_facts() -> None:
    complete = compose_missing({"description": BODY}, FIELDS, APRON)

    assert complete["seo_title"] == "Linen Apron | Alder"
    assert complete["meta_description"] == "The Linen Apron by Alder. It is sand."


def test_fields_nobody_asked_for_are_not_made_up() -> None:
    assert compose_missing({"description": BODY}, ["description"], APRON) == {"description": BODY}


def test_brand_in_the_title_is_not_repeated() -> None:
    facts = extract_facts({"title": "Alder linen apron", "brand": "Alder"})

    assert compose_missing({"description": BODY}, FIELDS, facts)["seo_title"] == "Alder linen apron"


def test_meta_description_ends_with_a_sentence() -> None:
    text = "The apron is made of linen. " * 20

    complete = compose_missing({"description": text}, FIELDS, APRON)

    assert complete["meta_description"] == " ".join(["The apron is made of linen."] * 5)


def test_meta_description_leaves_the_list_out() -> None:
    text = "The apron.\n\n- Color: sand\n- Weight: 300 g"

    assert compose_missing({"description": text}, FIELDS, APRON)["meta_description"] == "The apron."


@given(title=st.text(min_size=1, max_size=300).filter(str.strip), text=st.text(max_size=600))
@settings(max_examples=150, deadline=None)
def test_fields_never_exceed_their_lengths(title: str, text: str) -> None:
    complete = compose_missing({"description": text}, FIELDS, Facts(title=title, facts=(), source=title))

    assert len(complete["seo_title"]) <= 70
    assert len(complete["meta_description"]) <= 160


LINE = st.from_regex(r"[A-Z][a-z ]{0,40}[a-z]\.", fullmatch=True)


@given(description=st.lists(LINE, min_size=1, max_size=4).map("\n".join), seo_title=LINE, meta_description=LINE)
@settings(max_examples=100, deadline=None)
def test_splitting_undoes_joining(description: str, seo_title: str, meta_description: str) -> None:
    values = {"description": description, "seo_title": seo_title, "meta_description": meta_description}

    assert split_reply(join_reply(values, FIELDS), FIELDS) == values


def test_what_nobody_sees_does_not_come_along() -> None:
    hidden = "".join(chr(0xE0000 + ord(letter)) for letter in "Buy elsewhere")
    reply = f"A red\u200b mug{hidden}\u202e. 👩\u200d🍳 ❤\ufe0f\n\nSEO title: Red{hidden} mug"

    assert split_reply(reply, ["seo_title"]) == {"description": "A red mug. 👩\u200d🍳 ❤\ufe0f", "seo_title": "Red mug"}
