from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from accounts.dollars import MOST_DOLLARS, NANOS_PER_DOLLAR, decimal_usd
from accounts.models import Scope

MOST_REQUESTS = 1_000_000
MAX_THRESHOLDS = 5

# "1,250.50": commas between thousands only, so that "12,50" is asked about and not read as 1250.
_IN_THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d*)?")


class DollarField(forms.DecimalField):
    """Dollars typed by a person ("12", "$12.50", "1,250"), as nano-dollars."""

    def __init__(self, *, least: str = "0", **options: Any) -> None:
        widget = forms.TextInput(attrs={"inputmode": "decimal", "autocomplete": "off", "placeholder": "0.00"})
        too_much = f"At most ${MOST_DOLLARS:,}."
        messages = {
            "invalid": "Write an amount in dollars, such as 25 or 12.50.",
            "max_decimal_places": "At most nine digits after the point.",
            "max_digits": too_much,
            "max_whole_digits": too_much,
            "min_value": "An amount below $%(limit_value)s makes no sense here.",
            "max_value": too_much,
        }
        bounds: dict[str, Any] = {"min_value": Decimal(least), "max_value": Decimal(MOST_DOLLARS)}
        super().__init__(widget=widget, error_messages=messages, decimal_places=9, **bounds, **options)

    def prepare_value(self, value: Any) -> Any:
        return decimal_usd(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> Any:
        typed = str(value or "").strip().removeprefix("$").strip()
        return super().to_python(typed.replace(",", "") if _IN_THOUSANDS.fullmatch(typed) else typed)

    def clean(self, value: Any) -> Any:
        dollars = super().clean(value)
        return None if dollars is None else int(dollars * NANOS_PER_DOLLAR)


class CapForm(forms.Form):
    """One cap; empty takes it away."""

    cap = DollarField(required=False, label="Cap a month, in dollars")


class RequestsForm(forms.Form):
    burst_per_minute = forms.IntegerField(
        label="At most … requests a minute", required=False, min_value=1, max_value=MOST_REQUESTS
    )
    requests_per_day = forms.IntegerField(
        label="At most … requests a day", required=False, min_value=1, max_value=MOST_REQUESTS
    )


class MemberForm(CapForm, RequestsForm):
    """What one member may spend and ask, below what the workspace may."""


class KeyLimitsForm(RequestsForm):
    """What one key may use, below what the workspace may."""

    spend_cap_nanos = DollarField(
        label="At most $… a month",
        required=False,
        help_text="What the key may spend on models in a calendar month (UTC). 0 means nothing: known texts only.",
    )


class RotateForm(forms.Form):
    hours = forms.TypedChoiceField(
        choices=[(0, "Not at all"), (1, "One more hour"), (24, "One more day"), (24 * 7, "One more week")],
        coerce=int,
        initial=24,
        label="The present secret goes on working",
    )


class ApiKeyForm(KeyLimitsForm):
    name = forms.CharField(max_length=80, label="Name", help_text="What will use it: “import script”, “warehouse”.")
    scopes = forms.MultipleChoiceField(
        initial=[Scope.READ, Scope.WRITE], widget=forms.CheckboxSelectMultiple, label="May"
    )
    days = forms.TypedChoiceField(
        choices=[("", "Never"), (30, "In 30 days"), (90, "In 90 days"), (365, "In a year")],
        coerce=int,
        empty_value=None,
        required=False,
        label="It expires",
    )

    def __init__(self, *args: Any, allowed: Collection[str], **kwargs: Any) -> None:
        """`allowed` are the scopes of the person who asks: nobody can give a key more than they have."""
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope, label) for scope, label in Scope.choices if scope in allowed]


class ThresholdsForm(forms.Form):
    thresholds = forms.CharField(
        required=False,
        max_length=100,
        label="Tell us at",
        help_text="Per cent of a budget or of the month's products. Up to five; empty means never.",
        widget=forms.TextInput(attrs={"inputmode": "numeric"}),
    )

    def clean_thresholds(self) -> list[int]:
        """Sorted, each once."""
        parts = [part for part in re.split(r"[\s,;%]+", self.cleaned_data["thresholds"]) if part]
        try:
            percents = sorted({int(part) for part in parts})
        except ValueError as error:
            raise ValidationError("Write whole numbers with commas between them: 50, 80, 100.") from error
        if not all(1 <= percent <= 100 for percent in percents):
            raise ValidationError("Each has to be between 1 and 100.")
        if len(percents) > MAX_THRESHOLDS:
            raise ValidationError(f"At most {MAX_THRESHOLDS}, please.")
        return percents
