"""How staff see rows: across workspaces, money in dollars, history without a way to change it."""

from __future__ import annotations

from typing import Any

from django.db.models import Field, QuerySet
from django.http import HttpRequest
from unfold.admin import ModelAdmin
from unfold.widgets import INPUT_CLASSES

from accounts.admin.access import OpenedWithReason
from accounts.dollars import round_usd
from accounts.forms import DollarField

NO_LIMIT = "No limit"


def limit(nanos: int | None) -> str:
    return NO_LIMIT if nanos is None else round_usd(nanos)


class AcrossWorkspaces(OpenedWithReason):
    """Staff look across workspaces, on purpose; one row of a shop's opens with a reason."""

    model: Any

    def get_queryset(self, _request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = self.model.objects.across_workspaces()
        return rows


class ReadOnly:
    """Rows staff read and never write."""

    def has_add_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class HistoryAdmin(AcrossWorkspaces, ReadOnly, ModelAdmin):  # type: ignore[misc]
    """What happened, newest first; nobody edits it."""

    list_select_related: Any = ("workspace",)
    show_full_result_count = False
    list_per_page = 50

    def has_view_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.is_staff)


class RowDollarField(DollarField):
    """Edits a column of nano-dollars in dollars."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.widget.attrs["class"] = " ".join(INPUT_CLASSES)

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.prepare_value(initial), data)


class InDollars:
    """Columns of nano-dollars are edited in dollars, with these words beside them."""

    dollar_help: dict[str, str] = {}

    def formfield_for_dbfield(self, db_field: Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name in self.dollar_help:
            label = db_field.name.removesuffix("_nanos").replace("_", " ").capitalize()
            words = self.dollar_help[db_field.name]
            return RowDollarField(label=label, help_text=words, required=not db_field.null)
        return super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
