from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import allow, protect

PLATFORM = "workspace_id = '00000000-0000-4000-8000-000000000001'"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_webhook_scope")]

    operations = [
        protect(
            "accounts_membership",
            "accounts_apikey",
            "accounts_budget",
            "accounts_reservation",
            "accounts_usageentry",
            "accounts_notice",
            "accounts_usageperiod",
            "accounts_countedproduct",
            "accounts_usagerollup",
            "accounts_invitation",
            "accounts_auditentry",
            "accounts_archive",
            "accounts_archivepart",
            "accounts_deletion",
            "accounts_retention",
            "accounts_idempotentrequest",
        ),
        # Every hold is also one on the platform's day, and its threshold may be passed by anybody's call.
        allow("accounts_budget", "SELECT", "INSERT", "UPDATE", rows=f"{PLATFORM} AND scope = 'platform'"),
        allow("accounts_notice", "INSERT", rows=PLATFORM),
    ]
