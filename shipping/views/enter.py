"""Orders of a store that nobody may read: entered one by one, or many from a CSV."""

from typing import Any, NamedTuple

from django.contrib import messages
from django.http import Http404, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_http_methods

from merchants.models import Merchant
from merchants.queries import merchants_for
from shipping.entered import Entered, enter_order
from shipping.entries import COLUMNS, EntryForm, EntryRows, Wrong, read_entries, wrong_in
from shipping.models import Order
from shipping.pauses import may_not_read
from shipping.sheets import UnusableSheet
from shipping.views import MemberRequest

LARGEST, MOST_ORDERS = 1024 * 1024, 2000
SAID = {
    Entered.ADDED: gettext_lazy("已录入"),
    Entered.CHANGED: gettext_lazy("已按现在填的改好"),
    Entered.SAME: gettext_lazy("和以前录入的一样，没有变化"),
    Entered.READ: gettext_lazy("已从微信读到，以微信为准，没有改动"),
}


class Outcome(NamedTuple):
    """What became of one order of a file."""

    order_id: str
    said: object
    wrong: list[Wrong]


@require_http_methods(["GET", "POST"])
def order_enter(request: MemberRequest) -> HttpResponse:
    """GET opens an empty form, or an order entered before; POST enters one order, or a file of them."""
    stores = list(merchants_for(request.user))
    if not stores:
        raise Http404
    merchant = _store(request, stores)
    if request.method == "GET":
        return _page(request, stores, merchant, _opened(request, merchant))
    form = EntryForm(request.POST)
    if "file" in request.FILES or "import" in request.POST:
        return _import(request, stores, merchant, form)
    if "add" in request.POST:
        return _page(request, stores, merchant, form)
    return _enter(request, stores, merchant, form)


def _store(request: MemberRequest, stores: list[Merchant]) -> Merchant:
    """The store asked for, which must be one's own; else the one picked last, or one that cannot be read."""
    asked = request.POST.get("merchant") or request.GET.get("merchant")
    if asked:
        own = next((store for store in stores if store.appid == asked), None)
        if own is None:
            raise Http404
        return own
    picked = request.session.get("merchant", "")
    unread = (store for store in stores if may_not_read(store.pk))
    last = next((store for store in stores if store.appid == picked), None)
    return last or next(unread, stores[0])


def _opened(request: MemberRequest, merchant: Merchant) -> EntryForm:
    """The order named in the address with what was entered of it."""
    typed = QueryDict(mutable=True)
    typed["order_id"] = request.GET.get("order_id", "")
    known = Order.objects.filter(merchant=merchant, order_id=typed["order_id"], read_at=None).first()
    lines = list(known.lines.all()) if known else []
    typed["lines"] = str(len(lines))
    for number, line in enumerate(lines):
        kept = {"product_id": line.product_id, "sku_id": line.sku_id, "product_cnt": str(line.sku_cnt)}
        typed.update({f"l{number}-{name}": text for name, text in (kept | {"title": line.title}).items()})
    return EntryForm(typed)


def _enter(
    request: MemberRequest, stores: list[Merchant], merchant: Merchant, form: EntryForm
) -> HttpResponse:
    rows = form.to_rows()
    if wrong := wrong_in(rows):
        return _page(request, stores, merchant, form, wrong=wrong)
    outcome = enter_order(merchant=merchant, entered=rows.to_order(), user=request.user)
    said = _("%(order_id)s：%(said)s。") % {"order_id": form.order_id, "said": SAID[outcome]}
    messages.info(request, said)
    if "next" in request.POST:
        return redirect(f"{request.path}?merchant={merchant.appid}")
    return redirect("order_ship", order_id=form.order_id)


def _import(
    request: MemberRequest, stores: list[Merchant], merchant: Merchant, form: EntryForm
) -> HttpResponse:
    """Each order of the file by itself: a wrong one does not hold up the others, and may come again."""
    try:
        orders = _read(request)
    except UnusableSheet as unusable:
        return _page(request, stores, merchant, form, told=str(unusable))
    outcomes = [_import_one(merchant, order, request) for order in orders]
    return _page(request, stores, merchant, form, outcomes=outcomes)


def _read(request: MemberRequest) -> list[EntryRows]:
    sent = request.FILES.get("file")
    if sent is None or not hasattr(sent, "read"):
        raise UnusableSheet(_("还没有选文件。"))
    if (sent.size or 0) > LARGEST:
        raise UnusableSheet(_("文件太大：一次最多 1 MB，请分成几个文件。"))
    orders = read_entries(sent.read())
    if len(orders) > MOST_ORDERS:
        raise UnusableSheet(_("文件里的订单太多：一次最多 %d 个，请分成几个文件。") % MOST_ORDERS)
    return orders


def _import_one(merchant: Merchant, order: EntryRows, request: MemberRequest) -> Outcome:
    if wrong := wrong_in(order):
        return Outcome(order.order_id, _("没有录入"), wrong)
    outcome = enter_order(merchant=merchant, entered=order.to_order(), user=request.user)
    return Outcome(order.order_id, SAID[outcome], [])


def _page(
    request: MemberRequest, stores: list[Merchant], merchant: Merchant, form: EntryForm, **more: Any
) -> HttpResponse:
    wrong: list[Wrong] = more.pop("wrong", [])
    context = {
        "stores": stores,
        "merchant": merchant,
        "may_not_read": may_not_read(merchant.pk),
        "form": form,
        "lines": [
            (row.number, row.cells, {w.column: w.text for w in wrong if w.row == row.number})
            for row in form.lines
        ],
        "order_id_wrong": next((w.text for w in wrong if w.column == "order_id"), ""),
        "goods_wrong": next(
            (w.text for w in wrong if not form.to_rows().rows and w.column == "product_id"), ""
        ),
        "columns": COLUMNS,
        **more,
    }
    return render(request, "shipping/enter.html", context)
