from __future__ import annotations

from django import forms

from billing.catalog import Sale, find_sale
from contentopt.errors import DomainError


class SaleForm(forms.Form):
    """A plan and how it is paid for. The price is looked up here, whatever the browser says."""

    plan = forms.CharField()
    interval = forms.CharField()

    def sale(self) -> Sale:
        found = find_sale(self.cleaned_data["plan"], self.cleaned_data["interval"]) if self.is_valid() else None
        if found is None:
            raise DomainError("This plan is not for sale. Reload the page to see those that are.", code="unknown_plan")
        return found


class OverageForm(forms.Form):
    products = forms.IntegerField(
        label="Products a month beyond the plan, at most", min_value=0, max_value=100_000, help_text="0: none."
    )


class ChangeForm(SaleForm):
    intent_id = forms.UUIDField()
    at = forms.IntegerField(required=False)
