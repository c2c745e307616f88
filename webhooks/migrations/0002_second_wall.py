from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import protect


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial"), ("accounts", "0017_second_wall")]

    operations = [
        protect("webhooks_endpoint", "webhooks_event", "webhooks_delivery", "webhooks_attempt"),
    ]
