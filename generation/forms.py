from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from django import forms
from django.core.exceptions import ValidationError
from django.db.models import Q

from accounts.forms import DollarField
from accounts.models import Membership, Workspace
from generation.catalogues.mapping import ROLES, Mapping, is_role
from generation.facts import CHANNELS, LANGUAGES, LENGTHS, TONES, Task
from generation.models import Catalogue, Product, Run
from generation.prompts import LANGUAGES as LANGUAGE_NAMES
from generation.routing import is_above

MAX_NAMED = 100  # products of one name
ENCODINGS = [
    ("utf-8", "UTF-8"),
    ("cp1252", "Windows-1252 (Western)"),
    ("utf-16-le", "UTF-16 LE"),
    ("utf-16-be", "UTF-16 BE"),
]
DELIMITERS = [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")]
CHANNEL_NAMES = {"web": "Web shop", "amazon": "Amazon", "google": "Google Merchant", "ebay": "eBay"}


def _choices(values: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(value, value.capitalize()) for value in values]


class TryForm(forms.Form):
    """The landing page's box."""

    prompt = forms.CharField(max_length=2_000, widget=forms.Textarea, strip=True, label="What is it?")
    tone = forms.ChoiceField(choices=_choices(TONES), initial="friendly")

    def clean_prompt(self) -> str:
        return str(self.cleaned_data["prompt"]).replace("\x00", "")


class UploadForm(forms.Form):
    file = forms.FileField(label="Your product file", allow_empty_file=True)


TIER_NAMES = {"auto": "Cheapest that passes", "standard": "Standard", "premium": "Premium"}


def tier_choices(highest: str) -> list[tuple[str, str]]:
    """What a workspace may ask for, whose plan goes up to a tier; only one when there is nothing to choose."""
    return [(tier, name) for tier, name in TIER_NAMES.items() if not is_above(tier, highest)]


class WishesForm(forms.Form):
    """Everything of a brief but the facts. `highest` is the tier that the workspace's plan goes up to."""

    tone = forms.ChoiceField(choices=_choices(TONES), initial="neutral")
    length = forms.ChoiceField(choices=_choices(LENGTHS), initial="medium")
    language = forms.ChoiceField(choices=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES], initial="en")
    channel = forms.ChoiceField(choices=[(code, CHANNEL_NAMES[code]) for code in CHANNELS], initial="web")
    tier = forms.ChoiceField(
        required=False,
        initial="auto",
        label="Models",
        help_text="A text that fails the check is written anew one tier up, as far as your plan goes.",
    )
    voice = forms.CharField(required=False, max_length=1_000, help_text="How your shop speaks, in a sentence or two.")
    keywords = forms.CharField(required=False, max_length=500, help_text="Separated by commas; used where true.")
    instructions = forms.CharField(required=False, max_length=1_000, help_text="Anything else. The facts still rule.")

    def __init__(self, *args: Any, highest: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tier: Any = self.fields["tier"]
        tier.choices = tier_choices(highest)

    def wishes(self, fields: list[str]) -> dict[str, Any]:
        keywords = [word.strip() for word in self.cleaned_data["keywords"].split(",") if word.strip()]
        tier = self.cleaned_data["tier"] or "auto"
        return {**self.cleaned_data, "keywords": keywords, "tier": tier, "fields": fields}


class RunForm(WishesForm):
    WHICH = (
        ("all", "All of them"),
        ("unwritten", "Those we have not written yet"),
        ("missing", "Those without any description"),
    )
    urgency = forms.ChoiceField(choices=Run.Urgency.choices, initial=Run.Urgency.NOW, required=False, label="When")
    TASKS = (
        (Task.DESCRIPTION.value, "Write them from the facts"),
        (Task.REWRITE.value, "Improve the texts in the file"),
        (Task.TRANSLATE.value, "Translate the texts in use"),
    )
    task = forms.ChoiceField(
        choices=TASKS,
        initial=Task.DESCRIPTION.value,
        required=False,
        label="What to do",
        help_text="The facts rule in each. A product without such a text is written from its facts.",
    )
    which = forms.ChoiceField(choices=WHICH, initial="all", label="Which products")
    cap = DollarField(
        required=False,
        least="0.000001",
        label="Stop at, in dollars",
        help_text="Optional. The run never spends more than this; what is not written by then can be written later.",
    )

    def wishes(self, fields: list[str]) -> dict[str, Any]:
        wishes = super().wishes(fields)
        del wishes["which"], wishes["cap"], wishes["urgency"]
        if wishes["task"] in ("", Task.DESCRIPTION):
            del wishes["task"]
        return wishes

    def clean_urgency(self) -> str:
        return self.cleaned_data["urgency"] or Run.Urgency.NOW

    @classmethod
    def first_values(cls) -> dict[str, str]:
        return {name: field.initial for name, field in cls.base_fields.items() if field.initial}


class RetryForm(forms.Form):
    cap = DollarField(required=False, label="Stop at, in dollars")


class RewriteForm(forms.Form):
    """One click on a product's page: which settings change."""

    tone = forms.ChoiceField(choices=_choices(TONES), required=False)
    length = forms.ChoiceField(choices=_choices(LENGTHS), required=False)
    language = forms.ChoiceField(choices=[(code, code) for code in LANGUAGES], required=False)
    tier = forms.ChoiceField(required=False)

    def __init__(self, *args: Any, highest: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        tier: Any = self.fields["tier"]
        tier.choices = tier_choices(highest)

    def changes(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if value}


class WishForm(forms.Form):
    """What is to change about a text, said on its product's page; of the proposal if there is one."""

    instruction = forms.CharField(max_length=500, error_messages={"required": "Say what is to change."})


class RejectForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
        label="What is wrong with it?",
        help_text="Optional. It stands in the history.",
    )


class CommentForm(forms.Form):
    words = forms.CharField(
        max_length=2_000,
        error_messages={
            "required": "Say something: the comment is empty.",
            "max_length": "A comment has at most %(limit_value)s characters; this one has %(show_value)s.",
        },
    )


class AssigneeForm(forms.Form):
    """A member of the workspace, or nobody."""

    member = forms.ModelChoiceField(
        Membership.objects.none(),
        required=False,
        error_messages={"invalid_choice": "Choose a member of this workspace. Nothing was assigned."},
    )

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        member: Any = self.fields["member"]
        member.queryset = Membership.objects.in_workspace(workspace)


class EditForm(forms.Form):
    description = forms.CharField(
        max_length=20_000,
        widget=forms.Textarea,
        error_messages={"required": "A description cannot be empty. The last version was kept."},
    )
    seo_title = forms.CharField(max_length=500, required=False)
    meta_description = forms.CharField(max_length=1_000, required=False)
    bullets = forms.CharField(max_length=2_000, required=False, widget=forms.Textarea)
    proposal = forms.UUIDField(required=False)

    def clean(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}

    def texts(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if name != "proposal"}


class PurgeForm(forms.Form):
    """What to take out of the cache: all that is filled in must be met."""

    model = forms.ChoiceField(required=False, label="Written by")
    product = forms.CharField(
        required=False, max_length=300, label="Product", help_text="Its key or its whole name, as in your file."
    )
    older_than_days = forms.IntegerField(
        required=False, min_value=1, max_value=3_650, label="Older than … days", widget=forms.TextInput
    )

    def __init__(self, *args: Any, workspace: Workspace, models: Collection[tuple[str, str]], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.workspace = workspace
        chosen: Any = self.fields["model"]
        chosen.choices = [("", "Any model"), *models]
        self.fields["older_than_days"].widget.attrs["inputmode"] = "numeric"

    def clean_product(self) -> list[Product] | None:
        """Of that key or name; several files may hold it. None when none was named."""
        named = self.cleaned_data["product"].strip()
        if not named:
            return None
        products = Product.objects.in_workspace(self.workspace)
        found = list(products.filter(Q(key=named) | Q(title__iexact=named))[:MAX_NAMED])
        if not found:
            raise ValidationError("No product of yours has this key or name.")
        return found


class DialectForm(forms.Form):
    encoding = forms.ChoiceField(choices=ENCODINGS)
    delimiter = forms.ChoiceField(choices=DELIMITERS, label="Cells divided by")


ROLE_NAMES = {
    "key": "Key (handle, SKU)",
    "title": "Product name",
    "description": "Description (we write this)",
    "seo_title": "SEO title (we write this)",
    "meta_description": "Meta description (we write this)",
    "sku": "SKU",
    "id": "Number (id)",
    "image": "Image",
    "attribute": "A fact, under the column's name",
    "ignore": "Leave out",
}


class MappingForm(forms.Form):
    """One choice of role for each column of the file."""

    def __init__(self, catalogue: Catalogue, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.present = Mapping.from_json(catalogue.mapping)
        choices = [(role, ROLE_NAMES.get(role, role.replace("_", " ").capitalize())) for role in ROLES]
        for index, (name, role) in enumerate(zip(catalogue.header, self.present.roles, strict=False)):
            self.fields[f"column_{index}"] = forms.ChoiceField(choices=choices, label=name, initial=role)

    def mapping(self) -> Mapping:
        roles = tuple(role for role in self.cleaned_data.values() if is_role(role))
        return Mapping(roles, self.present.html)


Options = list[tuple[str, str]]


class WhoseField(forms.CharField):
    """An id, also of somebody who is gone, or the word for nobody."""

    widget = forms.Select
    nobody = "none"

    def to_python(self, value: Any) -> UUID | str | None:  # type: ignore[override]
        typed = super().to_python(value)
        if not typed or typed == self.nobody:
            return typed or None
        try:
            return UUID(typed)
        except ValueError as error:
            raise ValidationError("Choose one of the list.") from error


class LedgerForm(forms.Form):
    """Which lines of the ledger. The options are the workspace's own; one that is gone is named so."""

    first = forms.DateField(required=False, label="From", widget=forms.DateInput(attrs={"type": "date"}))
    last = forms.DateField(required=False, label="To", widget=forms.DateInput(attrs={"type": "date"}))
    member = WhoseField(required=False)
    key = WhoseField(required=False, label="API key")
    run = WhoseField(required=False)
    model = forms.CharField(required=False, max_length=100, widget=forms.Select)
    source = forms.CharField(required=False, max_length=12, widget=forms.Select)

    def __init__(self, *args: Any, options: dict[str, Options], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, known in options.items():
            asked = str(self.data.get(name, ""))
            gone = [(asked, f"Removed {name}")] if asked and asked not in dict(known) else []
            select: Any = self.fields[name].widget
            select.choices = [*known, *gone]
