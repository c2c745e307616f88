from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import allow, protect

PLATFORM = "workspace_id = '00000000-0000-4000-8000-000000000001'"


class Migration(migrations.Migration):
    dependencies = [("accounts", "0016_webhook_scope")]

    operations = [
        protect("accounts_membership"),
        protect("accounts_apikey"),
        protect("accounts_budget"),
        protect("accounts_reservation"),
        protect("accounts_usageentry"),
        protect("accounts_notice"),
        protect("accounts_usageperiod"),
        protect("accounts_countedproduct"),
        protect("accounts_usagerollup"),
        protect("accounts_invitation"),
        protect("accounts_auditentry"),
        protect("accounts_archive"),
        protect("accounts_archivepart"),
        protect("accounts_deletion"),
        protect("accounts_retention"),
        protect("accounts_idempotentrequest"),
        # Every hold is also one on the platform's day, and its threshold may be passed by anybody's call.
        allow("accounts_budget", "SELECT", f"{PLATFORM} AND scope = 'platform'"),
        allow("accounts_budget", "INSERT", f"{PLATFORM} AND scope = 'platform'"),
        allow("accounts_budget", "UPDATE", f"{PLATFORM} AND scope = 'platform'"),
        allow("accounts_notice", "INSERT", PLATFORM),
    ]
