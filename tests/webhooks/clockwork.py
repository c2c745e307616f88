"""Time that passes without waiting: what is in the tables moves into the past, since the database's clock decides."""

from __future__ import annotations

from datetime import timedelta

from django.db import models
from django.db.models import DateTimeField, DurationField, ExpressionWrapper, F, Value

from webhooks.delivering import deliver, sweep_deliveries
from webhooks.models import Attempt, Delivery, Endpoint, Event

TABLES: tuple[type[models.Model], ...] = (Endpoint, Event, Delivery, Attempt)


def pass_time(**span: float) -> None:
    by = Value(timedelta(**span), DurationField())
    for table in TABLES:
        columns = [field.name for field in table._meta.concrete_fields if isinstance(field, DateTimeField)]
        moved = {name: ExpressionWrapper(F(name) - by, DateTimeField()) for name in columns}
        table._base_manager.update(**moved)


def work_off() -> int:
    """What the clock and the workers do: hand out, and try each delivery that was handed out once."""
    sweep_deliveries()
    out = Delivery._base_manager.filter(state="queued", published_at__isnull=False)
    return sum(deliver(pk) is not None for pk in list(out.values_list("pk", flat=True)))
