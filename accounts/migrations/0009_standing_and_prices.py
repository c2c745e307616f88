from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import migrations, models

SQL = Path(__file__).resolve().parent.parent / "sql" / "budgets.sql"
# Starting values for staff to edit: a year for the price of ten months.
PRICES: dict[str, dict[str, Any]] = {
    "pro": {
        "yearly_price_cents": 24_000,
        "seat_price_cents": 500,
        "overage_price_cents": 2,
        "trial_spend_cap_nanos": 2_000_000_000,
        "stripe_yearly_lookup_key": "pro_yearly",
        "stripe_seat_lookup_key": "pro_seat",
        "stripe_overage_lookup_key": "pro_overage",
    },
    "enterprise": {
        "yearly_price_cents": 299_000,
        "trial_spend_cap_nanos": 20_000_000_000,
        "stripe_yearly_lookup_key": "enterprise_yearly",
    },
}


def seed(apps: Any, _schema_editor: Any) -> None:
    for slug, values in PRICES.items():
        apps.get_model("accounts", "Plan").objects.filter(slug=slug).update(**values)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_plan_tiers"),
    ]

    operations = [
        migrations.AddField(
            model_name="plan",
            name="overage_price_cents",
            field=models.PositiveIntegerField(
                default=0, help_text="Of each product beyond the month's; 0: there are no more to be had."
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="seat_price_cents",
            field=models.PositiveIntegerField(
                default=0, help_text="A month, of each person beyond the plan's seats; 0: there are no more to be had."
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="stripe_overage_lookup_key",
            field=models.CharField(
                blank=True, help_text="Of the price of a product beyond the month's; “_yearly” likewise.", max_length=90
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="stripe_seat_lookup_key",
            field=models.CharField(
                blank=True, help_text="Of the price of a seat; “_yearly” is added for the yearly one.", max_length=90
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="stripe_yearly_lookup_key",
            field=models.CharField(blank=True, help_text="Of the yearly price.", max_length=100),
        ),
        migrations.AddField(
            model_name="plan",
            name="trial_spend_cap_nanos",
            field=models.BigIntegerField(
                blank=True,
                help_text="Model spend a month while the plan is tried free; the plan's cap holds as well.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="plan",
            name="yearly_price_cents",
            field=models.PositiveIntegerField(default=0, help_text="0: it is sold by the month only."),
        ),
        migrations.AddField(
            model_name="workspace",
            name="billing_cap_nanos",
            field=models.BigIntegerField(
                blank=True,
                help_text="Billing's cap on model spend a month, during a trial; the others hold as well.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="overage_products",
            field=models.PositiveIntegerField(
                default=0, help_text="Products a month beyond the plan's that the owner agreed to pay for one by one."
            ),
        ),
        migrations.AddField(
            model_name="workspace",
            name="standing",
            field=models.CharField(
                choices=[
                    ("good", "Good"),
                    ("overdue", "As good, but a payment did not go through"),
                    ("frozen", "No model spend: a payment was disputed or refunded"),
                    ("read_only", "Read-only: a payment is long overdue"),
                ],
                default="good",
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("budget", "Budget threshold"),
                    ("quota", "Quota threshold"),
                    ("week", "Weekly summary"),
                    ("staff", "For the staff"),
                    ("billing", "Payment and plan"),
                ],
                max_length=10,
            ),
        ),
        migrations.AlterField(
            model_name="plan",
            name="stripe_lookup_key",
            field=models.CharField(
                blank=True,
                help_text="Of the monthly price at Stripe; empty: the plan is not sold online.",
                max_length=100,
            ),
        ),
        migrations.AddConstraint(
            model_name="plan",
            constraint=models.CheckConstraint(
                condition=models.Q(("trial_spend_cap_nanos", None), ("trial_spend_cap_nanos__gte", 0), _connector="OR"),
                name="plan_trial_cap_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("billing_cap_nanos", None), ("billing_cap_nanos__gte", 0), _connector="OR"),
                name="workspace_billing_cap_nanos_not_negative",
            ),
        ),
        migrations.AddConstraint(
            model_name="workspace",
            constraint=models.CheckConstraint(
                condition=models.Q(("standing__in", ["good", "overdue", "frozen", "read_only"])),
                name="workspace_known_standing",
            ),
        ),
        migrations.RunSQL(SQL.read_text(), migrations.RunSQL.noop),
        migrations.RunPython(seed, migrations.RunPython.noop),
    ]
