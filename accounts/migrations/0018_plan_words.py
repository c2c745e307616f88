from __future__ import annotations

from typing import Any

from django.db import migrations

# The card itself says how many products and people a plan has room for.
WORDS = [
    (
        "pro",
        ["Everything in Free", "More products, faster", "A team of five"],
        ["Everything in Free", "Better models", "More requests a day"],
    ),
    (
        "enterprise",
        ["Everything in Pro", "As many products and people as you have", "Invoice"],
        ["Everything in Pro", "The best models", "Invoice"],
    ),
]


def reword(apps: Any, _schema_editor: Any) -> None:
    """Rows that staff have edited since stay as they are."""
    for slug, seeded, words in WORDS:
        apps.get_model("accounts", "Plan").objects.filter(pk=slug, features=seeded).update(features=words)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0017_second_wall")]
    operations = [migrations.RunPython(reword, migrations.RunPython.noop)]
