"""After shipping: a number put right, a parcel sent again; small forms with the rules of their kind."""

import uuid
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shipping import services, states
from shipping.asked import whole
from shipping.drafts import (
    COMPENSATION,
    COMPENSATIONS,
    CORRECTION,
    DAMAGED,
    GIFT,
    MISSED,
    SPLIT,
    VIRTUAL,
    Draft,
    Item,
    OrderFacts,
    PackageDraft,
    Problem,
    Shown,
)
from shipping.forms import Card, ShipForm, in_words, number, read_form
from shipping.models import Order, Package
from shipping.parcels import corrections_left
from shipping.queries import (
    couriers_for,
    draft_of_package,
    last_courier,
    order_facts,
    order_for,
    own_parcels,
    packages_for,
)
from shipping.rules import stops
from shipping.views import MemberRequest
from wechat.waybills import normalise

REASONS = (
    (MISSED, lazy("漏发")),
    (SPLIT, lazy("一件分几箱")),
    (DAMAGED, lazy("破损重发")),
    (GIFT, lazy("赠品")),
)


@dataclass
class Desk:
    """One person at one of the two forms; `parcels` are those that may be corrected."""

    request: MemberRequest
    order: Order
    facts: OrderFacts
    parcels: list[Shown]
    form: ShipForm
    fix: Package | None

    @property
    def card(self) -> Card:
        return self.form.cards[0]

    def asked(self, name: str) -> str:
        return str(self.request.POST.get(name) or self.request.GET.get(name) or "")

    @property
    def old(self) -> Shown | None:
        """The parcel that was chosen, the only one if there is no choice."""
        wanted = normalise(self.asked("number") or (self.fix.old_waybill_id if self.fix else ""))
        if not wanted and len(self.parcels) == 1:
            return self.parcels[0]
        return next((shown for shown in self.parcels if normalise(shown.waybill_id) == wanted), None)

    @property
    def reason(self) -> int | str | None:
        return number(self.asked("reason")) or (self.fix.shipment.reason if self.fix else None)


@never_cache
@require_http_methods(["GET", "POST"])
def parcel_correct(request: MemberRequest, order_id: str) -> HttpResponse:
    """Another number or courier for a parcel that has left."""
    desk = _open(request, order_for(request.user, order_id), CORRECTION)
    if request.method == "GET":
        _open_correction(desk)
        return _correct_page(desk)
    return _submit(desk, _correction(desk), _correct_page, _("已保存，系统正在向微信更正；结果显示在下面。"))


@never_cache
@require_http_methods(["GET", "POST"])
def order_resend(request: MemberRequest, order_id: str) -> HttpResponse:
    """One more parcel for goods that have left."""
    desk = _open(request, order_for(request.user, order_id), COMPENSATION)
    if request.method == "GET":
        _open_resend(desk)
        return _resend_page(desk)
    return _submit(desk, _resend(desk), _resend_page, _("已保存，系统正在向微信登记补发；结果显示在下面。"))


def _open(request: MemberRequest, order: Order, kind: str) -> Desk:
    facts = order_facts(order)
    parcels = [p for p in facts.after.parcels if p.waybill_id and p.deliver_type != VIRTUAL]
    # Where nobody may read the order, what we sent ourselves is all there is to go by.
    parcels = parcels if facts.is_read else own_parcels(order)
    form = read_form(request.POST, facts).know(last_courier(order, request.user))
    del form.cards[1:]
    form.form_key = form.form_key or uuid.uuid4().hex
    pk = whole(str(request.POST.get("fix") or request.GET.get("fix") or ""))
    rejected = packages_for(request.user).filter(order=order, status=states.REJECTED, kind=kind)
    fix = rejected.filter(pk=pk, corrected_at=None).first() if pk is not None else None
    return Desk(request, order, facts, parcels, form, fix)


def _open_correction(desk: Desk) -> None:
    """The fields begin as they are at WeChat, or as they were refused."""
    known = desk.fix or desk.old
    if known is not None:
        names = desk.facts.couriers or {}
        desk.card.values["waybill_id"] = known.waybill_id
        desk.card.values["delivery_id"] = names.get(known.delivery_id, known.delivery_id)
    # As a file of tracking numbers had it.
    if wanted := desk.request.GET.get("waybill_id", ""):
        courier = desk.request.GET.get("delivery_id", "")
        desk.card.values |= {
            "waybill_id": wanted,
            "delivery_id": (desk.facts.couriers or {}).get(courier, courier),
        }


def _open_resend(desk: Desk) -> None:
    """As it was refused, or as the ship form had it for a second box; the only goods are meant."""
    card = desk.card
    card.values |= {name: desk.request.GET.get(name, "") for name in ("waybill_id", "delivery_id")}
    if len(desk.facts.goods) == 1:
        card.counts[desk.facts.goods[0].pair] = "1"
    if desk.fix is not None:
        draft = draft_of_package(desk.fix)
        card.values |= {"waybill_id": draft.waybill_id, "delivery_id": draft.delivery_id}
        card.counts |= {item.pair: str(item.product_cnt) for item in draft.items or ()}


def _correction(desk: Desk) -> Draft:
    typed, old = desk.card.to_draft(desk.facts), desk.old or Shown("", desk.asked("number"))
    items = tuple(Item(*item) for item in old.items)
    package = PackageDraft(
        1, typed.delivery_id, typed.waybill_id, items, old=(old.delivery_id, old.waybill_id)
    )
    return Draft(desk.order.order_id, (package,), kind=CORRECTION)


def _resend(desk: Desk) -> Draft:
    typed = replace(desk.card.to_draft(desk.facts), deliver_type=1)
    return Draft(desk.order.order_id, (typed,), kind=COMPENSATION, reason=desk.reason)


def _submit(desk: Desk, draft: Draft, page: Callable[..., HttpResponse], saved: str) -> HttpResponse:
    """A repeated form is answered with what its first click saved."""
    problems: list[Problem] = []
    is_first = not services.shipment_with_key(order=desk.order, form_key=desk.form.form_key)
    if is_first:
        problems = services.rehearse(order=desk.order, draft=draft)[1]
        if stops(problems) or (problems and "confirm" not in desk.request.POST):
            return page(desk, problems)
    try:
        services.queue_shipment(
            order=desk.order, draft=draft, user=desk.request.user, form_key=desk.form.form_key,
            corrects=desk.fix.shipment if desk.fix else None,
        )  # fmt: skip
    except services.Refused as refused:
        return page(desk, refused.problems)
    messages.info(desk.request, saved if is_first else _("这张表单已经提交过，没有再次提交。"))
    return redirect("order_detail", order_id=desk.order.order_id)


def _correct_page(desk: Desk, problems: list[Problem] | None = None) -> HttpResponse:
    more = {"old": desk.old, "parcels": desk.parcels, "left": corrections_left(desk.facts.after)}
    return _page(desk, "shipping/correct.html", problems, more)


def _resend_page(desk: Desk, problems: list[Problem] | None = None) -> HttpResponse:
    lines = {(line.product_id, line.sku_id): line for line in desk.order.lines.all()}
    counts, goods = desk.card.counts, enumerate(desk.facts.goods)
    more = {
        "reasons": REASONS,
        "reason": desk.reason,
        "rows": [(n, g, counts.get(g.pair, ""), lines.get(g.pair)) for n, g in goods],
        "left": COMPENSATIONS - desk.facts.after.resends,
    }
    return _page(desk, "shipping/resend.html", problems, more)


def _page(desk: Desk, template: str, problems: list[Problem] | None, more: dict[str, Any]) -> HttpResponse:
    if problems is None and not more["left"]:
        code = {"shipping/correct.html": Problem("order", 606041)}
        problems = [code.get(template, Problem("order", slug="resends_used_up"))]
    desk.form.show(problems or [])
    wrong = desk.card.wrong_fields
    context = {
        "order": desk.order,
        "form": desk.form,
        "card": desk.card,
        "fix": desk.fix,
        "couriers": couriers_for(desk.order),
        "warnings": [in_words(p) for p in problems or [] if not p.stops],
        "needs_yes": bool(problems) and not stops(problems or []),
        "focus": f"p0-{wrong[0] if wrong else 'waybill_id'}",
        "is_virtual": desk.facts.suggested_type == VIRTUAL,
        **more,
    }
    return render(desk.request, template, context)
