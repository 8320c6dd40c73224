"""Stores, who works there, what paused them."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import get_language
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from merchants import services
from merchants.audit import note
from merchants.models import Audit, Credential, Membership, Merchant, Pause, Role, User
from merchants.queries import merchants_for

from .base import OwnStores, ReadOnly, me
from .people import people_of


@admin.register(Merchant)
class MerchantAdmin(OwnStores, admin.ModelAdmin):  # type: ignore[type-arg]
    merchant_path = "pk"
    list_display = ("name", "appid", "is_active", "orders_read_at", "has_return_address", "undo_seconds")
    list_filter = ("is_active", "has_return_address")
    search_fields = ("name", "appid")
    actions = ("resume",)

    def get_readonly_fields(self, request: HttpRequest, obj: Merchant | None = None) -> tuple[str, ...]:
        kept = ("api_host", "has_return_address", "couriers_read_at", "orders_read_at")
        return ("appid", *kept) if obj else kept

    def save_model(self, request: HttpRequest, obj: Merchant, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        action = Audit.Action.CHANGED if change else Audit.Action.ADDED
        note(
            obj, kind=Audit.Kind.SETTING, action=action, by=me(request), fields=form.changed_data,
            merchant=obj,
        )  # fmt: skip
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


@admin.register(Pause)
class PauseAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("merchant", "why", "errcode", "call", "started_at", "until", "ended_at", "ended_by")
    list_filter = (("ended_at", admin.EmptyFieldListFilter), ("started_at", admin.DateFieldListFilter))
    search_fields = ("merchant__name", "errcode__exact", "rid__exact")
    list_select_related = ("merchant", "ended_by")
    actions = ("resume",)

    @admin.display(description=_("原因"))
    def why(self, row: Pause) -> str:
        return row.reason.text("title", get_language() or "zh-hans")

    @admin.action(description=_("恢复"), permissions=["view"])
    def resume(self, request: HttpRequest, queryset: QuerySet[Pause]) -> None:
        """Of the stores where the person is an admin; what was closed meanwhile is not opened."""
        own = queryset.filter(merchant__in=merchants_for(me(request), Role.ADMIN))
        ended = sum(services.resume_pause(pause=pause, by=me(request)) for pause in own)
        messages.success(request, say("已恢复，结束了 %d 个暂停；等待的包裹会自动提交。") % ended)
