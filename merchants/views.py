"""The login: an expired session sends an htmx request's whole page there, not a fragment."""

from typing import Any
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.contrib.auth import views
from django.contrib.auth.decorators import login_not_required
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils.decorators import method_decorator
from django.utils.translation import gettext_lazy as _
from django_htmx.http import HttpResponseClientRedirect

DEMO_LOGINS = [
    ("staff", _("员工"), _("填包裹、发货")),
    ("manager", _("主管"), _("还能看发货记录、裁定对不上的包裹")),
    ("admin", _("管理员"), _("还能管店铺、密钥和成员")),
]


@method_decorator(login_not_required, name="dispatch")
class LoginView(views.LoginView):
    """Django's own login; the demo lists its accounts."""

    redirect_authenticated_user = True

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.headers.get("HX-Request") == "true":
            page = urlsplit(request.headers.get("HX-Current-URL", ""))
            back = f"{page.path}?{page.query}" if page.query else page.path
            return HttpResponseClientRedirect(f"{reverse('login')}?{urlencode({'next': back})}")
        return super().dispatch(request, *args, **kwargs)

    def get_context_data(self, **kwargs: Any) -> dict[str, Any]:
        return {**super().get_context_data(**kwargs), "demo_logins": DEMO_LOGINS if settings.IS_DEMO else []}
