from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import Membership, TenantQuerySet, Workspace, WorkspaceOwned
from contentopt.jobs import Job


class Catalogue(WorkspaceOwned, Job):
    """A file as received, and its import as a job. The bytes stay, because the export is that file with our cells."""

    class Status(models.TextChoices):
        IMPORTING = "importing", "Importing"
        NEEDS_MAPPING = "needs_mapping", "Needs its columns named"
        READY = "ready", "Ready"
        REFUSED = "refused", "Refused"

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="catalogues")
    filename = models.CharField(max_length=255)
    sha256 = models.CharField(max_length=64)
    size_bytes = models.PositiveBigIntegerField()
    status = models.CharField(max_length=15, choices=Status.choices, default=Status.IMPORTING)
    is_sample = models.BooleanField(default=False)
    format = models.CharField(max_length=20, blank=True)
    format_reason = models.TextField(blank=True, help_text="Why the format was recognised, or the file refused.")
    dialect = models.JSONField(default=dict)
    header = models.JSONField(default=list)
    mapping = models.JSONField(default=dict)
    row_count = models.PositiveIntegerField(default=0)
    product_count = models.PositiveIntegerField(default=0)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="+")
    idempotency_key = models.CharField(max_length=255, null=True, blank=True)  # noqa: DJ001 (NULLs do not collide)

    objects = TenantQuerySet["Catalogue"].as_manager()

    class Meta:
        ordering = ("-created_at",)
        constraints = [
            models.UniqueConstraint(
                fields=("workspace", "idempotency_key"),
                condition=Q(idempotency_key__isnull=False),
                name="catalogue_once_per_idempotency_key",
            )
        ]
        indexes = [models.Index(fields=("workspace", "-created_at"), name="catalogue_newest")]

    def __str__(self) -> str:
        return self.filename


class CatalogueChunk(WorkspaceOwned):
    """One piece of a received file, zstd-compressed, so that any worker on any machine can stream it."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="chunks")
    position = models.PositiveIntegerField()
    content = models.BinaryField()

    objects = TenantQuerySet["CatalogueChunk"].as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(fields=("catalogue", "position"), name="chunk_once_per_position")]


class ColumnMapping(WorkspaceOwned):
    """What a workspace said about columns of files with this header, so that it is asked once."""

    header_signature = models.CharField(max_length=64)
    mapping = models.JSONField()
    updated_at = models.DateTimeField(auto_now=True)

    objects = TenantQuerySet["ColumnMapping"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "header_signature"), name="mapping_once_per_header")
        ]


class RowProblem(WorkspaceOwned):
    """What was odd about one row. Nothing imported is dropped without one."""

    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="problems")
    row_number = models.PositiveIntegerField(help_text="Data rows count from 1; the header is row 0.")
    line = models.PositiveIntegerField()
    column = models.CharField(max_length=200, blank=True)
    code = models.CharField(max_length=40)
    message = models.TextField()

    objects = TenantQuerySet["RowProblem"].as_manager()

    class Meta:
        ordering = ("row_number", "code")
        indexes = [models.Index(fields=("catalogue", "row_number"), name="problem_by_row")]


class ProductQuerySet(TenantQuerySet["Product"]):
    def written(self) -> ProductQuerySet:
        return self.filter(text__isnull=False)

    def search(self, words: str) -> ProductQuerySet:
        found = self
        for word in words.split()[:8]:
            found = found.filter(Q(title__icontains=word) | Q(key__icontains=word))
        return found


class Product(WorkspaceOwned):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="products")
    catalogue = models.ForeignKey(Catalogue, on_delete=models.CASCADE, related_name="products")
    row_number = models.PositiveIntegerField(help_text="The row of the file whose cells we write.")
    key = models.CharField(max_length=255, blank=True, help_text="Handle, SKU or id, as in the file.")
    title = models.TextField()
    product = models.JSONField(help_text="What is known about it, as generation.facts.ProductInput.")
    facts_hash = models.CharField(max_length=80)
    facts_bytes = models.PositiveIntegerField(help_text="UTF-8 size of the facts, the variable part of a prompt.")
    family = models.CharField(
        max_length=120, blank=True, help_text="What variants share, as generation.families has it; empty without one."
    )
    fact_count = models.PositiveSmallIntegerField(default=0)
    originals = models.JSONField(default=dict, help_text="Present cells of the fields we may write, as received.")
    original_hash = models.CharField(max_length=64, blank=True, help_text="Of the present description, to find twins.")
    text = models.ForeignKey("generation.Text", on_delete=models.SET_NULL, null=True, related_name="+")
    assignee = models.ForeignKey(
        Membership,
        on_delete=models.SET_NULL,
        null=True,
        blank=True,
        related_name="assigned_products",
        help_text="Who sees to its text. A member of its own workspace: a foreign key over both columns holds that.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    objects = ProductQuerySet.as_manager()

    class Meta:
        ordering = ("row_number",)
        constraints = [models.UniqueConstraint(fields=("catalogue", "row_number"), name="product_once_per_row")]
        indexes = [
            models.Index(fields=("workspace", "catalogue", "row_number"), name="product_in_file_order"),
            models.Index(fields=("catalogue", "key"), name="product_by_key"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def quota_key(self) -> str | None:
        return quota_key(self.catalogue.is_sample, self.key, self.facts_hash)


def quota_key(is_sample: bool, key: str, facts_hash: str) -> str | None:
    """What makes it the same product in a month's quota; None for the sample shop, which does not count."""
    if is_sample:
        return None
    return f"key:{key}" if key else quota_key_of_facts(facts_hash)


def quota_key_of_facts(facts_hash: str) -> str:
    """Of a product that no file has a key for."""
    return f"facts:{facts_hash}"


class Variant(WorkspaceOwned):
    product = models.ForeignKey(Product, on_delete=models.CASCADE, related_name="variants")
    row_number = models.PositiveIntegerField()
    options = models.JSONField(default=dict)

    objects = TenantQuerySet["Variant"].as_manager()

    class Meta:
        ordering = ("row_number",)
