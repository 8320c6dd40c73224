"""Forms about people."""

from django import forms

from .models import User


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a person sets for oneself."""

    class Meta:
        model = User
        fields = ("language", "theme")
