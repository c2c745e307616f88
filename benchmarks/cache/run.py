"""The cache beside others, over one stream of requests: hits by layer, wrong texts served, calls, cost.

    .venv/bin/python -m benchmarks.cache.run            4,000 requests, 800 variants to choose from
    .venv/bin/python -m benchmarks.cache.run --small    a quick look
    .venv/bin/python -m benchmarks.cache.run --catalogue products.csv

The product is asked over its HTTP API: all its processes, engines of its own, a provider on loopback whose texts state
the facts they were given. The others are asked the same bodies in the same order, in this process. A text is wrong when
it lacks a value by which the asked variant is told from its siblings, or states one of a sibling's.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchmarks.cache.asking import ask_all, running_product
from benchmarks.cache.baselines import (
    COSINE,
    GPTCACHE_DEFAULT,
    ExactString,
    GPTCache,
    PlainCosine,
    TextCache,
    replay,
    threshold_of_cosine,
)
from benchmarks.cache.embeddings import load_minilm, load_wordllama
from benchmarks.cache.oracle import find_fault, upper_bound
from benchmarks.cache.stream import Request, add_arguments, stream_from
from generation.llm.prices import PRICES

SMALL_REQUESTS, SMALL_VARIANTS = 400, 120
# A typical description, as elsewhere: 900 tokens in, 250 out.
INPUT_TOKENS, OUTPUT_TOKENS, MODEL = 900, 250, "claude-haiku-5-5"
LAYERS = ("exact", "template", "semantic", "precomputed", "coalesced")
EXAMPLES = 5


@dataclass(frozen=True)
class Outcome:
    name: str
    sources: Counter[str]  # of all requests
    faults: list[tuple[str, Request, str]]  # what is wrong, asked for, served; of those that a cache served
    calls: int
    seconds: float
    errors: list[tuple[str, Request, str]]  # code, asked for, message
    free_text: Counter[str]  # sources of the requests in free text

    @property
    def requests(self) -> int:
        return self.sources.total()

    @property
    def dollars(self) -> float:
        """Several briefs may share a call, which then costs what they would cost apart."""
        return max(self.calls, self.sources["model"]) * dollars_a_call()

    @property
    def served(self) -> int:
        return sum(number for source, number in self.sources.items() if source != "model" and "error" not in source)


def ask_product(stream: Sequence[Request]) -> Outcome:
    with running_product() as (product, provider):
        key = product.create_key("Stream")
        begun = time.perf_counter()
        replies = ask_all(product, key, [request.body for request in stream])
        seconds = time.perf_counter() - begun
        calls = provider.meter()["requests"]
    faults = [
        (fault, request, reply.text)
        for request, reply in zip(stream, replies, strict=True)
        if reply.is_cached and (fault := find_fault(reply.text, request.variant))
    ]
    errors = [
        (reply.source, request, reply.text) for request, reply in zip(stream, replies, strict=True) if reply.is_error
    ]
    free_text = Counter(
        reply.source for request, reply in zip(stream, replies, strict=True) if "prompt" in request.body
    )
    return Outcome("ContentOpt", Counter(reply.source for reply in replies), faults, calls, seconds, errors, free_text)


def ask_baseline(name: str, cache: TextCache, stream: Sequence[Request]) -> Outcome:
    begun = time.perf_counter()
    replies = replay(cache, [request.words for request in stream])
    seconds = time.perf_counter() - begun
    faults = [
        (fault, request, text)
        for request, (is_hit, text) in zip(stream, replies, strict=True)
        if is_hit and (fault := find_fault(text, request.variant))
    ]
    layer = "exact" if isinstance(cache, ExactString) else "semantic"
    sources = Counter(layer if is_hit else "model" for is_hit, _ in replies)
    return Outcome(name, sources, faults, sources["model"], seconds, [], Counter())


def ask_baselines(stream: Sequence[Request]) -> Iterator[Outcome]:
    wordllama, minilm = load_wordllama(), load_minilm()
    yield ask_baseline("exact string", ExactString(), stream)
    yield ask_baseline("cosine 0.95, wordllama", PlainCosine(wordllama), stream)
    yield ask_baseline("cosine 0.95, MiniLM", PlainCosine(minilm), stream)
    thresholds = {"GPTCache, its default": GPTCACHE_DEFAULT, "GPTCache, as 0.95": threshold_of_cosine(COSINE)}
    for name, threshold in thresholds.items():
        yield ask_baseline(name, GPTCache(minilm, threshold), stream)


def dollars_a_call() -> float:
    price = next(spec.price for spec in PRICES if spec.model_id == MODEL)
    assert price is not None
    return (INPUT_TOKENS * price.input + OUTPUT_TOKENS * price.output) / 1e15  # nano-dollars a million


def table(outcomes: Sequence[Outcome]) -> Iterator[str]:
    columns = "".join(f"{layer:>12}" for layer in LAYERS)
    yield f"{'':<24}{'hits':>8}{columns}{'wrong':>8}{'of served':>11}{'at most':>9}{'calls':>7}{'cost':>10}"
    for each in outcomes:
        layers = "".join(f"{each.sources[layer]:>12}" for layer in LAYERS)
        wrong, served = len(each.faults), each.served
        share = f"{wrong / served:>11.1%}{upper_bound(wrong, served):>9.2%}" if served else f"{'-':>11}{'-':>9}"
        cost = f"{'$' + format(each.dollars, '.4f'):>10}"
        yield f"{each.name:<24}{served / each.requests:>8.1%}{layers}{wrong:>8}{share}{each.calls:>7}{cost}"


def report(stream: Sequence[Request], outcomes: Sequence[Outcome]) -> Iterator[str]:
    variants = {request.variant for request in stream}
    families = {variant.family for variant in variants}
    free = sum("prompt" in request.body for request in stream)
    ceiling, family_ceiling = (1 - len(each) / len(stream) for each in (variants, families))
    yield f"{len(stream)} requests, {len(variants)} variants of {len(families)} families, {free} in free text"
    yield f"ceiling: {ceiling:.1%} when each variant is written once, {family_ceiling:.1%} when each family is"
    yield ""
    yield from table(outcomes)
    product = outcomes[0]
    without = (product.served - product.sources["template"]) / product.requests
    yield ""
    yield f"ContentOpt without what its template layer served: {without:.1%} hits"
    told = ", ".join(f"{source} {number}" for source, number in product.free_text.most_common())
    yield f"ContentOpt, requests in free text: {told}"
    yield f"ContentOpt: {product.requests / product.seconds:.0f} requests/s, provider and both ends on this machine"
    yield f"cost: {MODEL} at {INPUT_TOKENS} tokens in and {OUTPUT_TOKENS} out a call; at most: 95 % bound of the share"
    yield ", ".join(f"{each.name} {each.seconds:.0f} s" for each in outcomes)
    yield f"errors: {len(product.errors)}"
    for code, request, message in product.errors[:EXAMPLES]:
        yield f"{code}: {message}\n    asked  {request.words}"
    for fault, number in Counter(fault for fault, _, _ in product.faults).most_common():
        _, request, text = next(each for each in product.faults if each[0] == fault)
        yield f"WRONG: {fault}, {number} times\n    asked  {request.words}\n    served {text}"


def main() -> None:
    parser = argparse.ArgumentParser(description="The cache beside others, over one stream of requests.")
    add_arguments(parser)
    parser.add_argument("--small", action="store_true", help=f"{SMALL_REQUESTS} requests, {SMALL_VARIANTS} variants")
    arguments = parser.parse_args()
    if arguments.small:
        arguments.requests, arguments.variants = SMALL_REQUESTS, SMALL_VARIANTS
    stream = stream_from(arguments)
    outcomes = [ask_product(stream), *ask_baselines(stream)]
    for line in report(stream, outcomes):
        print(line)


if __name__ == "__main__":
    main()
