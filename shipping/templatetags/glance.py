"""The admin's home: each store in one line."""

from typing import Any

from django import template

from shipping.glance import SHOWN, Glance, glances_for

register = template.Library()


@register.simple_tag(takes_context=True)
def store_glances(context: dict[str, Any]) -> list[Glance]:
    """One more than is shown, where there are more."""
    return glances_for(context["request"].user, SHOWN + 1)


@register.filter
def short_mode(name: str) -> str:
    """The way of calling without what it needs: the credential's page says that."""
    return str(name).partition("：")[0].partition(":")[0]


@register.filter
def shown(stores: list[Glance]) -> list[Glance]:
    return stores[:SHOWN]


@register.filter
def has_more(stores: list[Glance]) -> bool:
    return len(stores) > SHOWN
