"""Django admin: stores, people, secrets. An admin sees the own stores only; nothing is ever deleted."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.models import Group
from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from . import services
from .models import Credential, Membership, Merchant, Pause, Role, User
from .queries import has_role, merchants_for

admin.site.site_header = admin.site.site_title = _("发货台 · 店铺管理")
admin.site.index_title = _("店铺、员工和密钥")
admin.site.unregister(Group)


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
        if not change:
            Credential.objects.get_or_create(merchant=obj)
            services.set_membership(user=me(request), merchant=obj, role=Role.ADMIN)

    @admin.action(description=_("恢复发货"), permissions=["change"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Merchant]) -> None:
        ended = sum(services.resume_merchant(merchant=store, by=me(request)) for store in queryset)
        messages.success(request, say("已恢复，结束了 %d 个暂停；等待的包裹会自动提交。") % ended)


class MembershipForm(forms.ModelForm):  # type: ignore[type-arg]
    """A person is named, not picked: the list would show everybody of every store."""

    username = forms.CharField(label=_("用户名"), help_text=_("先在“用户”里添加，再到这里给角色。"))

    class Meta:
        model = Membership
        fields = ("merchant", "role", "is_active")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["username"]

    def clean_username(self) -> User:
        user = User.objects.filter(username=self.cleaned_data["username"].strip(), is_active=True).first()
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

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        if db_field.name == "merchant":
            kwargs["queryset"] = merchants_for(me(request), Role.ADMIN)
        return super().formfield_for_foreignkey(db_field, request, **kwargs)

    def save_model(self, request: HttpRequest, obj: Membership, form: Any, change: bool) -> None:
        saved = services.set_membership(
            user=obj.user, merchant=obj.merchant, role=obj.role, is_active=obj.is_active
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
