from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import protect


class Migration(migrations.Migration):
    dependencies = [("webhooks", "0001_initial"), ("accounts", "0017_second_wall")]

    operations = [
        protect("webhooks_endpoint"),
        protect("webhooks_event"),
        protect("webhooks_delivery"),
        protect("webhooks_attempt"),
    ]
