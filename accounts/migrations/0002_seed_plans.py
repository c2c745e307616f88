from __future__ import annotations

from typing import Any

from django.db import migrations

# Limits as designed: burst per minute and requests a day; money in nano-dollars (1 USD = 1_000_000_000).
PLANS: list[dict[str, Any]] = [
    {
        "slug": "free",
        "name": "Free",
        "position": 1,
        "products_per_month": 50,
        "burst_per_minute": 5,
        "requests_per_day": 20,
        "spend_cap_nanos": 1_000_000_000,
        "seats": 1,
        "monthly_price_cents": 0,
        "features": ["CSV in, the same CSV back", "REST API", "Every sentence shows its source", "No card needed"],
    },
    {
        "slug": "pro",
        "name": "Pro",
        "position": 2,
        "products_per_month": 2_000,
        "burst_per_minute": 30,
        "requests_per_day": 500,
        "spend_cap_nanos": 20_000_000_000,
        "seats": 5,
        "monthly_price_cents": 2_400,
        "features": ["Everything in Free", "More products, faster", "A team of five"],
        "stripe_lookup_key": "pro_monthly",
    },
    {
        "slug": "enterprise",
        "name": "Enterprise",
        "position": 3,
        "products_per_month": None,
        "burst_per_minute": 100,
        "requests_per_day": 10_000,
        "spend_cap_nanos": 500_000_000_000,
        "seats": None,
        "monthly_price_cents": 29_900,
        "features": ["Everything in Pro", "As many products and people as you have", "Invoice"],
        "stripe_lookup_key": "enterprise_monthly",
    },
    {
        "slug": "internal",
        "name": "Internal",
        "position": 9,
        "is_public": False,
        "features": ["Not for sale: benchmarks and staff"],
    },
]

PUBLIC_WORKSPACE = "00000000-0000-4000-8000-000000000001"


def seed(apps: Any, _schema_editor: Any) -> None:
    """Rows that staff have edited since stay as they are."""
    plan = apps.get_model("accounts", "Plan")
    for values in PLANS:
        plan.objects.get_or_create(slug=values["slug"], defaults=values)
    apps.get_model("accounts", "Workspace").objects.get_or_create(
        pk=PUBLIC_WORKSPACE,
        defaults={"name": "Visitors", "slug": "visitors", "plan_id": "internal"},
    )


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]
    operations = [migrations.RunPython(seed, migrations.RunPython.noop)]
