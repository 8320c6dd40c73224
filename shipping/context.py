"""What every page of the desk needs: the demo bar, the menu of one's role, the pauses."""

from collections.abc import Callable, Container
from typing import NamedTuple

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.functional import SimpleLazyObject
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from merchants.models import Role, User
from merchants.queries import roles_of

from . import lists
from .conflicts import conflict_count
from .pauses import standstills


class Entry(NamedTuple):
    """A line of the menu: its word, where it leads, who sees it, how much waits there."""

    word: object
    url_name: str
    icon: str
    role: str
    waiting: Callable[[User], int] | None = None


MENU = (
    Entry(pgettext_lazy("plural", "订单"), "order_list", "icons/list-details.svg", Role.STAFF),
    Entry(_("批量发货"), "batch_list", "icons/upload.svg", Role.STAFF),
    Entry(_("扫描发货"), "scan", "icons/barcode.svg", Role.STAFF),
    Entry(_("看板"), "board", "icons/chart-bar.svg", Role.MANAGER),
    Entry(_("待裁定"), "conflict_list", "icons/eye.svg", Role.MANAGER, conflict_count),
    Entry(_("发货记录"), "history", "icons/history.svg", Role.MANAGER),
    Entry(_("成员"), "member_list", "icons/user.svg", Role.MANAGER),
    Entry(pgettext_lazy("plural", "错误码"), "error_list", "icons/alert-triangle.svg", ""),
    Entry(_("待办"), "todo_list", "icons/check.svg", Role.ADMIN),
    Entry(_("店铺管理"), "admin:index", "icons/building-store.svg", Role.ADMIN),
)


def desk(request: HttpRequest) -> dict[str, object]:
    """The context of a signed-in page; a visitor only learns whether this is the demo."""
    known = {"is_demo": settings.IS_DEMO, "sandbox_url": settings.WECHAT_API_URL if settings.IS_DEMO else ""}
    user = getattr(request, "user", None)
    if not isinstance(user, User):
        return known
    # A page that shows none of it, such as "not found", asks the database for none of it.
    roles = SimpleLazyObject(lambda: roles_of(user))
    return known | {
        "standstills": SimpleLazyObject(lambda: standstills(user)),
        "trouble": SimpleLazyObject(lambda: trouble_since_last_page(request, user)),
        "menu": SimpleLazyObject(lambda: menu_of(request, user, roles)),
        "is_admin": user.is_staff,
        "role_word": SimpleLazyObject(
            lambda: next((role.label for role in reversed(Role) if role in roles), "")
        ),
    }


def trouble_since_last_page(request: HttpRequest, user: User) -> lists.Trouble:
    """Who goes from page to page faster than the header's poll is told by the page."""
    trouble = lists.trouble_of(user, request.session.get("trouble_seen"))
    if request.session.get("trouble_seen") != trouble.mark:
        request.session["trouble_seen"] = trouble.mark
    return trouble


def menu_of(request: HttpRequest, user: User, roles: Container[str]) -> list[dict[str, object]]:
    """The entries this person may open."""
    here = request.resolver_match.view_name if request.resolver_match else ""
    return [
        {
            "word": e.word,
            "url": reverse(e.url_name),
            "icon": e.icon,
            "is_current": e.url_name == here,
            "count": e.waiting(user) if e.waiting else 0,
        }
        for e in MENU
        if e.role in roles or not e.role
    ]
