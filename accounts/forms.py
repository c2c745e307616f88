from __future__ import annotations

from collections.abc import Collection
from typing import Any

from django import forms

from accounts.models import Scope


class ApiKeyForm(forms.Form):
    name = forms.CharField(max_length=80, label="Name", help_text="What will use it: “import script”, “warehouse”.")
    scopes = forms.MultipleChoiceField(
        initial=[Scope.READ, Scope.WRITE], widget=forms.CheckboxSelectMultiple, label="May"
    )

    def __init__(self, *args: Any, allowed: Collection[str], **kwargs: Any) -> None:
        """`allowed` are the scopes of the person who asks: nobody can give a key more than they have."""
        super().__init__(*args, **kwargs)
        scopes: Any = self.fields["scopes"]
        scopes.choices = [(scope, label) for scope, label in Scope.choices if scope in allowed]
