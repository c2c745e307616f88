from __future__ import annotations

from django import forms

from accounts.models import Scope


class ApiKeyForm(forms.Form):
    name = forms.CharField(max_length=80, label="Name", help_text="What will use it: “import script”, “warehouse”.")
    scopes = forms.MultipleChoiceField(
        choices=Scope.choices,
        initial=[Scope.READ, Scope.WRITE],
        widget=forms.CheckboxSelectMultiple,
        label="May",
    )
