"""What was changed and by whom; nobody changes that."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from merchants.models import Audit
from merchants.queries import audit_for

from .base import ReadOnly, me


@admin.register(Audit)
class AuditAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    list_display = ("at", "by", "kind", "action", "row", "changed", "merchant", "person")
    list_filter = ("kind", "action", ("at", admin.DateFieldListFilter))
    search_fields = ("by__username__exact", "person__username__exact", "merchant__name")
    list_select_related = ("by", "merchant", "person")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Audit]:
        return audit_for(me(request))

    @admin.display(description=_("改了哪些"))
    def changed(self, row: Audit) -> str:
        return row.said
