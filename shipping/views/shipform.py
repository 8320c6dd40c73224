"""The ship page's parts: what its form opens with, its cards, what would be sent."""

import uuid
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import get_language

from merchants.models import User
from shipping import services
from shipping.drafts import VIRTUAL, Draft, Noted, OrderFacts
from shipping.forms import Finding, ShipForm, blank_card, card_of, in_words, read_form
from shipping.models import Order, OrderLine, Package, Typed
from shipping.queries import (
    couriers_for,
    draft_of_package,
    kept_draft,
    last_courier,
    noted_by,
    order_facts,
    others_at,
    packages_for,
    queued_since,
    read_noted,
    recharge_of,
    rejected_with,
    same_buyer,
    typed_of,
)
from shipping.rules import TYPE_OF_METHOD
from shipping.views import MemberRequest
from wechat.errcodes import meaning
from wechat.outcomes import error_paths


@dataclass
class Desk:
    """One person at one order's form."""

    request: MemberRequest
    order: Order
    facts: OrderFacts
    form: ShipForm
    fix: Package | None = None
    typed: Typed | None = None
    focus: int = 0

    @property
    def user(self) -> User:
        return self.request.user

    @property
    def came_from(self) -> str:
        """The query string of the list that led here."""
        return self.request.POST.get("from") or self.request.GET.get("from") or ""

    @property
    def is_confirmed(self) -> bool:
        return "confirm" in self.request.POST

    def draft(self) -> Draft:
        return replace(self.form.to_draft(self.facts), noted=self._noted())

    def _noted(self) -> Noted | None:
        """Confirmed: the order as this page showed it; else as it was when the number was first entered."""
        saw_this = self.request.POST.get("seen", "") == self.facts.address_hash
        if self.is_confirmed and saw_this:
            return self.facts.noted
        kept = read_noted(self.typed.noted) if self.typed else None
        return kept or (noted_by(self.fix.shipment) if self.fix else None)

    def with_one_more(self) -> "Desk":
        self.form.cards.append(blank_card(self.facts, self.form.cards))
        self.focus = len(self.form.cards) - 1
        return self

    def same_buyer(self) -> list[Order]:
        """Orders that this parcel could carry too; none while one is corrected or a serial is asked for."""
        return [] if self.fix or self.facts.is_subsidy else same_buyer(self.order, self.user)


def open_desk(request: MemberRequest, order: Order) -> Desk:
    """Rejected packages to correct, else what was typed, else the kept draft, else what is left."""
    facts, fix, typed = order_facts(order), fixed_package(request, order), typed_of(order, request.user)
    if fix:
        form = _form_to_fix(fix, facts)
    elif typed:
        form = read_form(typed.fields, facts)
    else:
        cards = [card_of(draft, facts) for draft in kept_draft(order)] or [blank_card(facts, [])]
        form = ShipForm(cards, uuid.uuid4().hex)
    return Desk(request, order, facts, form.know(last_courier(order, request.user)), fix, typed)


def read_desk(request: MemberRequest, order: Order) -> Desk:
    """The form as it was posted."""
    facts = order_facts(order)
    form = read_form(request.POST, facts).know(last_courier(order, request.user))
    form.also = request.POST.getlist("also")
    return Desk(request, order, facts, form, fixed_package(request, order), typed_of(order, request.user))


def fixed_package(request: MemberRequest, order: Order) -> Package | None:
    """The rejected package that this form corrects."""
    pk = request.GET.get("fix") or request.POST.get("fix") or ""
    return packages_for(request.user).filter(pk=pk, order=order).first() if pk.isdigit() else None


def _form_to_fix(fix: Package, facts: OrderFacts) -> ShipForm:
    rejected = rejected_with(fix)
    cards = [card_of(draft_of_package(package), facts) for package in rejected]
    form = ShipForm(cards or [blank_card(facts, [])], uuid.uuid4().hex)
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


# --- the page -----------------------------------------------------------------------------------------


def page(desk: Desk, *, needs_yes: bool = False) -> HttpResponse:
    """The whole ship page as the form stands."""
    order, facts, form = desk.order, desk.facts, desk.form
    context = {
        "form": form,
        "cards": _cards(desk),
        "couriers": couriers_for(order),
        "asks_type": facts.deliver_method not in TYPE_OF_METHOD,
        "needs_yes": needs_yes,
        "focus": desk.focus,
        "fix": desk.fix,
        "typed": desk.typed if desk.request.method == "GET" and not desk.fix else None,
        "same_buyer": desk.same_buyer(),
        "came_from": desk.came_from,
        "recharge": recharge_of(order) if facts.suggested_type == VIRTUAL else {},
        **presence_of(desk.request, order),
        **summary_of(desk),
    }
    return render(desk.request, "shipping/ship.html", context)


def presence_of(request: MemberRequest, order: Order) -> dict[str, Any]:
    """Who else is here, and what was submitted since this page was opened."""
    since = parse_datetime(request.GET.get("since", "")) or timezone.now()
    return {
        "order": order,
        "others": others_at(order, request.user),
        "since": since,
        "queued_meanwhile": queued_since(order, request.user, since),
    }


def _cards(desk: Desk) -> list[tuple[int, Any, list[Any]]]:
    """Each card with its rows: position, goods, what was typed, the line that shows them."""
    lines, goods = _lines(desk.order), list(enumerate(desk.facts.goods))
    return [
        (index, card, [(n, g, card.counts.get(g.pair, ""), lines[g.pair]) for n, g in goods])
        for index, card in enumerate(desk.form.cards)
    ]


def _lines(order: Order) -> dict[tuple[str, str], OrderLine]:
    return {(line.product_id, line.sku_id): line for line in order.lines.all()}


def summary_of(desk: Desk) -> dict[str, Any]:
    """What would be sent, as the form stands; a guessed courier is marked as one."""
    draft, problems = services.rehearse(order=desk.order, draft=desk.draft())
    lines, couriers = _lines(desk.order), desk.facts.couriers or {}
    parcels = [
        (package, couriers.get(package.delivery_id, ""), card,
         [(item, lines.get(item.pair)) for item in package.items or ()])
        for package, card in zip(draft.packages, desk.form.cards, strict=True)
    ]  # fmt: skip
    return {
        "order": desk.order,
        "facts": desk.facts,
        "is_virtual": desk.facts.suggested_type == VIRTUAL,
        "parcels": parcels,
        "saved_at": timezone.now() if "preview" in desk.request.POST else None,
        "warnings": [in_words(problem) for problem in problems if not problem.stops],
    }
