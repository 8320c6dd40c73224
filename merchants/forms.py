"""Forms about people."""

from typing import Any

from django import forms
from django.contrib.auth.forms import BaseUserCreationForm
from django.utils.translation import gettext_lazy as _

from .models import Merchant, User
from .queries import roles_to_give


class PersonForm(forms.ModelForm):  # type: ignore[type-arg]  # not generic at run time
    """What a person sets for oneself."""

    class Meta:
        model = User
        fields = ("language", "theme")


class InviteForm(forms.Form):
    """Who is to join a store, in a role that the inviting person may give."""

    name = forms.CharField(label=_("姓名"), max_length=60)
    role = forms.ChoiceField(label=_("角色"))

    def __init__(self, user: User, merchant: Merchant, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        roles = [(role.value, role.label) for role in roles_to_give(user, merchant)]
        self.fields["role"].choices = roles  # type: ignore[attr-defined]


class JoinForm(BaseUserCreationForm):  # type: ignore[type-arg]
    """The account that an invited person makes for oneself."""

    class Meta:
        model = User
        fields = ("username",)
