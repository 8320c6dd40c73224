"""What codes say: the operator's own words over the shipped table, and the codes it does not know."""

import re
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as say
from django.utils.translation import gettext_lazy as _

from merchants.admin import ReadOnly
from merchants.admin.base import me
from merchants.admin.platform import Superusers
from shipping.models import CodeText, UnknownCode
from shipping.strange import unknown_codes_for
from shipping.wording import in_force, take_back, write_words
from wechat.errcodes import LOCAL, LONGEST_TITLE
from wechat.wording import PARTS


class CodeTextForm(forms.ModelForm):  # type: ignore[type-arg]
    """Words for people; nothing that a worker reads stands here."""

    class Meta:
        model = CodeText
        fields = ("code", "language", *PARTS)
        widgets = {"means": forms.Textarea(attrs={"rows": 3}), "do": forms.Textarea(attrs={"rows": 3})}
        help_texts = {
            "code": _("错误码，或本系统自己的代号，例如 606005、no_token。"),
            "title": _("留空就用随系统来的说明。最多 12 个汉字。"),
            "means": _("留空就用随系统来的说明。一句话：发生了什么。"),
            "do": _("留空就用随系统来的说明。一句话：由谁做什么。"),
        }

    def clean_code(self) -> str:
        code = str(self.cleaned_data["code"]).strip()
        number = code.removeprefix("-")
        if not (number.isascii() and number.isdigit()) and code not in LOCAL:
            raise forms.ValidationError(say("没有这样的错误码：请填微信的数字，或本系统的代号。"))
        return code

    def clean_title(self) -> str:
        title = str(self.cleaned_data["title"]).strip()
        if len(re.findall(r"[\u4e00-\u9fff]", title)) > LONGEST_TITLE:
            raise forms.ValidationError(say("标题最多 12 个汉字。"))
        return title

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        if not any(str(data.get(part) or "").strip() for part in PARTS):
            raise forms.ValidationError(say("至少写一句；要用回随系统来的说明，请点「恢复原来的说明」。"))
        return data


@admin.register(CodeText)
class CodeTextAdmin(Superusers, admin.ModelAdmin):  # type: ignore[type-arg]
    """Saving ends the words before and puts new ones in force, so that every version stays."""

    form = CodeTextForm
    change_form_template = "admin/shipping/codetext/change_form.html"
    list_display = ("code", "language", "shown_title", "do", "written_by", "written_at", "ended_at")
    list_filter = ("language", ("ended_at", admin.EmptyFieldListFilter))
    list_select_related = ("written_by",)
    search_fields = ("code", "title", "means", "do")
    actions = ("reset",)
    fields = ("code", "language", "shipped", *PARTS)
    readonly_fields = ("shipped",)

    def get_readonly_fields(self, request: HttpRequest, obj: CodeText | None = None) -> tuple[str, ...]:
        return ("code", "language", "shipped") if obj else ("shipped",)

    def has_change_permission(self, request: HttpRequest, obj: CodeText | None = None) -> bool:
        """What was taken back stays as it was."""
        return super().has_change_permission(request, obj) and (obj is None or obj.ended_at is None)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.has_module_permission(request)

    @admin.display(description=_("标题"))
    def shown_title(self, row: CodeText) -> str:
        return row.title or row.row.shipped_text("title", row.language)

    @admin.display(description=_("随系统来的说明"))
    def shipped(self, row: CodeText) -> SafeString:
        if not row.code:
            return format_html("{}", say("保存以后会显示在这里。"))
        said = [(row.row.shipped_text(part, row.language or "zh-hans"),) for part in PARTS]
        return format_html_join("", "<div>{}</div>", said)

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """In the operator's own language, with the words in force to go on from."""
        asked = {**super().get_changeform_initial_data(request)}
        asked.setdefault("language", request.LANGUAGE_CODE)
        return asked

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        """A code that has words already is changed, not added again."""
        code = request.GET.get("code", "")
        language = request.GET.get("language") or request.LANGUAGE_CODE
        known = in_force().filter(code=code, language=language).first()
        if known is not None and request.method == "GET" and self.has_add_permission(request):
            return redirect("admin:shipping_codetext_change", known.pk)
        return super().add_view(request, form_url, extra_context)

    def save_model(self, request: HttpRequest, obj: CodeText, form: Any, change: bool) -> None:
        if "_reset" in request.POST or not form.changed_data:
            return
        words = {part: str(form.cleaned_data[part]).strip() for part in PARTS}
        saved = write_words(code=obj.code, language=obj.language, words=words, by=me(request))
        obj.pk = saved.pk

    def response_change(self, request: HttpRequest, obj: CodeText) -> HttpResponse:
        if "_reset" not in request.POST:
            return super().response_change(request, obj)
        take_back(row=obj, by=me(request))
        messages.success(request, say("已恢复随系统来的说明。"))
        return redirect("admin:shipping_codetext_changelist")

    @admin.action(description=_("恢复原来的说明"), permissions=["change"])
    def reset(self, request: HttpRequest, queryset: QuerySet[CodeText]) -> None:
        count = sum(take_back(row=row, by=me(request)) for row in queryset.filter(ended_at=None))
        messages.success(request, say("已恢复 %d 份随系统来的说明。") % count)


@admin.register(UnknownCode)
class UnknownCodeAdmin(ReadOnly, admin.ModelAdmin):  # type: ignore[type-arg]
    """Collected as WeChat answered; the operator writes words for them, a store's admin reads them."""

    list_display = ("errcode", "merchant", "count", "first_seen_at", "last_seen_at", "errmsg", "rid", "words")
    list_filter = (("last_seen_at", admin.DateFieldListFilter),)
    search_fields = ("errcode__exact", "rid__exact")

    def get_queryset(self, request: HttpRequest) -> QuerySet[UnknownCode]:
        return unknown_codes_for(me(request))

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return self.list_display if me(request).is_superuser else self.list_display[:-1]

    @admin.display(description=_("说明"))
    def words(self, row: UnknownCode) -> SafeString:
        url = f"{reverse('admin:shipping_codetext_add')}?{urlencode({'code': row.errcode})}"
        return format_html('<a href="{}">{}</a>', url, say("写说明"))
