"""The admin's home: each store in one line."""

from typing import Any

from django import template
from django.utils.translation import gettext_lazy as lazy

from merchants.models import Mode
from shipping.glance import SHOWN, Glance, glances_for

register = template.Library()


@register.simple_tag(takes_context=True)
def store_glances(context: dict[str, Any]) -> list[Glance]:
    """One more than is shown, where there are more."""
    return glances_for(context["request"].user, SHOWN + 1)


# The way of calling in a word; what it needs stands on the credential's page.
MODES = {
    Mode.OWN: lazy("自有店铺"),
    Mode.PASTED: lazy("粘贴的 access_token"),
    Mode.COMPONENT: lazy("第三方平台"),
    Mode.CLOUD: lazy("云调用"),
}


@register.filter
def short_mode(mode: str) -> object:
    return MODES[Mode(mode)]


@register.filter
def shown(stores: list[Glance]) -> list[Glance]:
    return stores[:SHOWN]


@register.filter
def has_more(stores: list[Glance]) -> bool:
    return len(stores) > SHOWN
