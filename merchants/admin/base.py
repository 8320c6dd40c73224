"""What every admin page shares: an admin sees the own stores only; nothing is ever deleted."""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import HttpRequest

from merchants.models import Role, User
from merchants.queries import has_role, merchants_for


def me(request: HttpRequest) -> User:
    """The signed-in person; admin pages have no other visitors."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    return request.user


class OwnStores:
    """Rows of the stores where the person is an admin; a superuser sees all; nobody deletes."""

    show_full_result_count = False
    merchant_path = "merchant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if me(request).is_superuser:
            return rows
        return rows.filter(**{f"{self.merchant_path}__in": merchants_for(me(request), Role.ADMIN)})

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnly(OwnStores):
    """Rows that only the desk itself writes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return has_role(me(request), Role.ADMIN)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and has_role(me(request), Role.ADMIN)
