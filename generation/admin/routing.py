"""Which model serves what, as staff decide it, and what was learned beside their rules."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils.text import Truncator
from unfold.admin import ModelAdmin

from accounts.admin import ReadOnly
from accounts.admin.access import MASKED, is_open
from generation.facts import LANGUAGES, LENGTHS, Task
from generation.models import EconomyOutcome, Learning, RoutingRule, Text
from generation.prompts import LANGUAGES as LANGUAGE_NAMES
from generation.routing import Outcomes
from generation.services.rerouting import compare


class AnyOf(forms.MultipleChoiceField):
    widget = forms.CheckboxSelectMultiple

    def __init__(self, choices: list[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(choices=choices, required=False, help_text="None ticked: any.", **kwargs)


class RuleForm(forms.ModelForm):  # type: ignore[type-arg]
    tasks = AnyOf([(task.value, task.value.capitalize()) for task in Task])
    languages = AnyOf([(code, LANGUAGE_NAMES[code]) for code in LANGUAGES])
    lengths = AnyOf([(length, length.capitalize()) for length in LENGTHS])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        model, tier = cleaned.get("model"), cleaned.get("tier")
        if model and tier and model.tier != tier:
            self.add_error("model", f"{model} is a model of the {model.tier} tier.")
        return cleaned


WHAT_IF = "_what_if"
WORDS_SHOWN = 40


def _words(request: HttpRequest, text: Text) -> str:
    if not is_open(request, text.workspace_id):
        return MASKED
    return Truncator(text.product.title if text.product else text.description).chars(WORDS_SHOWN)


@admin.register(RoutingRule)
class RoutingRuleAdmin(ModelAdmin):  # type: ignore[misc]
    """What is saved here holds from the next request on. Texts that are known stay known."""

    form = RuleForm
    change_form_after_template = list_after_template = "admin/what_if.html"
    list_display = ("name", "position", "is_enabled", "conditions", "tier", "model")
    list_editable = ("position", "is_enabled")
    list_select_related = ("model",)
    fieldsets = (
        (None, {"fields": ("name", "position", "is_enabled")}),
        (
            "When all of this holds",
            {"fields": ("tasks", "languages", "lengths", "fewest_facts", "most_facts", "has_wishes")},
        ),
        ("It goes to", {"fields": ("tier", "model")}),
    )

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        if request.method == "POST" and WHAT_IF in request.POST and self._may_save(request, object_id):
            rule = self.get_object(request, unquote(object_id)) if object_id else None
            form = self.get_form(request, rule)(request.POST, instance=rule)
            if form.is_valid():
                return self._show_comparison(request, [form.instance])
        return super().changeform_view(request, object_id, form_url, extra_context)  # type: ignore[no-any-return]

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        if request.method == "POST" and WHAT_IF in request.POST and self.has_change_permission(request):
            rows = self.get_changelist_formset(request)(request.POST, queryset=RoutingRule.objects.all())
            if rows.is_valid():
                return self._show_comparison(request, [form.instance for form in rows])
            messages.error(request, "A position is a whole number from 0 on. Nothing was changed.")
        return super().changelist_view(request, extra_context)  # type: ignore[no-any-return]

    def _may_save(self, request: HttpRequest, object_id: str | None) -> bool:
        return bool(self.has_change_permission(request) if object_id else self.has_add_permission(request))

    def _show_comparison(self, request: HttpRequest, edited: list[RoutingRule]) -> HttpResponse:
        """With all that was filled in, so that saving it is one more click."""
        others = RoutingRule.objects.exclude(pk__in=[rule.pk for rule in edited if rule.pk])
        comparison = compare([*others.select_related("model"), *edited])
        context = {
            **self.admin_site.each_context(request),
            "title": "What would this change?",
            "comparison": comparison,
            "changes": [
                (each, _words(request, each.text), reverse("admin:generation_text_change", args=[each.text.pk]))
                for each in comparison.shown
            ],
            "list_url": reverse("admin:generation_routingrule_changelist"),
            "filled_in": [
                (name, value)
                for name, values in request.POST.lists()
                for value in values
                if name not in (WHAT_IF, "csrfmiddlewaretoken")
            ],
        }
        return render(request, "admin/rerouting.html", context)

    @admin.display(description="When")
    def conditions(self, rule: RoutingRule) -> str:
        facts = {
            (True, True): f"{rule.fewest_facts} to {rule.most_facts} facts",
            (True, False): f"at least {rule.fewest_facts} facts",
            (False, True): f"at most {rule.most_facts} facts",
        }.get((rule.fewest_facts is not None, rule.most_facts is not None))
        wishes = {True: "with instructions or a voice", False: "without instructions or a voice"}
        told = (
            " or ".join(rule.tasks),
            " or ".join(LANGUAGE_NAMES[code] for code in rule.languages),
            " or ".join(rule.lengths),
            facts,
            wishes.get(rule.has_wishes) if rule.has_wishes is not None else "",
        )
        return ", ".join(part for part in told if part) or "always"


@admin.register(EconomyOutcome)
class EconomyOutcomeAdmin(ReadOnly, ModelAdmin):  # type: ignore[misc]
    """Deleting a row forgets what was learned of a kind; it is learned afresh."""

    list_display = ("__str__", "passed", "failed", "share", "starts_at", "updated_at")
    list_filter = ("task", "language")
    search_fields = ("category",)

    def has_delete_permission(self, request: HttpRequest, _obj: Any = None) -> bool:
        return bool(request.user.has_perm("generation.delete_economyoutcome"))

    @admin.display(description="Passed the check")
    def share(self, row: EconomyOutcome) -> str:
        outcomes = Outcomes(row.passed, row.failed)
        return (
            f"{row.passed / outcomes.total:.0%}, at most {outcomes.most_likely_passing:.0%}" if outcomes.total else ""
        )

    @admin.display(description="Starts at")
    def starts_at(self, row: EconomyOutcome) -> str:
        return "standard" if Outcomes(row.passed, row.failed).fails_mostly else "economy"


@admin.register(Learning)
class LearningAdmin(ModelAdmin):  # type: ignore[misc]
    """The one row of it."""

    list_display = ("__str__", "is_on", "updated_at")
    fields = ("is_on", "updated_at")
    readonly_fields = ("updated_at",)

    def has_add_permission(self, _request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, _request: HttpRequest, _obj: Any = None) -> bool:
        return False
