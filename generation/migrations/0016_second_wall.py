from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import allow, protect


class Migration(migrations.Migration):
    dependencies = [("generation", "0014_review"), ("accounts", "0017_second_wall")]

    operations = [
        protect(
            "generation_llmbatch",
            "generation_batchpart",
            "generation_cachedtext",
            "generation_cachedtemplate",
            "generation_flight",
            "generation_catalogue",
            "generation_cataloguechunk",
            "generation_columnmapping",
            "generation_rowproblem",
            "generation_product",
            "generation_variant",
            "generation_night",
            "generation_nightitem",
            "generation_llmcall",
            "generation_run",
            "generation_runitem",
            "generation_text",
            "generation_refinement",
            "generation_comment",
            "generation_stream",
        ),
        # The public pool: what visitors tried is there for everybody, to read.
        allow(
            "generation_cachedtext",
            "SELECT",
            rows="workspace_id = '00000000-0000-4000-8000-000000000001' AND is_public",
        ),
    ]
