from __future__ import annotations

import uuid
from typing import Any, ClassVar, Self, TypeVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from accounts.models.plans import Plan

M = TypeVar("M", bound=models.Model)

# The platform's own workspace, created by a migration: what visitors try belongs to it, and so do the budgets and
# notices of the platform as a whole.
PLATFORM_WORKSPACE_ID = uuid.UUID("00000000-0000-4000-8000-000000000001")


def default_thresholds() -> list[int]:
    return [50, 80, 100]


def not_negative(model: str, column: str) -> models.CheckConstraint:
    empty_or_more = models.Q(**{column: None}) | models.Q(**{f"{column}__gte": 0})
    return models.CheckConstraint(name=f"{model}_{column}_not_negative", condition=empty_or_more)


class WorkspaceRequired(RuntimeError):
    """A query on a tenant's rows was about to run without naming the workspace."""


class TenantQuerySet(models.QuerySet[M]):
    """Touches the database only once a workspace is named, so that a forgotten filter fails instead of leaking.

    A related manager (`run.items`) starts from a row that was loaded within its workspace, so it counts as named.
    """

    _is_scoped = False

    def in_workspace(self, workspace: Workspace | uuid.UUID) -> Self:
        return self.filter(workspace=workspace)._marked_scoped()

    def across_workspaces(self) -> Self:
        """For staff pages, the sweeper and tasks that were handed an id: every use is a decision, easy to grep."""
        return self.all()._marked_scoped()

    def _marked_scoped(self) -> Self:
        self._is_scoped = True
        return self

    def _clone(self) -> Self:
        clone: Self = super()._clone()  # type: ignore[misc]
        clone._is_scoped = self._is_scoped
        return clone

    def _require_workspace(self) -> None:
        if not self._is_scoped and "instance" not in self._hints:  # type: ignore[attr-defined]
            raise WorkspaceRequired(f"{self.model.__name__}: say .in_workspace(workspace) first")

    def _fetch_all(self) -> None:
        self._require_workspace()
        super()._fetch_all()

    def iterator(self, *args: Any, **kwargs: Any) -> Any:
        self._require_workspace()
        return super().iterator(*args, **kwargs)

    def aggregate(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        self._require_workspace()
        return super().aggregate(*args, **kwargs)

    def count(self) -> int:
        self._require_workspace()
        return super().count()

    def exists(self) -> bool:
        self._require_workspace()
        return super().exists()

    def update(self, **kwargs: Any) -> int:
        self._require_workspace()
        return super().update(**kwargs)

    update.alters_data = True  # type: ignore[attr-defined]

    def delete(self) -> tuple[int, dict[str, int]]:
        self._require_workspace()
        return super().delete()

    delete.alters_data = True  # type: ignore[attr-defined]
    delete.queryset_only = True  # type: ignore[attr-defined]


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **extra: Any) -> User:
        user = self.model(email=self.normalize_email(email).lower(), **extra)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **extra: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **extra)


class User(AbstractBaseUser, PermissionsMixin):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"

    def __str__(self) -> str:
        return self.email


class Standing(models.TextChoices):
    """What a workspace may do for reasons of payment. Texts that are known already are served in every standing."""

    GOOD = "good", "Good"
    OVERDUE = "overdue", "As good, but a payment did not go through"
    FROZEN = "frozen", "No model spend: a payment was disputed or refunded"
    READ_ONLY = "read_only", "Read-only: a payment is long overdue"


class Workspace(models.Model):
    """The tenant."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(max_length=80)
    slug = models.SlugField(max_length=60, unique=True)
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="workspaces")
    members: models.ManyToManyField[User, Membership] = models.ManyToManyField(
        User, through="Membership", related_name="workspaces"
    )
    spend_cap_nanos = models.BigIntegerField(
        null=True, blank=True, help_text="The owner's own cap on model spend a month; the plan's holds as well."
    )
    night_cap_nanos = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="What one night may spend on texts that nobody has asked for yet. Empty or 0: none.",
    )
    standing = models.CharField(max_length=10, choices=Standing.choices, default=Standing.GOOD)
    billing_cap_nanos = models.BigIntegerField(
        null=True,
        blank=True,
        help_text="Billing's cap on model spend a month, during a trial; the others hold as well.",
    )
    overage_products = models.PositiveIntegerField(
        default=0, help_text="Products a month beyond the plan's that the owner agreed to pay for one by one."
    )
    alert_thresholds = ArrayField(
        models.PositiveSmallIntegerField(), default=default_thresholds, help_text="Per cent of a budget or quota."
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ("name",)
        constraints = [not_negative("workspace", "spend_cap_nanos"), not_negative("workspace", "night_cap_nanos")]
        constraints += [
            not_negative("workspace", "billing_cap_nanos"),
            models.CheckConstraint(condition=models.Q(standing__in=Standing.values), name="workspace_known_standing"),
        ]

    def __str__(self) -> str:
        return self.name


class Scope(models.TextChoices):
    """What a member's role or an API key's scopes allow: one vocabulary for pages and API."""

    READ = "read", "Read products, texts, runs and usage"
    WRITE = "write", "Import, write, edit and export"
    ADMIN = "admin", "API keys and members"
    BILLING = "billing", "Plan, caps and payment"


class Role(models.TextChoices):
    OWNER = "owner", "Owner"
    ADMIN = "admin", "Admin"
    EDITOR = "editor", "Editor"
    VIEWER = "viewer", "Viewer"


class WorkspaceOwned(models.Model):
    """Base of every tenant row."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="+")

    class Meta:
        abstract = True


class Membership(WorkspaceOwned):
    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=10, choices=Role.choices)
    spend_cap_nanos = models.BigIntegerField(null=True, blank=True, help_text="Model spend a month of this member.")
    burst_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Below the plan's limit.")
    requests_per_day = models.PositiveIntegerField(null=True, blank=True, help_text="Below the plan's limit.")
    wants_weekly_summary = models.BooleanField(default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = TenantQuerySet["Membership"].as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=("workspace", "user"), name="membership_once_per_user"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="membership_known_role"),
            not_negative("membership", "spend_cap_nanos"),
        ]

    def __str__(self) -> str:
        return f"{self.user} ({self.role})"


class ApiKey(WorkspaceOwned):
    """A program's way in. Only the SHA-256 of the secret is kept; the key itself is shown once.

    While it is rotated it has two secrets, the new one and the previous one, which ends; there is no room for a third.
    """

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="api_keys")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=16, unique=True, help_text="The visible start of the key.")
    secret_sha256 = models.CharField(max_length=64, editable=False)
    secret_hint = models.CharField(max_length=4, blank=True, editable=False, help_text="The secret's last characters.")
    secret_created_at = models.DateTimeField(default=timezone.now)
    secret_used_at = models.DateTimeField(null=True, blank=True, help_text="Noted while there are two secrets.")
    previous_sha256 = models.CharField(max_length=64, blank=True, editable=False)
    previous_hint = models.CharField(max_length=4, blank=True, editable=False)
    previous_created_at = models.DateTimeField(null=True, blank=True)
    previous_used_at = models.DateTimeField(null=True, blank=True)
    previous_ends_at = models.DateTimeField(null=True, blank=True)
    scopes = ArrayField(models.CharField(max_length=10, choices=Scope.choices), default=list)
    spend_cap_nanos = models.BigIntegerField(null=True, blank=True, help_text="Model spend a month of this key.")
    burst_per_minute = models.PositiveIntegerField(null=True, blank=True, help_text="Below the plan's limit.")
    requests_per_day = models.PositiveIntegerField(null=True, blank=True, help_text="Below the plan's limit.")
    created_by = models.ForeignKey(User, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    expires_at = models.DateTimeField(null=True, blank=True, help_text="It is refused from then on. Empty: never.")
    revoked_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet["ApiKey"].as_manager()

    class Meta:
        verbose_name = "API key"
        ordering = ("-created_at",)
        constraints = [
            not_negative("api_key", "spend_cap_nanos"),
            models.CheckConstraint(
                name="api_key_previous_secret_ends",
                condition=models.Q(previous_sha256="", previous_ends_at=None)
                | (~models.Q(previous_sha256="") & models.Q(previous_ends_at__isnull=False)),
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def is_active(self) -> bool:
        return self.revoked_at is None and not self.is_expired

    @property
    def is_rotating(self) -> bool:
        """Two secrets are good at the moment."""
        return self.previous_ends_at is not None and self.previous_ends_at > timezone.now()

    @property
    def has_limits(self) -> bool:
        return (self.burst_per_minute, self.requests_per_day, self.spend_cap_nanos) != (None, None, None)
