"""What asking a model for the evidence map would cost, and whether it would say more than the output check does.

    .venv/bin/python -m benchmarks.evidence_map

Takes the texts that the offline writer makes of our own families (benchmarks/cache/families.toml), so that every
sentence stands on facts, and compares the reply with the same reply that also names, for each sentence, the labels of
its facts: as `"evidence": [["Material"], ["Colour", "Size"]]`, the shortest form that says it. Tokens are a quarter of
the bytes. The map that `find_evidence` makes needs no tokens, and is made again from the text whatever a model says
of it: a model's own word for what it stands on is as little checked as the text itself.
"""

from __future__ import annotations

import json

from benchmarks.cache.catalogue import load_families
from generation.facts import Brief, extract_facts, find_evidence
from generation.llm.prices import PRICES
from generation.llm.providers.offline.composing import compose_description
from tests.prompt_cache import count_tokens

VARIANTS_OF_EACH = 3


def main() -> None:
    price = next(spec.price for spec in PRICES if spec.model_id == "claude-haiku-5-5")
    texts = sentences = without = plain = mapped = 0
    for family in load_families():
        for variant in family[:VARIANTS_OF_EACH]:
            facts = extract_facts({"title": variant.title, "attributes": dict(variant.values)})
            text = compose_description(Brief(facts))
            names = {fact.label: fact.display_label for fact in facts.facts}
            found = find_evidence(text, facts)
            evidence = [[names[label] for label in sentence.labels] for sentence in found]
            texts += 1
            sentences += len(found)
            without += sum(not sentence.labels for sentence in found)
            plain += count_tokens(json.dumps({"description": text}, ensure_ascii=False))
            mapped += count_tokens(json.dumps({"description": text, "evidence": evidence}, ensure_ascii=False))
    more = mapped - plain
    dollars = more / texts * price.output / 1_000_000 / 1e9
    print(f"{texts} texts, {sentences} sentences")
    share = 100 * more / plain
    print(f"reply without the map: {plain / texts:.1f} tokens; with it: {mapped / texts:.1f} ({share:.0f} % more)")
    print(f"the map costs ${1_000 * dollars:.4f} per 1,000 texts at claude-haiku-5-5's price")
    print(f"sentences for which the output check names the facts by itself: {sentences - without} of {sentences}")


if __name__ == "__main__":
    main()
