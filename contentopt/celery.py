from __future__ import annotations

import os
from typing import Any

from celery import Celery, Task
from celery.signals import worker_init

from contentopt.database.wall import refuse_to_start
from contentopt.tenancy import outside_workspaces

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "contentopt.settings")


class WalledTask(Task):  # type: ignore[type-arg]
    """Begins outside of all workspaces: it enters one once its row has said which, or says that it goes across."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        with outside_workspaces():
            return super().__call__(*args, **kwargs)


@worker_init.connect
def look_at_the_wall(**_signal: Any) -> None:
    refuse_to_start()


app = Celery("contentopt", task_cls=WalledTask)
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
