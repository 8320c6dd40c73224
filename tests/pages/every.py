"""Every route from the resolver, and where each of Django admin's leads for a row of one store or another."""

from collections.abc import Iterator
from typing import Any

from django.contrib import admin
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from merchants.models import User
from tests.pages.access import Store


def routes(patterns: list[Any], space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every pattern with its full name, namespaces included."""
    for pattern in patterns:
        if isinstance(pattern, URLResolver):
            inner = f"{space}{pattern.namespace}:" if pattern.namespace else space
            yield from routes(pattern.url_patterns, inner)
        else:
            yield f"{space}{pattern.name or pattern.pattern}", pattern


ALL = dict(routes(get_resolver().url_patterns))
ADMIN_ROUTES = sorted(name for name in ALL if name.startswith("admin:"))


# A row of no store: for superusers only.
NOBODYS = ("00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000002")


def _arguments(name: str, pick: int) -> dict[str, Any]:
    """What an admin route asks for; pick 0 is a row of the own store, 1 a foreign one."""
    asked = ALL[name].pattern.regex.groupindex if hasattr(ALL[name].pattern, "regex") else {}
    known: dict[str, Any] = {"app_label": "merchants", "content_type_id": 1, "url": "nothing/"}
    row = {"object_id": pick, "id": pick}
    return {key: row.get(key, known.get(key)) for key in asked}


def model_of(name: str) -> Any:
    for model in admin.site._registry:
        if name.startswith(f"admin:{model._meta.app_label}_{model._meta.model_name}_") or (
            name == "admin:auth_user_password_change" and model is User
        ):
            return model
    return None


def rows_of(model: Any, own: Store, foreign: Store) -> tuple[Any, Any]:
    """A row of the own store and one of the foreign store, by the way from the model to its store."""
    if model is User:
        return own.clerk.user_id, foreign.clerk.user_id
    way = getattr(admin.site._registry[model], "merchant_path", None)
    if way is None:
        return NOBODYS
    picked = [model.objects.filter(**{way: store.merchant.pk}).first() for store in (own, foreign)]
    assert all(picked), f"make_store makes no {model.__name__}"
    return picked[0].pk, picked[1].pk


def is_open(name: str) -> bool:
    """Nothing is deleted, and what the desk itself writes is not added by hand; a user comes by invitation."""
    is_read_only = any(
        word in name for word in ("audit", "pause", "shipping", "credential", "user", "errand", "message")
    )
    return not name.endswith("_delete") and not (name.endswith("_add") and is_read_only)


def path_of(name: str, pk: Any) -> str:
    if ALL[name].name is None:
        # The catch-all, and an old form of a row's address that leads to the new one.
        return "/admin/nothing/" if "url" in name else "/admin/merchants/merchant/1/"
    return reverse(name, kwargs=_arguments(name, pk))
