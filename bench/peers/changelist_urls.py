"""A stock admin of packages: fifty a page, as our list has, and found by tracking number."""

from django.contrib import admin
from django.urls import include, path

from shipping.models import Package

site = admin.AdminSite(name="stock")


@admin.register(Package, site=site)
class PackageAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("order", "merchant", "waybill_id", "delivery_id", "status", "status_at")
    list_select_related = ("order", "merchant")
    list_filter = ("status",)
    list_per_page = 50
    search_fields = ("waybill_id",)
    ordering = ("-pk",)


urlpatterns = [path("admin/", site.urls), path("", include("config.urls"))]
