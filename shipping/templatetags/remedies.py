"""Who must act on a code, told to the person who reads it, and the button that does the next step."""

from collections.abc import Callable
from typing import Any, NamedTuple

from django import template
from django.urls import reverse
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from merchants.models import Role, User
from merchants.queries import RANK, roles_by_store
from shipping import states
from shipping.cases import Cases, cases_before
from shipping.drafts import COMPENSATION, CORRECTION, SEND
from shipping.labels import looked_at, noted_of
from shipping.models import Order, Package
from wechat.errcodes import Code, meaning
from wechat.wording import OwnWords

register = template.Library()
BACK_OFFICE = "https://store.weixin.qq.com/"
YOURS = lazy("您自己")
ACTORS = {
    "staff": YOURS,
    "manager": lazy("您的主管"),
    "admin": lazy("您的管理员"),
    "buyer": lazy("买家"),
    "platform": lazy("微信"),
    "developer": lazy("本系统的开发者"),
}
# Where a rejected package of a kind is put right.
FORMS = {SEND: "order_ship", CORRECTION: "parcel_correct", COMPENSATION: "order_resend"}
# A number put right and a parcel sent again are mended by looking at the order first.
AFTER = ("reread", "wechat", "fix")


class Button(NamedTuple):
    """What a person can do about a package, done by one click."""

    word: object
    url: str
    style: str = ""
    is_post: bool = False


@register.simple_tag(takes_context=True)
def acts(context: dict[str, Any], code: Code, merchant: int | None = None) -> object:
    """Who must act: the reader too, where the own role at the store (anywhere, without one) reaches."""
    return YOURS if _reaches(_role(context, merchant), code.fixed_by) else ACTORS[code.fixed_by]


def _reaches(role: str, owner: str) -> bool:
    return owner in Role.values and role in Role.values and RANK[Role(role)] >= RANK[Role(owner)]


def _role(context: dict[str, Any], merchant: int | None) -> str:
    """The reader's role at a store, read once for a page; "" for nobody in particular."""
    user = getattr(context.get("request"), "user", None)
    if not isinstance(user, User):
        return ""
    # The person is loaded anew for each request, so what is noted there lives as long.
    known: dict[int, str] = vars(user).setdefault("known_roles", None) or roles_by_store(user)
    vars(user)["known_roles"] = known
    if user.is_superuser:
        return Role.ADMIN
    return known.get(merchant, "") if merchant else max(known.values(), key=_rank, default="")


def _rank(role: str) -> int:
    return RANK[Role(role)]


@register.simple_tag(takes_context=True)
def remedies(context: dict[str, Any], package: Package) -> list[Button]:
    """The buttons that fit the package, what went wrong, and who reads it; the first does the next step."""
    names = _wanted(package, _role(context, package.merchant_id))
    buttons = [BUTTONS[name](package) for name in names]
    return [
        button._replace(style="btn-primary" if not n and names[n] != "withdraw" else "")
        for n, button in enumerate(buttons)
    ]


def _wanted(package: Package, role: str) -> list[str]:
    code = meaning(package.errcode, package.slug)
    may = _reaches(role, code.fixed_by)
    if package.status == states.CONFLICT:
        return [] if _reaches(role, Role.MANAGER) else ["call"]
    if package.status == states.QUEUED:
        return [*(["resume" if may else "call"] * _is_stopped(package, code)), "withdraw"]
    if package.status != states.REJECTED or package.is_corrected:
        return []
    names = AFTER if package.kind != SEND else code.remedies
    found = [_now(name, package) for name in names if may or name != "resume"]
    if code.fixed_by == "developer":
        # Whoever typed looks first; a developer is an admin's to call.
        return list(dict.fromkeys([*found, "call"]))
    call = ["call"] if not may and code.fixed_by in (Role.MANAGER, Role.ADMIN) else []
    return list(dict.fromkeys([*call, *found]))


def _is_stopped(package: Package, code: Code) -> bool:
    is_told = package.errcode is not None or bool(package.slug)
    return is_told and code.scope == "merchant" and code.then == "pause_merchant"


def _now(name: str, package: Package) -> str:
    """A buyer is answered where the request was read; once it is gone the parcel is sent."""
    order = package.order
    if name != "answer" or order.address_under_review or order.sku_change_waiting:
        return name
    return "fix" if order.read_at and order.read_at > package.status_at else "reread"


def _form(package: Package) -> str:
    return f"{reverse(FORMS[package.kind], args=[package.order.order_id])}?fix={package.pk}"


def _order(package: Package) -> str:
    return reverse("order_detail", args=[package.order.order_id])


def _checked(package: Package) -> Button:
    url = reverse("package_confirm", args=[package.pk])
    return Button(_("核对过了，照发"), f"{url}?seen={looked_at(noted_of(package.order))}", is_post=True)


def _report(package: Package) -> Button:
    """Of the call that was answered so; of none, the order itself."""
    last = next((a for a in reversed(package.shipment.attempts.all()) if a.sent_at), None)
    return Button(_("求助单"), reverse("attempt_report", args=[last.pk]) if last else _order(package))


BUTTONS: dict[str, Callable[[Package], Button]] = {
    "fix": lambda package: Button(_("改正后重发"), _form(package)),
    "again": lambda package: Button(_("再发一次"), _form(package)),
    "checked": _checked,
    "reread": lambda p: Button(
        _("重新读取订单"), reverse("order_read", args=[p.order.order_id]), is_post=True
    ),
    "answer": lambda package: Button(_("去答复买家"), f"{_order(package)}#order-asks"),
    "wechat": lambda package: Button(_("打开微信小店后台"), BACK_OFFICE),
    "resume": lambda package: Button(_("去恢复发货"), reverse("todo_list")),
    "call": lambda package: Button(call_word(package), reverse("package_call", args=[package.pk])),
    "report": _report,
    "withdraw": lambda p: Button(_("撤回"), reverse("shipment_cancel", args=[p.shipment_id]), is_post=True),
}


def helper_role(package: Package) -> str:
    """The least role that can do what the package waits for."""
    if package.status == states.CONFLICT:
        return Role.MANAGER
    owner = meaning(package.errcode, package.slug).fixed_by
    return {"manager": Role.MANAGER, "staff": Role.MANAGER}.get(owner, Role.ADMIN)


def call_word(package: Package) -> str:
    return _("请主管处理") if helper_role(package) == Role.MANAGER else _("请管理员处理")


# --- about a code ---------------------------------------------------------------------------------------

FIELDS = {
    "order": lazy("订单"),
    "packages[].delivery_id": lazy("快递公司"),
    "packages[].waybill_id": lazy("快递单号"),
    "packages[].deliver_type": lazy("发货方式"),
    "packages[].items": lazy("商品和件数"),
    "packages[].serial.sn_code": lazy("SN 码"),
    "packages[].serial.imei1": lazy("IMEI 码"),
    "packages[].course": lazy("课程"),
    "packages[].course.wxa_appid": lazy("课程小程序的 AppID"),
    "packages[].course.wxa_path": lazy("课程小程序的路径"),
}


@register.filter
def field_word(code: Code) -> object:
    """What the code is about, as the form calls it; "" where WeChat's own words point to the place."""
    return FIELDS.get(code.field, "")


RETRIES = {
    "later": lazy("会，系统隔一会儿自动再试；试完还不成才要人来。"),
    "ask": lazy("先核对订单，不会自动再发。"),
    "rejected": lazy("不会自动再试。"),
    "pause_merchant": lazy("店铺停下来，恢复后自动提交。"),
    "renew_token": lazy("会，换好凭证马上再试。"),
    "unclear": lazy("先核对，确认微信没有登记才会重发，不会重复发货。"),
}


@register.filter
def code_retries(code: Code) -> object:
    """Whether the desk tries again by itself after such an answer."""
    return RETRIES[code.then]


@register.filter
def own_words(code: Code) -> OwnWords | None:
    """Who wrote the words that are shown, where they are the installation's own."""
    return code.own(get_language() or "zh-hans")


@register.simple_tag
def cases_of(package: Package) -> Cases | None:
    """How the same answer ended for other orders of this store; None while it may yet turn."""
    if package.errcode is None or package.status not in (states.REJECTED, states.CONFLICT):
        return None
    return cases_before(package.order, package.errcode)


@register.filter
def is_waiting(order: Order) -> bool:
    """Whether the buyer waits for an answer, so that the order's page has its own bar for it."""
    return order.address_under_review or order.sku_change_waiting
