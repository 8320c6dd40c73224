"""Django admin of shipments: to read only; a status moves by the desk's own doors."""

from collections.abc import Iterable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from merchants.admin import ReadOnly
from shipping import states
from shipping.alerts import words
from shipping.models import Alert, Attempt, Package, Shipment, StatusChange
from shipping.templatetags.desk import LOOKS

# Of these there are few at any time; shipped ones are looked for by number, or in the desk's own history.
UNDER_WAY = (states.QUEUED, states.SENDING, states.UNKNOWN, states.CONFLICT, states.REJECTED)


class StatusFilter(admin.SimpleListFilter):
    """Django would ask the whole table for what it holds."""

    title, parameter_name = _("状态"), "status"

    def lookups(self, request: HttpRequest, model_admin: Any) -> Iterable[tuple[str, str]]:
        return [(status, str(LOOKS[status].word)) for status in UNDER_WAY]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(status=self.value()) if self.value() else queryset


def word_of(field: str, title: Any) -> Any:
    """A column that says a status in the word of the desk's own pages."""

    @admin.display(description=title, ordering=field)
    def column(row: Any) -> str:
        status = str(getattr(row, field))
        return str(LOOKS[status].word) if status in LOOKS else status

    return column


STATUS, SOURCE, TARGET = (
    word_of("status", _("状态")),
    word_of("source", _("原状态")),
    word_of("target", _("新状态")),
)


class History(ReadOnly):
    """The newest first; older ones are found by number."""

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        return ("-pk",)


@admin.register(Shipment)
class ShipmentAdmin(History, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "merchant", "order", "kind", "door", "created_by", "created_at", "due_at", "tries")
    list_select_related = ("merchant", "order", "created_by")
    search_fields = ("order__order_id__exact",)
    search_help_text = _("完整的订单号")


@admin.register(Package)
class PackageAdmin(History, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "merchant", "order", STATUS, "delivery_id", "waybill_id", "errcode", "status_at")
    list_filter = (StatusFilter,)
    list_select_related = ("merchant", "order")
    search_fields = ("order__order_id__exact", "waybill_id__exact")
    search_help_text = _("完整的订单号或快递单号")


@admin.register(Attempt)
class AttemptAdmin(History, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "merchant", "order", "started_at", "elapsed_ms", "errcode", "then", "rid")
    list_select_related = ("merchant", "order")
    search_fields = ("order__order_id__exact", "rid__exact")
    search_help_text = _("完整的订单号或 rid")


@admin.register(StatusChange)
class StatusChangeAdmin(History, admin.ModelAdmin):  # type: ignore[type-arg]
    merchant_path = "package__merchant"
    list_display = ("id", "package", SOURCE, TARGET, "at", "who", "by", "reason")
    list_select_related = ("package", "by")
    search_fields = ("package__order__order_id__exact",)
    search_help_text = _("完整的订单号")


@admin.register(Alert)
class AlertAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """What needs or needed a person; those of the whole desk are a superuser's to see."""

    list_display = ("what", "merchant", "began_at", "seen_at", "told_at", "ended_at")
    fields = ("what", "said", "merchant", "began_at", "seen_at", "told_at", "ended_at")
    list_filter = ("name",)
    list_select_related = ("merchant",)

    @admin.display(description=_("告警"))
    def what(self, row: Alert) -> str:
        return words.what(row)

    @admin.display(description=_("内容"))
    def said(self, row: Alert) -> str:
        return words.compose(row, words.BEGAN).text
