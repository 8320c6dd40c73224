"""People: an admin sees those of the own stores, a superuser everybody."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from merchants.models import Membership, Role, User
from merchants.queries import has_role, merchants_for

from .base import me


@admin.register(User)
class PersonAdmin(UserAdmin[User]):
    """A superuser sees everybody; an admin the people of the own stores, and those of none yet."""

    show_full_result_count = False
    list_display = ("username", "display_name", "is_active", "is_superuser", "last_login")
    list_filter = ("is_active",)
    search_fields = ("username", "display_name")
    own = ((None, {"fields": ("username", "password", "display_name", "email", "is_active")}),)
    rights = ((_("权限"), {"fields": ("is_staff", "is_superuser", "last_login")}),)
    readonly_fields = ("is_staff", "last_login")

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return super().get_fieldsets(request, obj)
        return self.own + self.rights if me(request).is_superuser else self.own

    def get_queryset(self, request: HttpRequest) -> QuerySet[User]:
        people: QuerySet[User] = super().get_queryset(request)
        if me(request).is_superuser:
            return people
        held = Membership.objects.filter(user=OuterRef("pk"))
        own = held.filter(merchant__in=merchants_for(me(request), Role.ADMIN))
        return people.filter(Q(Exists(own)) | ~Q(Exists(held)), is_superuser=False)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and has_role(me(request), Role.ADMIN)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(me(request), Role.ADMIN)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return has_role(me(request), Role.ADMIN)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who also works elsewhere keeps the own password: changing it would open the other store."""
        if me(request).is_superuser or obj is None:
            return has_role(me(request), Role.ADMIN)
        elsewhere = obj.memberships.exclude(merchant__in=merchants_for(me(request), Role.ADMIN))
        return has_role(me(request), Role.ADMIN) and not obj.is_superuser and not elsewhere.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
