from __future__ import annotations

from typing import Any

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models
from django.db.models import F, Q, TextChoices
from django.db.models.functions import Now
from django.utils import timezone

from accounts.models import TenantQuerySet, Tier, Workspace, WorkspaceOwned
from generation.facts import Task
from generation.llm.types import Access, Capabilities, Price, Quirks

# No credentials in it: those are in the environment. No query either, for paths are added at its end.
ADDRESS = r"^https?://[^/@?#\s]+(/[^@?#\s]*)?$"
KEY_NAME = r"^[A-Z][A-Z0-9_]*_API_KEY$"
# The vendors' keys go to no address but the one that the environment holds for them.
VENDOR_KEYS = ("ANTHROPIC_API_KEY", "OPENAI_API_KEY")
# These end like a provider's key and are none.
OTHER_KEYS = ("CONTENTOPT_API_KEY", "STRIPE_API_KEY")


class Provider(models.Model):
    """A server that models are asked at: a vendor's own, or any that speaks a vendor's API. Keys are named here and
    stand in the environment.
    """

    class Kind(TextChoices):
        ANTHROPIC = "anthropic", "Anthropic's Messages API"
        OPENAI = "openai", "OpenAI's Chat API"
        OFFLINE = "offline", "Offline writer"

    class OutputLimit(TextChoices):
        MAX_TOKENS = "max_tokens", "max_tokens"
        MAX_COMPLETION_TOKENS = "max_completion_tokens", "max_completion_tokens"

    slug = models.SlugField(primary_key=True, help_text="Stands in the ledger, and stays.")
    name = models.CharField(max_length=60)
    kind = models.CharField("API", max_length=10, choices=Kind.choices, default=Kind.OPENAI)
    is_enabled = models.BooleanField(default=True, help_text="Off: no request goes to this provider.")
    position = models.PositiveSmallIntegerField(default=100, help_text="Lower is asked first.")
    base_url = models.CharField(
        "base URL",
        max_length=200,
        blank=True,
        validators=[RegexValidator(ADDRESS, "An http or https address without a password, a query or a fragment.")],
        help_text="As far as before /chat/completions: http://127.0.0.1:11434/v1. Empty for the vendors themselves.",
    )
    key_name = models.CharField(
        "key's name",
        max_length=60,
        blank=True,
        validators=[RegexValidator(KEY_NAME, "Capitals, digits and underscores, with _API_KEY at the end.")],
        help_text="The environment variable that holds the key: GEMINI_API_KEY. Empty if the server needs none.",
    )
    concurrency = models.PositiveSmallIntegerField(
        default=10, validators=[MinValueValidator(1)], help_text="Requests that may be on their way to it at once."
    )
    output_limit = models.CharField(
        "output limit's field", max_length=21, choices=OutputLimit.choices, default=OutputLimit.MAX_TOKENS
    )
    knows_service_tier = models.BooleanField("knows service_tier", default=False)
    knows_stream_options = models.BooleanField(
        "knows stream_options",
        default=True,
        help_text="Without it the cost of a streamed text is taken at its ceiling.",
    )
    knows_prompt_cache_key = models.BooleanField("knows prompt_cache_key", default=False)

    class Meta:
        ordering = ("position", "slug")
        constraints = [
            models.CheckConstraint(
                condition=Q(base_url="") | Q(base_url__regex=ADDRESS),
                name="provider_base_url_is_an_address",
                violation_error_message="The base URL is not an address.",
            ),
            models.CheckConstraint(
                condition=Q(key_name="") | Q(key_name__regex=KEY_NAME) & ~Q(key_name__in=OTHER_KEYS),
                name="provider_key_name_is_a_model_key",
                violation_error_message="That variable does not hold a key for models.",
            ),
            models.CheckConstraint(
                condition=~Q(key_name__in=VENDOR_KEYS) | Q(base_url=""),
                name="provider_vendor_key_goes_to_the_vendor",
                violation_error_message="The vendor's own key goes to the vendor alone: leave the base URL empty, or "
                "name another key.",
            ),
            models.CheckConstraint(
                condition=Q(kind="offline") | Q(key_name__in=VENDOR_KEYS) | ~Q(base_url=""),
                name="provider_has_an_address",
                violation_error_message="Without a base URL nobody knows where the server is.",
            ),
            models.CheckConstraint(
                condition=~Q(kind="anthropic") | ~Q(key_name=""),
                name="provider_anthropic_has_a_key",
                violation_error_message="This API is not spoken without a key: name its environment variable.",
            ),
            models.CheckConstraint(condition=Q(concurrency__gte=1), name="provider_concurrency_positive"),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def access(self) -> Access:
        return Access(self.base_url, self.key_name)

    @property
    def quirks(self) -> Quirks:
        return Quirks(
            output_limit=self.output_limit,  # type: ignore[arg-type]
            knows_service_tier=self.knows_service_tier,
            knows_stream_options=self.knows_stream_options,
            knows_prompt_cache_key=self.knows_prompt_cache_key,
        )


class LlmModel(models.Model):
    """One model (the design's ModelSpec, with its price in force)."""

    provider = models.ForeignKey(Provider, on_delete=models.PROTECT, related_name="models")
    model_id = models.CharField(max_length=100)
    tier = models.CharField(max_length=10, choices=Tier.choices)
    is_enabled = models.BooleanField(default=True, help_text="Off: no request goes to this model.")
    is_default = models.BooleanField(default=False, help_text="Serves its tier when its provider can be asked.")
    max_input_tokens = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    max_output_tokens = models.PositiveIntegerField(validators=[MinValueValidator(1)])
    has_structured_output = models.BooleanField(default=False, help_text="Replies by a JSON Schema.")
    has_batch = models.BooleanField(default=False, help_text="Takes batches, at their price.")
    has_streaming = models.BooleanField(default=True, help_text="Sends a text as it is written.")
    prompt_cache_from = models.PositiveIntegerField(
        default=0, help_text="Tokens of the smallest beginning of a prompt that is cached. 0: none is."
    )
    retires_on = models.DateField(null=True, blank=True, help_text="When the vendor takes it away, as far as known.")
    refused_at = models.DateTimeField(null=True, editable=False, help_text="Set while the provider refuses us.")
    refusal = models.CharField(max_length=200, blank=True, editable=False)

    class Meta:
        verbose_name = "model"
        ordering = ("provider", "tier", "model_id")
        constraints = [models.UniqueConstraint(fields=("provider", "model_id"), name="model_once_per_provider")]

    def __str__(self) -> str:
        return self.model_id

    @property
    def capabilities(self) -> Capabilities:
        return Capabilities(self.has_structured_output, self.prompt_cache_from, self.has_batch, self.has_streaming)


class PriceQuerySet(models.QuerySet["ModelPrice"]):
    def in_force(self) -> PriceQuerySet:
        """One for each model that has a price by now: of several that hold from the same moment, the last added."""
        begun = self.filter(valid_from__lte=Now()).order_by("model_id", "-valid_from", "-pk").distinct("model_id")
        return self.filter(pk__in=begun.values("pk"))


def _rate(**options: Any) -> models.BigIntegerField[Any, Any]:
    return models.BigIntegerField(validators=[MinValueValidator(0)], **options)


def _optional_rate() -> models.BigIntegerField[Any, Any]:
    return _rate(null=True, blank=True)


RATES = ("input", "output", "cached_read", "cache_write_short", "cache_write_long", "batch_input", "batch_output")
LONG_RATES = ("long_input", "long_output", "long_cached_read", "long_cache_write_short", "long_cache_write_long")


class ModelPrice(models.Model):
    """What a model costs from a moment on, nano-dollars a million tokens. Another price is another row: the version
    stands in the ledger.
    """

    model = models.ForeignKey(LlmModel, on_delete=models.PROTECT, related_name="prices")
    version = models.CharField(max_length=40, editable=False)
    valid_from = models.DateTimeField(default=timezone.now)
    input_nanos = _rate()
    output_nanos = _rate()
    cached_read_nanos = _optional_rate()
    cache_write_short_nanos = _optional_rate()
    cache_write_long_nanos = _optional_rate()
    batch_input_nanos = _optional_rate()
    batch_output_nanos = _optional_rate()
    long_context_from = models.PositiveIntegerField(
        null=True, blank=True, validators=[MinValueValidator(1)], help_text="Tokens of input above which these hold."
    )
    long_input_nanos = _optional_rate()
    long_output_nanos = _optional_rate()
    long_cached_read_nanos = _optional_rate()
    long_cache_write_short_nanos = _optional_rate()
    long_cache_write_long_nanos = _optional_rate()
    added_by = models.CharField(max_length=254, editable=False)
    added_at = models.DateTimeField(auto_now_add=True)

    objects = PriceQuerySet.as_manager()

    class Meta:
        verbose_name = "price"
        ordering = ("-valid_from", "-pk")
        constraints = [
            models.UniqueConstraint(fields=("model", "version"), name="price_version_once_per_model"),
            models.CheckConstraint(
                condition=Q(
                    *(Q(**{f"{name}_nanos": None}) | Q(**{f"{name}_nanos__gte": 0}) for name in (*RATES, *LONG_RATES))
                ),
                name="price_not_negative",
                violation_error_message="No rate is below nothing.",
            ),
            models.CheckConstraint(
                condition=Q(long_context_from=None, **{f"{name}_nanos": None for name in LONG_RATES})
                | Q(
                    # What is not there compares to neither true nor false, which would do for a constraint.
                    long_context_from__isnull=False,
                    long_input_nanos__isnull=False,
                    long_output_nanos__isnull=False,
                    long_context_from__gte=1,
                    long_input_nanos__gte=F("input_nanos"),
                    long_output_nanos__gte=F("output_nanos"),
                ),
                name="price_of_long_context_is_whole",
                violation_error_message="A price for long contexts has a number of tokens that it begins above, and an "
                "input and an output rate that are no lower than the ordinary ones.",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.model} {self.version}"

    @property
    def price(self) -> Price:
        """What is not listed costs as the input, or the output, does."""
        given, written = self.input_nanos, self.output_nanos
        long_given = self.long_input_nanos or 0
        return Price(
            input=given,
            output=written,
            cached_read=_or(self.cached_read_nanos, given),
            cache_write_short=_or(self.cache_write_short_nanos, given),
            cache_write_long=_or(self.cache_write_long_nanos, given),
            batch_input=_or(self.batch_input_nanos, given),
            batch_output=_or(self.batch_output_nanos, written),
            long_context_from=self.long_context_from or 0,
            long_input=long_given,
            long_output=self.long_output_nanos or 0,
            long_cached_read=_or(self.long_cached_read_nanos, long_given),
            long_cache_write_short=_or(self.long_cache_write_short_nanos, long_given),
            long_cache_write_long=_or(self.long_cache_write_long_nanos, long_given),
        )


def _or(rate: int | None, usual: int) -> int:
    return usual if rate is None else rate


class LlmCall(WorkspaceOwned):
    """One upstream attempt, recorded before it is sent, so that a call cut short by a crash is still on the books."""

    class Outcome(TextChoices):
        WAITING = "waiting", "Waits for its batch"
        DISPATCHED = "dispatched", "Sent, no answer yet"
        ACCEPTED = "accepted", "Text passed the check"
        REFUSED = "refused", "Text failed the check"
        FAILED = "failed", "No text"
        UNUSED = "unused", "Nobody waited for it any more"
        UNKNOWN = "unknown", "Never answered: the worker died"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="llm_calls")
    fingerprint = models.CharField(max_length=80)
    text_id = models.UUIDField(null=True, help_text="The text it was made for, if one was stored.")
    batch_id = models.UUIDField(null=True, help_text="Calls of one batch went upstream as one and share its cost.")
    run_item = models.ForeignKey(
        "generation.RunItem", on_delete=models.SET_NULL, null=True, blank=True, related_name="llm_calls"
    )
    provider = models.CharField(max_length=60)
    model_id = models.CharField(max_length=100)
    tier = models.CharField(max_length=10)
    task = models.CharField(max_length=20, default=Task.DESCRIPTION.value)
    is_batched = models.BooleanField(default=False, help_text="Sent in a provider's batch, at its price.")
    attempt = models.PositiveSmallIntegerField()
    outcome = models.CharField(max_length=10, choices=Outcome.choices, default=Outcome.DISPATCHED)
    error_kind = models.CharField(max_length=20, blank=True)
    complaints = models.JSONField(default=list)
    input_tokens = models.PositiveIntegerField(default=0, help_text="Not cached.")
    cached_tokens = models.PositiveIntegerField(default=0)
    cache_write_tokens = models.PositiveIntegerField(default=0)
    output_tokens = models.PositiveIntegerField(default=0)
    ceiling_nanos = models.BigIntegerField(default=0)
    cost_nanos = models.BigIntegerField(default=0)
    cost_is_exact = models.BooleanField(default=False, help_text="False: usage unknown, billed at the ceiling.")
    price_version = models.CharField(max_length=40)
    prompt_version = models.PositiveSmallIntegerField(default=0, help_text="Of the words it was asked in.")
    latency_ms = models.PositiveIntegerField(default=0)
    provider_request_id = models.CharField(max_length=120, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    finished_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["LlmCall"].as_manager()

    class Meta:
        verbose_name = "model call"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                condition=Q(cost_nanos__gte=0, ceiling_nanos__gte=0), name="llm_call_cost_not_negative"
            )
        ]
        indexes = [
            models.Index(fields=("workspace", "-created_at"), name="llm_call_newest"),
            models.Index(fields=("created_at",), name="llm_call_open", condition=Q(outcome="dispatched")),
            models.Index(fields=("finished_at",), name="llm_call_finished"),
        ]
