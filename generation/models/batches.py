from __future__ import annotations

from django.db import models
from django.db.models import Q

from accounts.models import TenantQuerySet, WorkspaceOwned
from contentopt.jobs import UNFINISHED, Job


class LlmBatch(WorkspaceOwned, Job):
    """Requests that one run or one night sends a provider together, to be answered within a day at the batch price.

    building -> submitting -> submitted -> ended -> collected. As a job it is whatever brings it to its next stage.
    """

    class Stage(models.TextChoices):
        BUILDING = "building", "Being filled"
        SUBMITTING = "submitting", "On its way to the provider"
        SUBMITTED = "submitted", "At the provider"
        ENDED = "ended", "Answered, being read"
        COLLECTED = "collected", "Read"
        REFUSED = "refused", "Not taken by the provider"

    AT_THE_PROVIDER = (Stage.SUBMITTING, Stage.SUBMITTED, Stage.ENDED)

    run = models.ForeignKey("generation.Run", on_delete=models.CASCADE, null=True, related_name="batches")
    night = models.ForeignKey("generation.Night", on_delete=models.CASCADE, null=True, related_name="batches")
    provider = models.CharField(max_length=60)
    model_id = models.CharField(max_length=100)
    spec = models.JSONField(help_text="The model with its price, as it was when the first request came in.")
    stage = models.CharField(max_length=12, choices=Stage.choices, default=Stage.BUILDING)
    vendor_id = models.CharField(max_length=120, blank=True, help_text="What the provider calls it.")
    not_ours = models.JSONField(default=list, help_text="Batches of others that were taken for it.")
    part_count = models.PositiveIntegerField(default=0, help_text="Requests that were sent.")
    submitting_at = models.DateTimeField(null=True)
    submitted_at = models.DateTimeField(null=True)
    cancel_asked_at = models.DateTimeField(null=True)
    cancel_sent_at = models.DateTimeField(null=True)

    objects = TenantQuerySet["LlmBatch"].as_manager()

    class Meta:
        verbose_name = "batch"
        verbose_name_plural = "batches"
        ordering = ("-created_at",)
        constraints = [
            models.CheckConstraint(
                name="batch_of_a_run_or_a_night",
                condition=Q(run__isnull=True, night__isnull=False) | Q(run__isnull=False, night__isnull=True),
            ),
            # What is being filled is the only one of its kind.
            models.UniqueConstraint(
                fields=("run", "provider", "model_id"),
                condition=Q(stage="building", run__isnull=False),
                name="one_batch_being_filled_per_run",
            ),
            models.UniqueConstraint(
                fields=("night", "provider", "model_id"),
                condition=Q(stage="building", night__isnull=False),
                name="one_batch_being_filled_per_night",
            ),
            models.UniqueConstraint(
                fields=("provider", "vendor_id"), condition=~Q(vendor_id=""), name="batch_once_per_vendor_id"
            ),
        ]
        indexes = [models.Index(fields=("next_run_at",), name="batch_open", condition=Q(state__in=UNFINISHED))]

    def __str__(self) -> str:
        return self.vendor_id or f"Batch of {self.created_at:%-d %b %Y %H:%M}"


class BatchPart(WorkspaceOwned):
    """One request of a batch: a model call that waits, and the answer once it is there.

    It has the call's own id. waiting -> sent -> answered -> taken, or failed. Live are the first three: of those there
    is one for each key.
    """

    class State(models.TextChoices):
        WAITING = "waiting", "Not sent yet"
        SENT = "sent", "At the provider"
        ANSWERED = "answered", "Answered"
        TAKEN = "taken", "Its text was judged"
        FAILED = "failed", "No text"

    LIVE = (State.WAITING, State.SENT, State.ANSWERED)
    PENDING = (State.WAITING, State.SENT)

    call = models.OneToOneField("generation.LlmCall", on_delete=models.CASCADE, related_name="part")
    batch = models.ForeignKey(LlmBatch, on_delete=models.CASCADE, related_name="parts")
    state = models.CharField(max_length=10, choices=State.choices, default=State.WAITING)
    key = models.CharField(max_length=120, help_text="Of the brief, or of its family: what flights are known by.")
    complaints = models.JSONField(default=list, help_text="The check's words on the text before it.")
    tries = models.PositiveSmallIntegerField(default=1, help_text="Which time it is asked.")
    params = models.JSONField(default=dict, help_text="What is sent. Empty once it is answered.")
    fields = models.JSONField(default=list, help_text="Of a structured reply; none for a plain one.")
    answer = models.TextField(blank=True)
    usage = models.JSONField(null=True, help_text="As generation.llm.Usage; empty when the provider did not say.")
    request_id = models.CharField(max_length=120, blank=True, help_text="What the provider calls it.")
    error = models.CharField(max_length=200, blank=True)
    is_retryable = models.BooleanField(default=False)
    saved_nanos = models.BigIntegerField(
        default=0, help_text="How much more it would have cost at once. Of an exact cost only."
    )

    objects = TenantQuerySet["BatchPart"].as_manager()

    class Meta:
        verbose_name = "batch part"
        constraints = [
            models.UniqueConstraint(
                fields=("workspace", "key"),
                condition=Q(state__in=("waiting", "sent", "answered")),
                name="one_live_part_per_key",
            ),
            models.CheckConstraint(name="part_saving_not_negative", condition=Q(saved_nanos__gte=0)),
        ]
        indexes = [models.Index(fields=("batch", "state"), name="part_by_state")]
