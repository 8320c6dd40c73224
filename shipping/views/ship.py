"""The ship page: what is left of an order, package cards, rules at their fields, one submission."""

import uuid
from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from shipping import services
from shipping.drafts import VIRTUAL, Draft, OrderFacts
from shipping.forms import Finding, ShipForm, blank_card, card_of, in_words, read_form
from shipping.models import Order, OrderLine, Package
from shipping.queries import (
    couriers_for,
    draft_of_package,
    kept_draft,
    order_facts,
    order_for,
    packages_for,
    recharge_of,
    rejected_with,
)
from shipping.rules import TYPE_OF_METHOD, stops
from shipping.views import MemberRequest
from wechat.errcodes import meaning
from wechat.outcomes import error_paths


@never_cache
@require_http_methods(["GET", "POST"])
def order_ship(request: MemberRequest, order_id: str) -> HttpResponse:
    """GET opens the form filled with what is left; POST checks, and queues when no rule stops it."""
    order = order_for(request.user, order_id)
    facts = order_facts(order)
    if request.method == "GET":
        return _page(request, order, facts, _opening(request, order, facts))
    form = read_form(request.POST, facts)
    if "preview" in request.POST:
        return render(request, "shipping/_summary.html", _summary(order, facts, form))
    if "add" in request.POST:
        form.cards.append(blank_card(facts, form.cards))
        return _page(request, order, facts, form, focus=len(form.cards) - 1)
    if "remove" in request.POST:
        return _page(request, order, facts, form)
    return _submit(request, order, facts, form)


def _submit(request: MemberRequest, order: Order, facts: OrderFacts, form: ShipForm) -> HttpResponse:
    """A repeated form is answered with its first shipment, before a rule counts that one as taken."""
    draft, problems = services.rehearse(order=order, draft=form.to_draft(facts))
    if services.shipment_with_key(order=order, form_key=form.form_key):
        return _done(request, order, is_first=False)
    needs_yes = bool(problems) or "review" in request.POST
    if stops(problems) or (needs_yes and "confirm" not in request.POST):
        form.show(problems)
        return _page(request, order, facts, form, needs_yes=not stops(problems))
    return _queue(request, order, facts, form, draft)


def _queue(
    request: MemberRequest, order: Order, facts: OrderFacts, form: ShipForm, draft: Draft
) -> HttpResponse:
    fix = _fixed_package(request, order)
    key, corrects = form.form_key, fix.shipment if fix else None
    try:
        services.queue_shipment(order=order, draft=draft, user=request.user, form_key=key, corrects=corrects)
    except services.Refused as refused:
        # The other click of a double click may have queued meanwhile.
        if services.shipment_with_key(order=order, form_key=key):
            return _done(request, order, is_first=False)
        form.show(refused.problems)
        return _page(request, order, facts, form)
    return _done(request, order, is_first=True)


def _done(request: MemberRequest, order: Order, *, is_first: bool) -> HttpResponse:
    saved = _("已保存，系统正在提交；结果显示在下面，不用等在这里。")
    messages.info(request, saved if is_first else _("这张表单已经提交过，没有再次提交。"))
    return redirect("order_detail", order_id=order.order_id)


def _fixed_package(request: MemberRequest, order: Order) -> Package | None:
    pk = request.GET.get("fix") or request.POST.get("fix") or ""
    return packages_for(request.user).filter(pk=pk, order=order).first() if pk.isdigit() else None


def _opening(request: MemberRequest, order: Order, facts: OrderFacts) -> ShipForm:
    """Rejected packages to correct, else the kept draft, else what is left in one card."""
    fix = _fixed_package(request, order)
    rejected = rejected_with(fix) if fix else []
    drafts = [draft_of_package(package) for package in rejected] or kept_draft(order)
    cards = [card_of(draft, facts) for draft in drafts] or [blank_card(facts, [])]
    form = ShipForm(cards, uuid.uuid4().hex)
    for index, package in enumerate(rejected):
        _mark(form, index, package)
    return form


def _mark(form: ShipForm, index: int, package: Package) -> None:
    """Show what the platform refused where its answer points, else at the field the code table names."""
    code = meaning(package.errcode, package.slug)
    text = code.text("means", get_language() or "zh-hans")
    named = [path for path in error_paths(package.errmsg) if path.startswith(f"packages[{package.position}]")]
    for path in named or [code.field]:
        if path.startswith("packages["):
            _, _, rest = path.partition("]")
            form.put(f"packages[{index}]{rest}", Finding(text, True, package.errcode))


def _page(
    request: MemberRequest,
    order: Order,
    facts: OrderFacts,
    form: ShipForm,
    *,
    needs_yes: bool = False,
    focus: int = 0,
) -> HttpResponse:
    is_virtual = facts.suggested_type == VIRTUAL
    context = {
        "form": form,
        "cards": _cards(order, facts, form),
        "couriers": couriers_for(order),
        "asks_type": facts.deliver_method not in TYPE_OF_METHOD,
        "needs_yes": needs_yes,
        "focus": focus,
        "fix": _fixed_package(request, order),
        "recharge": recharge_of(order) if is_virtual else {},
        **_summary(order, facts, form),
    }
    return render(request, "shipping/ship.html", context)


def _cards(order: Order, facts: OrderFacts, form: ShipForm) -> list[tuple[int, Any, list[Any]]]:
    """Each card with its rows: position, goods, what was typed, the line that shows them."""
    lines = _lines(order)
    return [
        (index, card, [(n, g, card.counts.get(g.pair, ""), lines[g.pair]) for n, g in enumerate(facts.goods)])
        for index, card in enumerate(form.cards)
    ]


def _lines(order: Order) -> dict[tuple[str, str], OrderLine]:
    return {(line.product_id, line.sku_id): line for line in order.lines.all()}


def _summary(order: Order, facts: OrderFacts, form: ShipForm) -> dict[str, Any]:
    """What would be sent, as the form stands; a guessed courier is marked as one."""
    draft, problems = services.rehearse(order=order, draft=form.to_draft(facts))
    lines, couriers = _lines(order), facts.couriers or {}
    parcels = [
        (package, couriers.get(package.delivery_id, ""), card.guessed,
         [(item, lines.get(item.pair)) for item in package.items or ()])
        for package, card in zip(draft.packages, form.cards, strict=True)
    ]  # fmt: skip
    return {
        "order": order,
        "facts": facts,
        "is_virtual": facts.suggested_type == VIRTUAL,
        "parcels": parcels,
        "warnings": [in_words(problem) for problem in problems if not problem.stops],
    }
