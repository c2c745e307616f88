from __future__ import annotations

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError

from webhooks.addresses import MOST_CHARACTERS, AddressRefused, check_address
from webhooks.events import EVENT_TYPES


class EndpointForm(forms.Form):
    url = forms.CharField(
        max_length=MOST_CHARACTERS,
        label="Address",
        help_text="Where events are sent, such as https://hooks.your-shop.com/contentopt.",
        widget=forms.URLInput(attrs={"placeholder": "https://", "autocomplete": "off"}),
    )
    description = forms.CharField(
        max_length=120, required=False, label="What it is for", help_text="For you: “warehouse”, “Slack”."
    )
    event_types = forms.MultipleChoiceField(
        choices=[(name, name) for name in EVENT_TYPES],
        widget=forms.CheckboxSelectMultiple,
        label="Events",
        error_messages={"required": "Choose at least one event."},
    )

    def clean_url(self) -> str:
        url: str = self.cleaned_data["url"].strip()
        try:
            check_address(url, allow_loopback=settings.WEBHOOK_ALLOW_LOOPBACK)
        except AddressRefused as error:
            raise ValidationError(str(error)) from error
        return url
