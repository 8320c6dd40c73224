"""What every admin page shares: an admin sees the own stores only; nothing is ever deleted.

A row of another store is as good as missing: 404, as everywhere on the desk.
"""

from typing import Any

from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest

from merchants.models import Role, User
from merchants.queries import has_role, merchants_for


def me(request: HttpRequest) -> User:
    """The signed-in person; admin pages have no other visitors."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    return request.user


class NotFound:
    """What is missing and what is another store's read alike."""

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        found = super().get_object(request, object_id, from_field)  # type: ignore[misc]
        if found is None:
            raise Http404
        return found


class OwnStores(NotFound):
    """Rows of the stores where the person is an admin; a superuser sees all; nobody deletes."""

    show_full_result_count = False
    # From a row to its store; None for rows of no store.
    merchant_path: str | None = "merchant"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Any]:
        rows: QuerySet[Any] = super().get_queryset(request)  # type: ignore[misc]
        if me(request).is_superuser:
            return rows
        if self.merchant_path is None:
            return rows.none()
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
        # Also where the last store was closed: its history stays.
        return me(request).is_superuser or has_role(me(request), Role.ADMIN)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and self.has_view_permission(request)
