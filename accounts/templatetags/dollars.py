"""Nano-dollars on pages and in mails."""

from __future__ import annotations

from django import template

from accounts.dollars import about_usd, bare_usd, cents_usd, most_usd, round_usd, usd

register = template.Library()
for show in (usd, about_usd, round_usd, most_usd, bare_usd, cents_usd):
    register.filter(show.__name__, show)
