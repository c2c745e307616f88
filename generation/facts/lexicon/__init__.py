"""Words that make a statement when they stand in a product text: tables, and what reads them."""

from __future__ import annotations
