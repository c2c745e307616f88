from __future__ import annotations

from typing import Any

from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver
from django_redis import get_redis_connection

from accounts.archiving import FILES
from accounts.erasing import KEPT
from accounts.metering import Line
from accounts.models import UsageEntry, Workspace
from accounts.retiring import retire_on_commit
from accounts.signals import free_answers_entered, workspace_closing, workspace_created, workspace_erasing
from generation.engine.answered import take_in
from generation.importing import original_files
from generation.models import CachedText, LlmCall, LlmModel, ModelPrice, Provider, Run, Stream
from generation.services.catalogues import add_sample_shop
from generation.services.runs import pause_run
from generation.streams.events import key_of as stream_key


@receiver(workspace_created)
def add_sample_shop_to_new_workspace(workspace: Workspace, **_kwargs: Any) -> None:
    add_sample_shop(workspace)


@receiver(workspace_closing)
def pause_runs(workspace: Workspace, **_kwargs: Any) -> None:
    """Whoever restores the workspace resumes those they still want."""
    for run in Run.objects.in_workspace(workspace).filter(state=Run.State.RUNNING):
        pause_run(run)


@receiver(workspace_erasing)
def forget_streams(workspace: Workspace, **_kwargs: Any) -> None:
    """Pieces of texts in Valkey: their names do not tell whose they are."""
    ids = Stream.objects.in_workspace(workspace).values_list("pk", flat=True)
    if keys := [stream_key(pk) for pk in ids]:
        get_redis_connection("default").unlink(*keys)


@receiver(free_answers_entered)
def take_in_answers(answers: list[tuple[UsageEntry, Line]], **_kwargs: Any) -> None:
    take_in(answers)


# What staff save and delete in the admin, as in accounts.receivers.
def retire_what_was_changed(**_kwargs: Any) -> None:
    retire_on_commit()


for model in (CachedText, LlmModel, ModelPrice, Provider):
    post_save.connect(retire_what_was_changed, sender=model)
    post_delete.connect(retire_what_was_changed, sender=model)

FILES.append(original_files)
# A call is what a ledger line was paid for; what it was about goes with the workspace.
KEPT[LlmCall] = {
    "fingerprint": "",
    "text_id": None,
    "batch_id": None,
    "run_item": None,
    "complaints": [],
    "provider_request_id": "",
}
