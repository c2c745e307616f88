from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from generation.facts import extract_facts, find_evidence

FACTS = extract_facts(
    {
        "title": "Steel bottle Fjell",
        "brand": "Nordlund",
        "attributes": {"Capacity": "500 ml", "Colour": ["red", "blue"], "Waterproof": False, "Weight (g)": 320},
        "features": ["Keeps drinks cold for 12 hours", "BPA-free"],
    }
)


def labels(text: str) -> list[tuple[str, ...]]:
    return [sentence.labels for sentence in find_evidence(text, FACTS)]


def test_each_sentence_names_the_facts_it_stands_on() -> None:
    text = "The Fjell bottle is made by Nordlund. It holds 500 ml. Pick red or blue."

    assert labels(text) == [("title", "brand"), ("capacity",), ("color",)]


def test_a_quantity_is_found_in_any_unit() -> None:
    assert labels("It holds 0.5 L and weighs 0.32 kg.") == [("capacity", "weight")]


def test_a_concept_is_found_in_another_language() -> None:
    assert labels("Erhältlich in Rot.") == [("color",)]


def test_a_negated_fact_supports_only_its_negation() -> None:
    assert labels("It is not waterproof. It is waterproof.") == [("waterproof",), ()]


def test_most_of_a_feature_is_enough() -> None:
    assert labels("Drinks stay cold for 12 hours.") == [("feature",)]


def test_a_sentence_without_facts_has_no_labels() -> None:
    assert labels("You will enjoy it every day.") == [()]


def test_offsets_cut_the_text_at_its_sentences() -> None:
    text = 'Fjell holds 0.5 l, i.e. 500 ml.  "Really?" Yes!\n- Red\n\n- Blue, approx. 320 g'

    cut = [text[sentence.start : sentence.end] for sentence in find_evidence(text, FACTS)]

    assert cut == ["Fjell holds 0.5 l, i.e. 500 ml.", '"Really?"', "Yes!", "- Red", "- Blue, approx. 320 g"]


@settings(max_examples=150, deadline=None)
@given(st.text(max_size=300))
def test_sentences_never_overlap_and_leave_out_no_word(text: str) -> None:
    spans = [(sentence.start, sentence.end) for sentence in find_evidence(text, FACTS)]
    outside = text
    for start, end in reversed(spans):
        outside = outside[:start] + outside[end:]

    assert spans == sorted(spans)
    assert not any(char.isalnum() for char in outside)
