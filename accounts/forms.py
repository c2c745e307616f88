from __future__ import annotations

import re
from collections.abc import Collection
from decimal import Decimal
from typing import Any
from uuid import UUID

from allauth.account.forms import SignupForm
from django import forms
from django.core.exceptions import ValidationError

from accounts.audit import Choice
from accounts.dollars import MOST_DOLLARS, NANOS_PER_DOLLAR, decimal_usd
from accounts.models import ApiKey, Membership, Role, Scope, Workspace

MOST_REQUESTS = 1_000_000
MAX_THRESHOLDS = 5
MOST_DAYS = 3_650

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


class InviteForm(forms.Form):
    email = forms.EmailField(label="Their e-mail address", max_length=254)
    role = forms.ChoiceField(label="Role", initial=Role.EDITOR)

    def __init__(self, *args: Any, allowed: Collection[str], **kwargs: Any) -> None:
        """`allowed` are the roles that whoever asks may give."""
        super().__init__(*args, **kwargs)
        roles: Any = self.fields["role"]
        roles.choices = [(role, label) for role, label in Role.choices if role in allowed and role != Role.OWNER]


class RoleForm(forms.Form):
    role = forms.ChoiceField(choices=Role.choices)


class WorkspaceForm(forms.Form):
    name = forms.CharField(max_length=80, label="Name", help_text="Your shop's or team's. Its people see it.")
    has_sample = forms.BooleanField(required=False, initial=True, label="With the sample shop inside, to try things on")

    def clean_name(self) -> str:
        """It stands in mails to people who are invited, so it must not carry an address of its own."""
        name = " ".join(str(self.cleaned_data["name"]).split())
        if re.search(r"https?:|//|www\.", name, re.IGNORECASE):
            raise ValidationError("A name cannot hold a web address.")
        return name


class InvitedSignupForm(SignupForm):  # type: ignore[misc]
    """The address is the invitation's, whatever is posted; only a password is asked for."""

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, initial={"email": email}, **kwargs)
        self.fields["email"].disabled = True


class AuditForm(forms.Form):
    """Which entries of the audit log; what is not right does not narrow, and the form says so."""

    actions = forms.ChoiceField(label="What", required=False)
    who = forms.ChoiceField(label="Who", required=False)
    first = forms.DateField(label="From", required=False, widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(label="To", required=False, widget=forms.DateInput(attrs={"type": "date"}))

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        members = Membership.objects.in_workspace(workspace).order_by("user__email")
        keys = ApiKey.objects.in_workspace(workspace).order_by("name")
        self._choose("actions", [("", "Everything"), *GROUPS.items()])
        people = [(str(pk), email) for pk, email in members.values_list("user_id", "user__email")]
        named = [(str(pk), f"API key “{name}”") for pk, name in keys.values_list("pk", "name")]
        self._choose("who", [("", "Everybody"), *people, *named])

    def _choose(self, name: str, choices: list[tuple[str, str]]) -> None:
        field: Any = self.fields[name]
        field.choices = choices

    def choice(self) -> Choice:
        self.full_clean()
        given = self.cleaned_data
        who = UUID(given["who"]) if given.get("who") else None
        return Choice(given.get("actions", ""), who, given.get("first"), given.get("last"))


# What actions begin with, in words.
GROUPS = {
    "sign_in": "Sign-ins",
    "member": "Members",
    "key": "API keys",
    "plan": "Plan",
    "cap": "Caps and limits",
    "settings": "Settings",
    "download": "Downloads",
    "archive": "Archives",
    "file": "Imports",
    "cache": "Known texts",
    "staff": "ContentOpt staff",
    "workspace": "Workspace",
}


def _days(label: str, help_text: str, *, required: bool = False) -> forms.IntegerField:
    return forms.IntegerField(label=label, help_text=help_text, required=required, min_value=1, max_value=MOST_DAYS)


class RetentionForm(forms.Form):
    old_version_days = _days(
        "Earlier versions of texts, in days",
        "The product's present text always stays. Dropped versions cannot be compared or restored any more. "
        "Empty: they are kept as long as the workspace.",
    )
    import_file_days = _days(
        "Imported files, in days",
        "Products and texts stay. Without its file, a download with our cells filled in is no longer possible. Empty: "
        "they are kept as long as the workspace.",
    )
    model_call_days = _days(
        "What was sent to models and came back, in days",
        "The words of batches and the check's complaints. What a call cost stays in the ledger.",
        required=True,
    )
    stream_days = _days(
        "What was read as it was written, in days", "For coming back to it; its text stays.", required=True
    )


class ConfirmForm(forms.Form):
    """Typing a name is what nobody does by accident."""

    typed = forms.CharField(max_length=254, widget=forms.TextInput(attrs={"autocomplete": "off"}))

    def __init__(self, *args: Any, wanted: str, what: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.wanted, self.what = wanted, what
        self.fields["typed"].label = f"Type {what}: {wanted}"

    def clean_typed(self) -> str:
        typed = str(self.cleaned_data["typed"]).strip()
        if typed.casefold() != self.wanted.strip().casefold():
            raise ValidationError(f"This is not {self.what}, so nothing was deleted.")
        return typed
