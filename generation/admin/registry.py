"""Providers, models and prices: rows that staff add and change, and a way to try a model before shops meet it."""

from __future__ import annotations

import math
from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path, reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin, StackedInline
from unfold.decorators import display
from unfold.widgets import UnfoldAdminSplitDateTimeWidget

from accounts.admin import InDollars
from accounts.dollars import usd
from generation.engine.registry import can_be_asked
from generation.health import wait_of
from generation.models import LONG_RATES, LlmModel, ModelPrice, Provider
from generation.services import registry
from generation.services.registry import Standing

LINK = '<a class="text-primary-600 underline dark:text-primary-500" href="{}">{}</a>'
STANDING = {
    Standing.SERVES: "success",
    Standing.READY: "info",
    Standing.RETIRING: "warning",
    Standing.OFF: "warning",
    Standing.NO_KEY: "danger",
    Standing.NO_PRICE: "danger",
    Standing.RETIRED: "danger",
}
RATE_HELP = {
    "input_nanos": "US dollars for a million tokens, as all of these.",
    "output_nanos": "",
    "cached_read_nanos": "Empty: as the input.",
    "cache_write_short_nanos": "Kept for minutes. Empty: as the input.",
    "cache_write_long_nanos": "Kept for an hour or more. Empty: as the input.",
    "batch_input_nanos": "Empty: as the input.",
    "batch_output_nanos": "Empty: as the output.",
    "long_input_nanos": "",
    "long_output_nanos": "",
    "long_cached_read_nanos": "Empty: as the input above.",
    "long_cache_write_short_nanos": "Empty: as the input above.",
    "long_cache_write_long_nanos": "Empty: as the input above.",
}


@admin.register(Provider)
class ProviderAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("name", "kind", "address", "key", "position", "concurrency", "is_enabled")
    list_editable = ("is_enabled",)
    prepopulated_fields = {"slug": ("name",)}
    fieldsets = (
        (None, {"fields": (("name", "slug"), "kind", ("base_url", "key_name"))}),
        ("Use", {"fields": ("is_enabled", ("position", "concurrency"), "models")}),
        (
            "How its Chat API differs",
            {
                "fields": ("output_limit", "knows_service_tier", "knows_stream_options", "knows_prompt_cache_key"),
                "description": "Servers refuse or ignore what they do not know. What a model is able to do is said "
                "of the model.",
            },
        ),
    )

    def get_prepopulated_fields(self, request: HttpRequest, provider: Provider | None = None) -> dict[str, Any]:
        return {} if provider else dict(super().get_prepopulated_fields(request, provider))

    def get_readonly_fields(self, _request: HttpRequest, provider: Provider | None = None) -> tuple[str, ...]:
        return ("slug", "kind", "models") if provider else ("models",)

    def formfield_for_choice_field(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "kind":  # the offline writer is one and comes with us
            kwargs["choices"] = [choice for choice in Provider.Kind.choices if choice[0] != Provider.Kind.OFFLINE]
        return super().formfield_for_choice_field(db_field, request, **kwargs)

    @admin.display(description="Base URL", ordering="base_url")
    def address(self, provider: Provider) -> str:
        return provider.base_url or ("" if provider.kind == Provider.Kind.OFFLINE else "The vendor's own")

    @display(description="Key", label={"found": "success", "missing": "danger", "none": "info"})  # type: ignore[untyped-decorator]
    def key(self, provider: Provider) -> tuple[str, str]:
        if not provider.key_name:
            return "none", "None needed"
        if can_be_asked(provider.access):
            return "found", f"{provider.key_name} is set"
        return "missing", f"{provider.key_name} is not set"

    @admin.display(description="Models")
    def models(self, provider: Provider) -> str:
        if not provider.pk:
            return "Add them once the provider is saved."
        links = [(reverse("admin:generation_llmmodel_change", args=[m.pk]), m.model_id) for m in provider.models.all()]
        links.append((f"{reverse('admin:generation_llmmodel_add')}?provider={provider.pk}", "Add a model"))
        return format_html_join(" · ", LINK, links)

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


class PriceForm(forms.ModelForm):  # type: ignore[type-arg]
    valid_from = forms.SplitDateTimeField(
        required=False, widget=UnfoldAdminSplitDateTimeWidget, help_text="UTC. Empty: at once."
    )

    def clean_valid_from(self) -> datetime:
        moment: datetime | None = self.cleaned_data["valid_from"]
        if moment and moment < timezone.now():
            raise ValidationError("What was asked until now keeps its price: leave this empty, or name a time to come.")
        return moment or timezone.now()

    def clean(self) -> dict[str, Any]:
        """The theme shows what is wrong with a field, and nothing that is wrong with an inline row as a whole."""
        cleaned: dict[str, Any] = super().clean() or {}
        if any(
            cleaned.get(name) is not None for name in ("long_context_from", *(f"{rate}_nanos" for rate in LONG_RATES))
        ):
            for name in ("long_context_from", "long_input_nanos", "long_output_nanos"):
                if cleaned.get(name) is None and name not in self.errors:
                    self.add_error(name, "A price for long contexts needs this.")
            for name in ("input_nanos", "output_nanos"):
                if (cleaned.get(f"long_{name}") or 0) < (cleaned.get(name) or 0) and f"long_{name}" not in self.errors:
                    self.add_error(f"long_{name}", "No lower than the ordinary rate, please.")
        return cleaned


class PriceInline(InDollars, StackedInline):  # type: ignore[misc]
    """A new price is a new row; none is changed."""

    model = ModelPrice
    form = PriceForm
    extra = 0
    dollar_help = RATE_HELP
    template_before = "admin/prices.html"
    fieldsets = (
        (
            None,
            {
                "fields": (
                    "valid_from",
                    ("input_nanos", "output_nanos"),
                    "cached_read_nanos",
                    ("cache_write_short_nanos", "cache_write_long_nanos"),
                    ("batch_input_nanos", "batch_output_nanos"),
                    "long_context_from",
                    ("long_input_nanos", "long_output_nanos"),
                    "long_cached_read_nanos",
                    ("long_cache_write_short_nanos", "long_cache_write_long_nanos"),
                )
            },
        ),
    )

    def get_min_num(self, _request: HttpRequest, model: LlmModel | None = None, **_kwargs: Any) -> int:
        return 0 if model else 1

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelPrice]:
        """None of them: they stand above in a table."""
        rows: QuerySet[ModelPrice] = super().get_queryset(request)
        return rows.none()

    def has_change_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


@admin.register(LlmModel)
class LlmModelAdmin(ModelAdmin):  # type: ignore[misc]
    list_display = ("model_id", "provider", "tier", "standing", "health", "rates", "is_enabled", "trial")
    list_editable = ("is_enabled",)
    list_filter = ("provider", "tier", "is_enabled")
    list_select_related = ("provider",)
    search_fields = ("model_id",)
    inlines = (PriceInline,)
    actions = ("mark_as_seen_to",)
    fieldsets = (
        (
            None,
            {
                "fields": (
                    ("provider", "model_id"),
                    "tier",
                    ("is_enabled", "is_default"),
                    ("health", "trial"),
                )
            },
        ),
        (
            "What it is able to do",
            {
                "fields": (
                    ("max_input_tokens", "max_output_tokens"),
                    ("has_structured_output", "has_batch"),
                    "has_streaming",
                    "prompt_cache_from",
                    "retires_on",
                )
            },
        ),
    )

    def get_queryset(self, request: HttpRequest) -> QuerySet[LlmModel]:
        in_force = ModelPrice.objects.in_force().filter(model=OuterRef("pk"))
        rates = {name: Subquery(in_force.values(name)) for name in ("input_nanos", "output_nanos")}
        rows: QuerySet[LlmModel] = super().get_queryset(request).annotate(**rates)
        return rows

    def get_readonly_fields(self, _request: HttpRequest, model: LlmModel | None = None) -> tuple[str, ...]:
        # The ledger names both.
        return ("provider", "model_id", "health", "trial") if model else ("health", "trial")

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "provider":
            kwargs["queryset"] = Provider.objects.exclude(kind=Provider.Kind.OFFLINE)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        for price in formset.save(commit=False):
            registry.add_price(price, by=str(request.user))

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> Any:
        prices = ModelPrice.objects.filter(model__pk=object_id) if object_id else ModelPrice.objects.none()
        shown = {"prices": prices, "in_force": prices.in_force().first(), "now": timezone.now()}
        return super().changeform_view(request, object_id, form_url, {**(extra_context or {}), **shown})

    @display(description="Health")  # type: ignore[untyped-decorator]
    def health(self, model: LlmModel) -> str:
        if model.refused_at:
            return f"Refuses us since {model.refused_at:%-d %B %H:%M} UTC. {model.refusal}"
        wait = wait_of(f"{model.provider_id}/{model.model_id}")
        return f"Down, asked again in {math.ceil(wait)} s" if wait else "Up"

    @admin.action(description="Mark as seen to")
    def mark_as_seen_to(self, request: HttpRequest, models: QuerySet[LlmModel]) -> None:
        count = models.update(refused_at=None, refusal="")
        messages.success(request, f"{count} marked. Staff are told again if a provider refuses us again.")

    @display(description="Standing", label=STANDING)  # type: ignore[untyped-decorator]
    def standing(self, model: Any) -> tuple[str, str]:
        return registry.standing(model, has_price=model.input_nanos is not None)

    @admin.display(description="$ a million tokens")
    def rates(self, model: Any) -> str:
        return "" if model.input_nanos is None else f"{usd(model.input_nanos)} in, {usd(model.output_nanos)} out"

    @admin.display(description="Trial")
    def trial(self, model: LlmModel) -> str:
        if not model.pk:
            return "Once it is saved."
        return format_html(LINK, reverse("staff_try_model", args=[model.pk]), "Try it")

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False


def try_model(request: HttpRequest, pk: int) -> HttpResponse:
    """Asked for, it says what a trial may cost; confirmed, it makes it."""
    if not request.user.has_perm("generation.change_llmmodel"):
        raise PermissionDenied
    model = get_object_or_404(LlmModel.objects.select_related("provider"), pk=pk)
    price = registry.price_in_force(model)
    trial = registry.try_model(model) if request.method == "POST" else None
    context = {
        **admin.site.each_context(request),
        "title": f"Try {model}",
        "model": model,
        "obstacle": registry.obstacle(model, has_price=price is not None),
        "ceiling_nanos": registry.trial_ceiling(price) if price else 0,
        "trial": trial,
        "call_url": reverse("admin:generation_llmcall_change", args=[trial.call.pk]) if trial and trial.call else "",
        "back": reverse("admin:generation_llmmodel_change", args=[model.pk]),
    }
    return render(request, "admin/try_model.html", context)


# For staff only, as everything below the admin site.
urlpatterns = [path("models/<int:pk>/try/", admin.site.admin_view(try_model), name="staff_try_model")]
