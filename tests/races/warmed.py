"""Imported by the fork server alone: what each process would take seconds to load and compile, done once for all."""

from __future__ import annotations

from generation.engine.warming import VENDORS, warm_up
from generation.llm.providers import adapter

for kind in VENDORS:
    adapter(kind)
warm_up()
