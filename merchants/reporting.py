"""Django's debug page and its 500 mail, without anything that must not leave: both are read by strangers.

Measured: with Django's own classes the token shows in both, as a local variable and in the exception's text.
"""

from collections.abc import ItemsView
from typing import Any

from django.http import HttpRequest
from django.utils.safestring import SafeString, mark_safe
from django.views.debug import ExceptionReporter, SafeExceptionReporterFilter

from wechat.secrets import redact

HIDDEN = "***"


class Filter(SafeExceptionReporterFilter):
    """Also with DEBUG on: no local variables, nothing that was typed into a form."""

    def is_active(self, request: HttpRequest | None) -> bool:
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, HIDDEN) if request is not None else {}

    def get_traceback_frame_variables(self, request: Any, tb_frame: Any) -> ItemsView[str, Any]:
        return {}.items()


class Reporter(ExceptionReporter):
    """The report with every known secret and the whole query replaced."""

    def get_traceback_data(self) -> dict[str, Any]:
        data: dict[str, Any] = super().get_traceback_data()
        data["request_GET_items"] = [(name, HIDDEN) for name, _ in data.get("request_GET_items") or ()]
        return data

    # Django has escaped both; taking words out leaves them safe.
    def get_traceback_html(self) -> SafeString:
        return mark_safe(redact(super().get_traceback_html()))  # noqa: S308  # nosec B308 B703

    def get_traceback_text(self) -> SafeString:
        return mark_safe(redact(super().get_traceback_text()))  # noqa: S308  # nosec B308 B703
