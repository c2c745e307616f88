from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from accounts.metering import Line
from accounts.models import UsageEntry, Workspace
from accounts.retiring import retire_on_commit
from accounts.signals import free_answers_entered, workspace_created
from generation.engine.answered import take_in
from generation.models import CachedText, LlmModel, ModelPrice, Provider
from generation.services.catalogues import add_sample_shop


@receiver(workspace_created)
def add_sample_shop_to_new_workspace(workspace: Workspace, **_kwargs: Any) -> None:
    add_sample_shop(workspace)


@receiver(free_answers_entered)
def take_in_answers(answers: list[tuple[UsageEntry, Line]], **_kwargs: Any) -> None:
    take_in(answers)


# What staff save and delete in the admin, as in accounts.receivers.
def retire_what_was_changed(**_kwargs: Any) -> None:
    retire_on_commit()


for model in (CachedText, LlmModel, ModelPrice, Provider):
    post_save.connect(retire_what_was_changed, sender=model)
    post_delete.connect(retire_what_was_changed, sender=model)
