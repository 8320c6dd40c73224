"""Django admin: stores, people, secrets. An admin sees the own stores only; nothing is ever deleted.

A row of another store is as good as missing: 404, as everywhere on the desk.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Exists, Model, OuterRef, QuerySet
from django.http import Http404, HttpRequest
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _
from django_otp.plugins.otp_totp.models import TOTPDevice

from . import services
from .audit import note
from .models import Audit, Credential, Membership, Merchant, Pause, Role, User
from .queries import audit_for, has_role, merchants_for

admin.site.site_header = admin.site.site_title = _("发货台 · 店铺管理")
admin.site.index_title = _("店铺、员工和密钥")
admin.site.unregister(Group)
# Its page shows the keys of everybody's phone.
admin.site.unregister(TOTPDevice)


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


@admin.register(Merchant)
class MerchantAdmin(OwnStores, admin.ModelAdmin):  # type: ignore[type-arg]
    merchant_path = "pk"
    list_display = ("name", "appid", "is_active", "orders_read_at", "has_return_address", "api_host")
    search_fields = ("name", "appid")
    actions = ("resume",)

    def get_readonly_fields(self, request: HttpRequest, obj: Merchant | None = None) -> tuple[str, ...]:
        kept = ("api_host", "has_return_address", "couriers_read_at", "orders_read_at")
        return ("appid", *kept) if obj else kept

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = Audit.Action.CHANGED if change else Audit.Action.ADDED
        note(
            obj,
            kind=Audit.Kind.SETTING,
            action=action,
            by=me(request),
            fields=form.changed_data,
            merchant=obj,
        )
        if not change:
            Credential.objects.get_or_create(merchant=obj)
            services.set_membership(user=me(request), merchant=obj, role=Role.ADMIN, by=me(request))

    @admin.action(description=_("恢复发货"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Merchant]) -> None:
        ended = sum(services.resume_merchant(merchant=store, by=me(request)) for store in queryset)
        messages.success(request, say("已恢复，结束了 %d 个暂停；等待的包裹会自动提交。") % ended)


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person is named, not picked; only one of the own stores is known here, others are invited."""

    username = forms.CharField(
        label=_("用户名"), help_text=_("已经在您某家店铺的人。新的人请在发货台的“成员”页邀请。")
    )
    known: QuerySet[User]

    class Meta:
        model = Membership
        fields = ("merchant", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["username"]

    def clean_username(self) -> User:
        user = self.known.filter(username=self.cleaned_data["username"].strip(), is_active=True).first()
        if user is None:
            raise forms.ValidationError(say("没有这个用户。"))
        self.instance.user = user
        return user


@admin.register(Membership)
class MembershipAdmin(OwnStores, admin.ModelAdmin):  # type: ignore[type-arg]
    form = MembershipForm
    list_display = ("user", "merchant", "role", "is_active")
    list_filter = ("role", "is_active")
    search_fields = ("user__username", "user__display_name", "merchant__name")
    list_select_related = ("user", "merchant")

    def get_readonly_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "merchant") if obj else ()

    def get_fields(self, request: HttpRequest, obj: Membership | None = None) -> tuple[str, ...]:
        return ("user", "merchant", "role", "is_active") if obj else ("username", "merchant", "role")

    def get_form(self, request: HttpRequest, *args: Any, **kwargs: Any) -> Any:
        form = super().get_form(request, *args, **kwargs)
        form.known = people_of(me(request))  # type: ignore[attr-defined]  # the class is this request's own
        return form

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "merchant":
            kwargs["queryset"] = merchants_for(me(request), Role.ADMIN)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        saved = services.set_membership(
            user=obj.user, merchant=obj.merchant, role=obj.role, is_active=obj.is_active, by=me(request)
        )
        obj.pk = saved.pk


class CredentialForm(forms.ModelForm):  # type: ignore[type-arg]
    """The secret goes in and never comes out."""

    new_secret = forms.CharField(
        label=_("新的 AppSecret"),
        required=False,
        strip=True,
        help_text=_("留空则保留现在的；保存后无法再查看。"),
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    class Meta:
        model = Credential
        fields = ()


@admin.register(Credential)
class CredentialAdmin(OwnStores, admin.ModelAdmin):  # type: ignore[type-arg]
    form = CredentialForm
    list_display = ("merchant", "ends_with", "secret_set_at", "secret_set_by", "token_fetched_at")
    fields = (
        "merchant", "ends_with", "secret_set_at", "secret_set_by", "new_secret",
        "token_fetched_at", "token_expires_at", "failed_at", "failed_errcode", "failed_reason",
    )  # fmt: skip
    readonly_fields = tuple(name for name in fields if name != "new_secret")
    list_select_related = ("merchant", "secret_set_by")

    @admin.display(description=_("现在的 AppSecret"))
    def ends_with(self, row: Credential) -> str:
        return f"…{row.secret_last4}" if row.secret_last4 else say("还没有填")

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Credential, form: Any, change: bool) -> None:
        if secret := form.cleaned_data["new_secret"]:
            services.set_secret(merchant=obj.merchant, secret=secret, by=me(request))


@admin.register(Pause)
class PauseAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("merchant", "call", "errcode", "slug", "started_at", "until", "ended_at", "ended_by")
    list_select_related = ("merchant", "ended_by")


@admin.register(Audit)
class AuditAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("at", "by", "kind", "action", "row", "changed", "merchant", "person")
    list_filter = ("kind", "action")
    list_select_related = ("by", "merchant", "person")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Audit]:
        return audit_for(me(request))

    @admin.display(description=_("改了哪些"))
    def changed(self, row: Audit) -> str:
        return row.said


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
        return request.user.is_authenticated and has_role(me(request), Role.ADMIN)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return has_role(me(request), Role.ADMIN)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return me(request).is_superuser

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Who also works elsewhere keeps the own password: changing it would open the other store."""
        if me(request).is_superuser or obj is None:
            return has_role(me(request), Role.ADMIN)
        elsewhere = obj.memberships.exclude(merchant__in=merchants_for(me(request), Role.ADMIN))
        return has_role(me(request), Role.ADMIN) and not obj.is_superuser and not elsewhere.exists()

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
