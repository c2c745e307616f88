"""Nights: what a workspace is likely to ask for, written before it asks, off-peak and under a budget of its own."""

from __future__ import annotations
