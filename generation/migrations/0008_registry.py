from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import django.core.validators
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

from generation.llm.prices import PRICES

SQL = Path(__file__).resolve().parent.parent / "sql" / "prices.sql"
DROP = """
DROP TRIGGER retire_route ON generation_modelprice;
DROP TRIGGER keep_price ON generation_modelprice;
DROP FUNCTION generation_keep_price();
"""
LISTED_ON = datetime(2026, 11, 21, tzinfo=UTC)
VENDORS = {
    "anthropic": {"position": 10, "key_name": "ANTHROPIC_API_KEY"},
    "openai": {
        "position": 20,
        "key_name": "OPENAI_API_KEY",
        "output_limit": "max_completion_tokens",
        "knows_service_tier": True,
        "knows_stream_options": True,
        "knows_prompt_cache_key": True,
    },
    "offline": {"position": 1000},
}
RETIRES = {"gpt-5-nano-2025-08-07": "2026-12-11"}
RATES = ("input", "output", "cached_read", "cache_write_short", "cache_write_long", "batch_input", "batch_output")
LONG_RATES = ("long_input", "long_output", "long_cached_read", "long_cache_write_short", "long_cache_write_long")


def seed(apps: Any, _schema_editor: Any) -> None:
    """What the vendors' models are able to do, and the price that each model has so far as the first of its history."""
    for kind, columns in VENDORS.items():
        apps.get_model("generation", "Provider").objects.filter(kind=kind).update(**columns)
    rows = apps.get_model("generation", "LlmModel").objects
    for spec in PRICES:
        rows.filter(provider=spec.provider, model_id=spec.model_id).update(
            has_structured_output=spec.capabilities.structured_output,
            has_batch=spec.capabilities.batch,
            has_streaming=spec.capabilities.streaming,
            prompt_cache_from=spec.capabilities.prompt_cache_from,
            retires_on=RETIRES.get(spec.model_id),
        )
    for model in rows.exclude(price={}):
        names = (*RATES, *LONG_RATES) if model.price["long_context_from"] else RATES
        apps.get_model("generation", "ModelPrice").objects.create(
            model=model,
            version=model.price_version,
            valid_from=LISTED_ON,
            long_context_from=model.price["long_context_from"] or None,
            added_by="price table",
            **{f"{name}_nanos": model.price[name] for name in names},
        )


def restore(apps: Any, _schema_editor: Any) -> None:
    """The newest price of each model, back where prices used to stand."""
    for row in apps.get_model("generation", "ModelPrice").objects.order_by("valid_from", "pk").select_related("model"):
        rates = {name: getattr(row, f"{name}_nanos") for name in (*RATES, *LONG_RATES)}
        row.model.price = {
            name: rates["output" if name.endswith("output") else "input"]
            if rate is None and name in RATES
            else rate or 0
            for name, rate in rates.items()
        } | {"long_context_from": row.long_context_from or 0}
        row.model.price_version = row.version
        row.model.save()


class Migration(migrations.Migration):
    dependencies = [("accounts", "0006_retirements"), ("generation", "0007_retirements")]

    operations = [
        migrations.CreateModel(
            name="ModelPrice",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("version", models.CharField(editable=False, max_length=40)),
                ("valid_from", models.DateTimeField(default=django.utils.timezone.now)),
                ("input_nanos", models.BigIntegerField(validators=[django.core.validators.MinValueValidator(0)])),
                ("output_nanos", models.BigIntegerField(validators=[django.core.validators.MinValueValidator(0)])),
                (
                    "cached_read_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "cache_write_short_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "cache_write_long_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "batch_input_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "batch_output_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "long_context_from",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="Tokens of input above which these hold.",
                        null=True,
                        validators=[django.core.validators.MinValueValidator(1)],
                    ),
                ),
                (
                    "long_input_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "long_output_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "long_cached_read_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "long_cache_write_short_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                (
                    "long_cache_write_long_nanos",
                    models.BigIntegerField(
                        blank=True, null=True, validators=[django.core.validators.MinValueValidator(0)]
                    ),
                ),
                ("added_by", models.CharField(editable=False, max_length=254)),
                ("added_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "verbose_name": "price",
                "ordering": ("-valid_from", "-pk"),
            },
        ),
        migrations.AddField(
            model_name="modelprice",
            name="model",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="prices", to="generation.llmmodel"
            ),
        ),
        migrations.AlterModelOptions(
            name="provider",
            options={"ordering": ("position", "slug")},
        ),
        migrations.AddField(
            model_name="llmcall",
            name="task",
            field=models.CharField(default="description", max_length=20),
        ),
        migrations.AddField(
            model_name="llmmodel",
            name="has_batch",
            field=models.BooleanField(default=False, help_text="Takes batches, at their price."),
        ),
        migrations.AddField(
            model_name="llmmodel",
            name="has_streaming",
            field=models.BooleanField(default=True, help_text="Sends a text as it is written."),
        ),
        migrations.AddField(
            model_name="llmmodel",
            name="has_structured_output",
            field=models.BooleanField(default=False, help_text="Replies by a JSON Schema."),
        ),
        migrations.AddField(
            model_name="llmmodel",
            name="prompt_cache_from",
            field=models.PositiveIntegerField(
                default=0, help_text="Tokens of the smallest beginning of a prompt that is cached. 0: none is."
            ),
        ),
        migrations.AddField(
            model_name="llmmodel",
            name="retires_on",
            field=models.DateField(blank=True, help_text="When the vendor takes it away, as far as known.", null=True),
        ),
        migrations.AddField(
            model_name="provider",
            name="base_url",
            field=models.CharField(
                blank=True,
                help_text="As far as before /chat/completions: http://127.0.0.1:11434/v1. Empty for the vendors themselves.",
                max_length=200,
                validators=[
                    django.core.validators.RegexValidator(
                        "^https?://[^/@?#\\s]+(/[^@?#\\s]*)?$",
                        "An http or https address without a password, a query or a fragment.",
                    )
                ],
                verbose_name="base URL",
            ),
        ),
        migrations.AddField(
            model_name="provider",
            name="concurrency",
            field=models.PositiveSmallIntegerField(
                default=10,
                help_text="Requests that may be on their way to it at once.",
                validators=[django.core.validators.MinValueValidator(1)],
            ),
        ),
        migrations.AddField(
            model_name="provider",
            name="key_name",
            field=models.CharField(
                blank=True,
                help_text="The environment variable that holds the key: GEMINI_API_KEY. Empty if the server needs none.",
                max_length=60,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Z][A-Z0-9_]*_API_KEY$", "Capitals, digits and underscores, with _API_KEY at the end."
                    )
                ],
                verbose_name="key's name",
            ),
        ),
        migrations.AddField(
            model_name="provider",
            name="knows_prompt_cache_key",
            field=models.BooleanField(default=False, verbose_name="knows prompt_cache_key"),
        ),
        migrations.AddField(
            model_name="provider",
            name="knows_service_tier",
            field=models.BooleanField(default=False, verbose_name="knows service_tier"),
        ),
        migrations.AddField(
            model_name="provider",
            name="knows_stream_options",
            field=models.BooleanField(
                default=True,
                help_text="Without it the cost of a streamed text is taken at its ceiling.",
                verbose_name="knows stream_options",
            ),
        ),
        migrations.AddField(
            model_name="provider",
            name="output_limit",
            field=models.CharField(
                choices=[("max_tokens", "max_tokens"), ("max_completion_tokens", "max_completion_tokens")],
                default="max_tokens",
                max_length=21,
                verbose_name="output limit's field",
            ),
        ),
        migrations.AddField(
            model_name="provider",
            name="position",
            field=models.PositiveSmallIntegerField(default=100, help_text="Lower is asked first."),
        ),
        migrations.AlterField(
            model_name="llmmodel",
            name="is_default",
            field=models.BooleanField(default=False, help_text="Serves its tier when its provider can be asked."),
        ),
        migrations.AlterField(
            model_name="llmmodel",
            name="max_input_tokens",
            field=models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AlterField(
            model_name="llmmodel",
            name="max_output_tokens",
            field=models.PositiveIntegerField(validators=[django.core.validators.MinValueValidator(1)]),
        ),
        migrations.AlterField(
            model_name="provider",
            name="kind",
            field=models.CharField(
                choices=[
                    ("anthropic", "Anthropic's Messages API"),
                    ("openai", "OpenAI's Chat API"),
                    ("offline", "Offline writer"),
                ],
                default="openai",
                max_length=10,
                verbose_name="API",
            ),
        ),
        migrations.AlterField(
            model_name="provider",
            name="slug",
            field=models.SlugField(help_text="Stands in the ledger, and stays.", primary_key=True, serialize=False),
        ),
        # Going back, the columns are filled from the prices, so they need something to stand in them until then.
        migrations.AlterField("llmmodel", "price", models.JSONField(default=dict)),
        migrations.AlterField("llmmodel", "price_version", models.CharField(max_length=40, default="")),
        migrations.RunPython(seed, restore),
        migrations.RemoveField(
            model_name="llmmodel",
            name="price",
        ),
        migrations.RemoveField(
            model_name="llmmodel",
            name="price_version",
        ),
        migrations.AddIndex(
            model_name="llmcall",
            index=models.Index(fields=["finished_at"], name="llm_call_finished"),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("base_url", ""), ("base_url__regex", "^https?://[^/@?#\\s]+(/[^@?#\\s]*)?$"), _connector="OR"
                ),
                name="provider_base_url_is_an_address",
                violation_error_message="The base URL is not an address.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("key_name", ""),
                    models.Q(
                        ("key_name__regex", "^[A-Z][A-Z0-9_]*_API_KEY$"),
                        models.Q(("key_name__in", ("CONTENTOPT_API_KEY", "STRIPE_API_KEY")), _negated=True),
                    ),
                    _connector="OR",
                ),
                name="provider_key_name_is_a_model_key",
                violation_error_message="That variable does not hold a key for models.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("key_name__in", ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")), _negated=True),
                    ("base_url", ""),
                    _connector="OR",
                ),
                name="provider_vendor_key_goes_to_the_vendor",
                violation_error_message="The vendor's own key goes to the vendor alone: leave the base URL empty, or name another key.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("kind", "offline"),
                    ("key_name__in", ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")),
                    models.Q(("base_url", ""), _negated=True),
                    _connector="OR",
                ),
                name="provider_has_an_address",
                violation_error_message="Without a base URL nobody knows where the server is.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("kind", "anthropic"), _negated=True),
                    models.Q(("key_name", ""), _negated=True),
                    _connector="OR",
                ),
                name="provider_anthropic_has_a_key",
                violation_error_message="This API is not spoken without a key: name its environment variable.",
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Q(("concurrency__gte", 1)), name="provider_concurrency_positive"
            ),
        ),
        migrations.AddConstraint(
            model_name="modelprice",
            constraint=models.UniqueConstraint(fields=("model", "version"), name="price_version_once_per_model"),
        ),
        migrations.AddConstraint(
            model_name="modelprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("input_nanos", None), ("input_nanos__gte", 0), _connector="OR"),
                    models.Q(("output_nanos", None), ("output_nanos__gte", 0), _connector="OR"),
                    models.Q(("cached_read_nanos", None), ("cached_read_nanos__gte", 0), _connector="OR"),
                    models.Q(("cache_write_short_nanos", None), ("cache_write_short_nanos__gte", 0), _connector="OR"),
                    models.Q(("cache_write_long_nanos", None), ("cache_write_long_nanos__gte", 0), _connector="OR"),
                    models.Q(("batch_input_nanos", None), ("batch_input_nanos__gte", 0), _connector="OR"),
                    models.Q(("batch_output_nanos", None), ("batch_output_nanos__gte", 0), _connector="OR"),
                    models.Q(("long_input_nanos", None), ("long_input_nanos__gte", 0), _connector="OR"),
                    models.Q(("long_output_nanos", None), ("long_output_nanos__gte", 0), _connector="OR"),
                    models.Q(("long_cached_read_nanos", None), ("long_cached_read_nanos__gte", 0), _connector="OR"),
                    models.Q(
                        ("long_cache_write_short_nanos", None),
                        ("long_cache_write_short_nanos__gte", 0),
                        _connector="OR",
                    ),
                    models.Q(
                        ("long_cache_write_long_nanos", None), ("long_cache_write_long_nanos__gte", 0), _connector="OR"
                    ),
                ),
                name="price_not_negative",
                violation_error_message="No rate is below nothing.",
            ),
        ),
        migrations.AddConstraint(
            model_name="modelprice",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(
                        ("long_cache_write_long_nanos", None),
                        ("long_cache_write_short_nanos", None),
                        ("long_cached_read_nanos", None),
                        ("long_context_from", None),
                        ("long_input_nanos", None),
                        ("long_output_nanos", None),
                    ),
                    models.Q(
                        ("long_context_from__gte", 1),
                        ("long_context_from__isnull", False),
                        ("long_input_nanos__gte", models.F("input_nanos")),
                        ("long_input_nanos__isnull", False),
                        ("long_output_nanos__gte", models.F("output_nanos")),
                        ("long_output_nanos__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="price_of_long_context_is_whole",
                violation_error_message="A price for long contexts has a number of tokens that it begins above, and an input and an output rate that are no lower than the ordinary ones.",
            ),
        ),
        migrations.RunSQL(SQL.read_text(), DROP),
    ]
