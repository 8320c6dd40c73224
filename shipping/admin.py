"""Django admin of shipments: to read only; a status moves by the desk's own doors."""

from django.contrib import admin
from django.utils.translation import gettext_lazy as _

from merchants.admin import ReadOnly

from .alerts import words
from .models import Alert, Attempt, Package, Shipment, StatusChange


@admin.register(Shipment)
class ShipmentAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "merchant", "order", "door", "created_by", "created_at", "due_at", "tries")
    list_select_related = ("merchant", "order", "created_by")
    search_fields = ("order__order_id",)


@admin.register(Package)
class PackageAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("id", "merchant", "order", "status", "delivery_id", "waybill_id", "errcode", "status_at")
    list_filter = ("status",)
    list_select_related = ("merchant", "order")
    search_fields = ("order__order_id", "waybill_id")


@admin.register(Attempt)
class AttemptAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = (
        "id",
        "merchant",
        "order",
        "started_at",
        "ended_at",
        "errcode",
        "then",
        "rid",
        "elapsed_ms",
    )
    list_select_related = ("merchant", "order")
    search_fields = ("order__order_id", "rid")


@admin.register(StatusChange)
class StatusChangeAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    merchant_path = "package__merchant"
    list_display = ("id", "package", "source", "target", "at", "who", "by", "reason")
    list_select_related = ("package", "by")


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
