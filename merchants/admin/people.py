"""People: an admin sees those of the own stores, a superuser everybody."""

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin
from django.db.models import Exists, OuterRef, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from merchants import services
from merchants.audit import note
from merchants.models import Audit, Membership, Role, User
from merchants.queries import merchants_for

from .base import NotFound, is_admin, me


def people_of(user: User) -> QuerySet[User]:
    """A superuser knows everybody, an admin the people of the own stores."""
    if user.is_superuser:
        return User.objects.all()
    own = Membership.objects.filter(user=OuterRef("pk"), merchant__in=merchants_for(user, Role.ADMIN))
    return User.objects.filter(Exists(own), is_superuser=False)


@admin.register(User)
class PersonAdmin(NotFound, UserAdmin[User]):
    """People come by invitation; only a superuser adds one here, who would belong to no store yet."""

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
        return people_of(me(request))

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        if "is_superuser" in form.changed_data:
            services.sync_admin_access(obj)
        if change and not obj.is_active:
            services.end_sessions(user=obj)

    def construct_change_message(self, request: HttpRequest, form: Any, *args: Any, **kwargs: Any) -> Any:
        """Django asks for this once per saved form, the password's own page included."""
        person = getattr(form, "user", None) or form.instance
        note(person, kind=Audit.Kind.PERSON, by=me(request), fields=form.changed_data, person=person)
        return super().construct_change_message(request, form, *args, **kwargs)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return request.user.is_authenticated and is_admin(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return is_admin(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return me(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who also works elsewhere keeps the own password: changing it would open the other store."""
        if me(request).is_superuser or obj is None:
            return is_admin(request)
        elsewhere = obj.memberships.exclude(merchant__in=merchants_for(me(request), Role.ADMIN))
        return is_admin(request) and not obj.is_superuser and not elsewhere.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
