from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import protect


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial"), ("accounts", "0017_second_wall")]

    operations = [
        protect(
            "billing_billingaccount",
            "billing_subscription",
            "billing_checkoutintent",
            "billing_usagereport",
        ),
    ]
