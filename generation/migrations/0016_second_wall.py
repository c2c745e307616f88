from __future__ import annotations

from django.db import migrations

from contentopt.database.policies import allow, protect


class Migration(migrations.Migration):
    dependencies = [("generation", "0014_review"), ("accounts", "0017_second_wall")]

    operations = [
        protect("generation_llmbatch"),
        protect("generation_batchpart"),
        protect("generation_cachedtext"),
        protect("generation_cachedtemplate"),
        protect("generation_flight"),
        protect("generation_catalogue"),
        protect("generation_cataloguechunk"),
        protect("generation_columnmapping"),
        protect("generation_rowproblem"),
        protect("generation_product"),
        protect("generation_variant"),
        protect("generation_night"),
        protect("generation_nightitem"),
        protect("generation_llmcall"),
        protect("generation_run"),
        protect("generation_runitem"),
        protect("generation_text"),
        protect("generation_refinement"),
        protect("generation_comment"),
        protect("generation_stream"),
        # The public pool: what visitors tried is there for everybody, to read.
        allow(
            "generation_cachedtext",
            "SELECT",
            "workspace_id = '00000000-0000-4000-8000-000000000001' AND is_public",
        ),
    ]
