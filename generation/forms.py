from __future__ import annotations

from typing import Any

from django import forms

from generation.catalogues.mapping import ROLES, Mapping, is_role
from generation.facts import CHANNELS, LANGUAGES, LENGTHS, TONES
from generation.models import Catalogue
from generation.prompts import LANGUAGES as LANGUAGE_NAMES

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


class WishesForm(forms.Form):
    """Everything of a brief but the facts."""

    tone = forms.ChoiceField(choices=_choices(TONES), initial="neutral")
    length = forms.ChoiceField(choices=_choices(LENGTHS), initial="medium")
    language = forms.ChoiceField(choices=[(code, LANGUAGE_NAMES[code]) for code in LANGUAGES], initial="en")
    channel = forms.ChoiceField(choices=[(code, CHANNEL_NAMES[code]) for code in CHANNELS], initial="web")
    voice = forms.CharField(required=False, max_length=1_000, help_text="How your shop speaks, in a sentence or two.")
    keywords = forms.CharField(required=False, max_length=500, help_text="Separated by commas; used where true.")
    instructions = forms.CharField(required=False, max_length=1_000, help_text="Anything else. The facts still rule.")

    def wishes(self, fields: list[str]) -> dict[str, Any]:
        keywords = [word.strip() for word in self.cleaned_data["keywords"].split(",") if word.strip()]
        return {**self.cleaned_data, "keywords": keywords, "fields": fields}


class RunForm(WishesForm):
    WHICH = (
        ("all", "All of them"),
        ("unwritten", "Those we have not written yet"),
        ("missing", "Those without any description"),
    )
    which = forms.ChoiceField(choices=WHICH, initial="all", label="Which products")

    def wishes(self, fields: list[str]) -> dict[str, Any]:
        wishes = super().wishes(fields)
        del wishes["which"]
        return wishes

    @classmethod
    def first_values(cls) -> dict[str, str]:
        return {name: field.initial for name, field in cls.base_fields.items() if field.initial}


class RewriteForm(forms.Form):
    """One click on a product's page: which wishes change."""

    tone = forms.ChoiceField(choices=_choices(TONES), required=False)
    length = forms.ChoiceField(choices=_choices(LENGTHS), required=False)
    language = forms.ChoiceField(choices=[(code, code) for code in LANGUAGES], required=False)

    def changes(self) -> dict[str, str]:
        return {name: value for name, value in self.cleaned_data.items() if value}


class EditForm(forms.Form):
    description = forms.CharField(
        max_length=20_000,
        widget=forms.Textarea,
        error_messages={"required": "A description cannot be empty. The last version was kept."},
    )
    seo_title = forms.CharField(max_length=500, required=False)
    meta_description = forms.CharField(max_length=1_000, required=False)

    def clean(self) -> dict[str, Any]:
        return {name: value for name, value in self.cleaned_data.items() if name in self.data}


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
