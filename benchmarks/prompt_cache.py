"""What a vendor's prompt cache saves on a run.

    .venv/bin/python -m benchmarks.prompt_cache [products]

Starts the whole product with a model provider on loopback that counts cached tokens as the vendors do (see
tests.prompt_cache), imports a file of products that are no variants of each other, and writes a description, an SEO
title and a meta description for each. Once with Anthropic's API and once with OpenAI's, each with the usual four
products a call and with a call for every product. Prints the provider's own count of tokens, what the ledger booked,
and what the same tokens would have cost without a cache: all of this prompt at the plain rate, and its rules alone,
since without a cache nobody would send the examples with every text.
"""

from __future__ import annotations

import random
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from generation.llm.prices import PRICES
from generation.llm.types import ModelSpec
from generation.prompts import SYSTEM
from tests.prompt_cache import count_tokens
from tests.races.product import Product, eventually, run_product
from tests.servers import KEY, run_provider

SEED = 5
SPECS = {spec.model_id: spec for spec in PRICES}
RULES = SYSTEM.partition("# How to write")[0]
NOUNS = ("Apron", "Board", "Carafe", "Duvet", "Easel", "Flask", "Gloves", "Hammock", "Jug", "Kettle", "Lamp", "Mat")
MAKERS = ("Alder", "Birch", "Cedar", "Elm", "Hazel", "Larch", "Maple", "Oak", "Rowan", "Willow")
MATERIALS = ("linen", "oak", "glass", "cotton", "stoneware", "steel", "leather", "wool", "cork", "bamboo")
CARE = ("Wash at 40 degrees", "Wipe with a damp cloth", "Dishwasher safe", "Dry flat", "Oil once a year")
PLACES = ("kitchen", "garden", "workshop", "bedroom", "terrace", "studio")
OUTPUT_TOKENS = 200
RUN_SECONDS = 600
ITEMS_PER_CALL = (4, 1)
MODELS = ("claude-haiku-5-5", "gpt-6-luna")


@dataclass(frozen=True)
class Measured:
    calls: int
    texts: int
    tokens: dict[str, int]
    booked: int

    @property
    def given(self) -> int:
        return self.tokens["input_uncached"] + self.tokens["input_cached"] + self.tokens["cache_write_short"]

    @property
    def share(self) -> float:
        return 100 * self.tokens["input_cached"] / self.given

    def without(self, spec: ModelSpec, *, unsent: int = 0) -> int:
        """Nano-dollars at the plain rate, with so many tokens less in each call."""
        given = self.given - unsent * self.calls
        return (given * spec.price.input + self.tokens["output"] * spec.price.output) // 1_000_000


def products_file(count: int) -> bytes:
    dice = random.Random(SEED)
    rows = ["sku,name,brand,material,weight,care,use,SEO title,Meta description,description"]
    for number in range(1, count + 1):
        maker, noun = dice.choice(MAKERS), dice.choice(NOUNS)
        weight = f"{dice.randrange(80, 2_400, 10)} g"
        use = f"for the {dice.choice(PLACES)} and the {dice.choice(PLACES)}"
        name = f"{maker} {noun} KX-{number:04d}"
        rows.append(f"P-{number},{name},{maker},{dice.choice(MATERIALS)},{weight},{dice.choice(CARE)},{use},,,")
    return ("\n".join(rows) + "\n").encode()


def run(product: Product, key: str, count: int) -> None:
    catalogue = product.import_file(key, products_file(count))
    started = product.call(key, "POST", "runs", json={"catalogue": catalogue, "tone": "friendly"})
    started.raise_for_status()
    status = f"runs/{started.json()['id']}"
    assert eventually(lambda: product.call(key, "GET", status).json()["state"] == "finished", RUN_SECONDS, pause=0.5)


def measure(product: Product, spec: ModelSpec, count: int) -> Measured:
    provider = product.provider
    provider.reset()
    provider.behave({"delay_ms": 300, "output_tokens": OUTPUT_TOKENS})
    product.execute("UPDATE generation_provider SET is_enabled = (slug = %s) WHERE kind <> 'offline'", spec.provider)
    run(product, product.create_key(f"{spec.provider} {count}"), count)
    of_model = "FROM accounts_usageentry WHERE model_id = %s"
    (booked,) = product.fetch(f"SELECT COALESCE(sum(cost_nanos), 0)::bigint {of_model}", spec.model_id)[0]
    (texts,) = product.fetch("SELECT count(*) FROM generation_text WHERE model_id = %s", spec.model_id)[0]
    served = provider.meter()["served"]
    assert {each["model"] for each in served} == {spec.model_id}
    names = ("input_uncached", "input_cached", "cache_write_short", "output")
    return Measured(len(served), texts, {name: sum(each[name] for each in served) for name in names}, booked)


def row(items_per_call: int, found: Measured, spec: ModelSpec) -> str:
    unsent = count_tokens(SYSTEM) - count_tokens(RULES)
    plain, rules = found.without(spec), found.without(spec, unsent=unsent)
    tokens = " ".join(f"{found.tokens[name]:>8,}" for name in ("input_cached", "cache_write_short", "input_uncached"))
    return (
        f"{spec.model_id:<17} {items_per_call:>5} {found.texts:>6} {found.calls:>6} {tokens} {found.share:>6.1f} %"
        f"  ${found.booked / 1e9:.6f}  ${plain / 1e9:.6f} ({100 - 100 * found.booked / plain:>4.1f} % less)"
        f"  ${rules / 1e9:.6f} ({100 - 100 * found.booked / rules:>4.1f} % less)"
    )


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 500
    print(
        "model             a call  texts  calls     read  written    plain    read of all"
        "  booked     uncached                  rules alone, uncached"
    )
    for items_per_call in ITEMS_PER_CALL:
        with run_provider() as provider, tempfile.TemporaryDirectory() as folder:
            environment = {
                "OPENAI_API_KEY": KEY,
                "OPENAI_BASE_URL": f"{provider.url}/v1",
                "RUN_ITEMS_PER_CALL": str(items_per_call),
                "MICRO_BATCH_SECONDS": "0.4" if items_per_call > 1 else "0",
            }
            with run_product(Path(folder), provider, **environment) as product:
                for model_id in MODELS:
                    found = measure(product, SPECS[model_id], count)
                    print(row(items_per_call, found, SPECS[model_id]), flush=True)


if __name__ == "__main__":
    main()
