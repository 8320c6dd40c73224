"""What every admin page shares: an admin sees the own stores only; nothing is ever deleted.

A row of another store is as good as missing: 404, as everywhere on the desk.
"""

from typing import Any

from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest
from django.utils.functional import cached_property

from merchants.models import Role, User
from merchants.queries import has_role, merchants_for


def me(request: HttpRequest) -> User:
    """The signed-in person; admin pages have no other visitors."""
    assert isinstance(request.user, User)  # noqa: S101 - for the type checker
    return request.user


def is_admin(request: HttpRequest) -> bool:
    """Whether the person is an admin of some store; each list of the home asks, the database only once."""
    known = vars(request)
    if "is_admin_somewhere" not in known:
        known["is_admin_somewhere"] = has_role(me(request), Role.ADMIN)
    return bool(known["is_admin_somewhere"])


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


# So many rows a list counts and pages through; who looks for an older one searches.
COUNTED = 1000


class Counted(Paginator):  # type: ignore[type-arg]  # no generic when it runs
    """Never counts a million rows to name the number of pages."""

    @cached_property
    def count(self) -> int:
        rows: Any = self.object_list
        return len(rows.values_list("pk")[:COUNTED])


class ReadOnly(OwnStores):
    """Rows that only the desk itself writes."""

    def get_paginator(
        self,
        request: HttpRequest,
        queryset: QuerySet[Any],
        per_page: int,
        orphans: int = 0,
        allow_empty_first_page: bool = True,
    ) -> "Paginator[Any]":
        return Counted(queryset, per_page, orphans, allow_empty_first_page)

    def get_sortable_by(self, request: HttpRequest) -> tuple[str, ...]:
        """No index walks an order that a head of the table asks for."""
        return ()

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        # Also where the last store was closed: its history stays.
        return me(request).is_superuser or is_admin(request)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and self.has_view_permission(request)
