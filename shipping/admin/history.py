"""Django admin of shipments: to read only; a status moves by the desk's own doors."""

from django.contrib import admin

from merchants.admin import ReadOnly
from shipping.models import Attempt, Package, Shipment, StatusChange


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
