from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q

from accounts.models import ApiKey, TenantQuerySet, User, Workspace, WorkspaceOwned
from generation.models.texts import Text


class Comment(WorkspaceOwned):
    """What somebody says about a version of a text. Plain text, always shown escaped."""

    workspace = models.ForeignKey(Workspace, on_delete=models.CASCADE, related_name="comments")
    text = models.ForeignKey(Text, on_delete=models.CASCADE, related_name="comments")
    words = models.TextField()
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    api_key = models.ForeignKey(
        ApiKey, on_delete=models.SET_NULL, null=True, blank=True, related_name="+", help_text="Of a program's comment."
    )
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)

    objects = TenantQuerySet["Comment"].as_manager()

    class Meta:
        ordering = ("created_at", "id")
        constraints = [models.CheckConstraint(condition=~Q(words=""), name="comment_not_empty")]
        indexes = [models.Index(fields=("text", "created_at"), name="comment_of_text")]

    def __str__(self) -> str:
        return self.words[:60]

    def is_by(self, *, user: User | None, api_key: ApiKey | None) -> bool:
        """A program's comment is its key's, not the person's who made the key."""
        if api_key:
            return self.api_key_id == api_key.pk
        return user is not None and self.api_key_id is None and self.created_by_id == user.pk
