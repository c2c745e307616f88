from __future__ import annotations

from django.db import migrations

# Processes remember the rules with the models: see accounts.retiring.
RETIRE = """
CREATE TRIGGER retire_route AFTER INSERT OR DELETE OR UPDATE ON generation_routingrule
    FOR EACH STATEMENT EXECUTE FUNCTION accounts_retire_named('route');
"""


class Migration(migrations.Migration):
    dependencies = [("generation", "0018_held"), ("accounts", "0006_retirements")]
    operations = [migrations.RunSQL(RETIRE, "DROP TRIGGER retire_route ON generation_routingrule;")]
