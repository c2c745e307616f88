"""Words that make a statement when they stand in a product text. Data only, one table a file."""

from __future__ import annotations
