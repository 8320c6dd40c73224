"""The ship page's parts: what its form opens with, its cards, what would be sent."""

import uuid
from dataclasses import dataclass, replace
from typing import Any

from django.http import HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from merchants.models import User
from shipping import services, states
from shipping.asked import moment, whole
from shipping.drafts import SEND, VIRTUAL, Draft, OrderFacts, Problem
from shipping.forms import Card, Finding, ShipForm, blank_card, card_of, in_words, read_form
from shipping.labels import looked_at
from shipping.models import Order, OrderLine, Package, Typed
from shipping.preflight import outlook, paused_stores
from shipping.queries import (
    couriers_for,
    draft_of_package,
    kept_draft,
    last_courier,
    order_facts,
    others_at,
    packages_for,
    queued_since,
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
    # What the form opened with, if it was not what is left: typed and not sent, or never left.
    restored: Typed | None = None
    is_kept: bool = False
    focus: int = 0
    # Something that a key pressed by habit must not confirm.
    must_look: bool = False

    @property
    def user(self) -> User:
        return self.request.user

    @property
    def came_from(self) -> str:
        """The query string of the list that led here."""
        return self.request.POST.get("from") or self.request.GET.get("from") or ""

    @property
    def seen(self) -> str:
        return looked_at(self.facts.noted)

    @property
    def is_confirmed(self) -> bool:
        """Whether the person agreed, and to the address and goods that the order has now."""
        return "confirm" in self.request.POST and self.request.POST.get("seen", self.seen) == self.seen

    def draft(self) -> Draft:
        """Confirmed: with the order as this page showed it; else as when the number was first entered."""
        return replace(self.form.to_draft(self.facts), noted=self.facts.noted if self.is_confirmed else None)

    def rehearse(self) -> tuple[Draft, list[Problem]]:
        corrects = self.fix.shipment if self.fix else None
        return services.rehearse(order=self.order, draft=self.draft(), corrects=corrects, user=self.user)

    def with_one_more(self) -> "Desk":
        self.form.cards.append(blank_card(self.facts, self.form.cards))
        self.focus = len(self.form.cards) - 1
        return self

    def gone(self) -> list[str]:
        """Chosen orders that this parcel cannot carry any more: a colleague shipped them, or they changed."""
        offered = {order.order_id for order in self.same_buyer()} if self.form.also else set()
        return [order_id for order_id in self.form.also if order_id not in offered]

    def same_buyer(self) -> list[Order]:
        """Orders that this parcel could carry too; none while one is corrected or a serial is asked for."""
        return [] if self.fix or self.facts.is_subsidy else same_buyer(self.order, self.user)


def open_desk(request: MemberRequest, order: Order) -> Desk:
    """What was typed, else rejected packages to correct, else what never left, else what is left."""
    facts, typed = order_facts(order), typed_of(order, request.user)
    fix = fixed_package(request, order, typed)
    kept = kept_draft(order)
    if typed and (fix is None or typed.fields.get("fix") == str(fix.pk)):
        desk = Desk(request, order, facts, _form_typed(typed, facts), fix, restored=typed)
    elif fix:
        desk = Desk(request, order, facts, _form_to_fix(fix, facts), fix)
    else:
        cards = [card_of(draft, facts) for draft in kept] or [blank_card(facts, [])]
        desk = Desk(request, order, facts, ShipForm(cards, uuid.uuid4().hex), is_kept=bool(kept))
    desk.form.know(last_courier(order, request.user))
    if "left" in request.GET:
        desk.form.fit_what_is_left(facts)
    return desk


def _form_typed(typed: Typed, facts: OrderFacts) -> ShipForm:
    """As it was saved; a key that was used, by another window say, would be taken for a repetition."""
    form = read_form(typed.fields, facts)
    form.also = [str(order_id) for order_id in typed.fields.get("also") or ()]
    if services.shipment_with_key(order=typed.order, form_key=form.form_key):
        form.form_key = uuid.uuid4().hex
    return form


def read_desk(request: MemberRequest, order: Order) -> Desk:
    """The form as it was posted."""
    facts = order_facts(order)
    form = read_form(request.POST, facts).know(last_courier(order, request.user))
    form.also = request.POST.getlist("also")
    return Desk(request, order, facts, form, fixed_package(request, order, None))


def fixed_package(request: MemberRequest, order: Order, typed: Typed | None) -> Package | None:
    """The rejected package that this form corrects, or that what was typed was to correct."""
    asked = request.GET.get("fix") or request.POST.get("fix") or (typed.fields.get("fix") if typed else "")
    pk = whole(str(asked or ""))
    rows = packages_for(request.user).filter(order=order, status=states.REJECTED, corrected_at=None)
    rows = rows.filter(kind=SEND)
    return rows.filter(pk=pk).first() if pk is not None else None


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
    order, facts, form, summary = desk.order, desk.facts, desk.form, summary_of(desk)
    if desk.request.method == "GET":
        form.show(problem for problem in summary["problems"] if problem.stops and problem.path == "order")
    ahead, focus = outlook(order), _focus(desk, needs_yes=needs_yes)
    # Said once, and there with what to do about it.
    said = {in_words(problem).text for problem in ahead.problems}
    form.order_findings = [finding for finding in form.order_findings if finding.text not in said]
    context = {
        "form": form,
        "cards": _cards(desk),
        "couriers": couriers_for(order),
        "asks_type": facts.deliver_method not in TYPE_OF_METHOD,
        "needs_yes": needs_yes,
        "must_look": desk.must_look,
        "focus": focus,
        "fix": desk.fix,
        "typed": desk.restored,
        "is_kept_draft": desk.is_kept,
        "same_buyer": desk.same_buyer(),
        "split": split_box(desk),
        "seen": desk.seen,
        "outlook": ahead,
        "paused": paused_stores([order]),
        "asked_here": False,
        "recharge": recharge_of(order) if facts.suggested_type == VIRTUAL else {},
        **presence_of(desk.request, order),
        **summary,
    }
    return render(desk.request, "shipping/ship.html", context)


def split_box(desk: Desk) -> Card | None:
    """The box that would hold once more what another holds whole: one piece goes in one parcel only."""
    asked: set[tuple[str, str]] = set()
    for card in desk.form.cards:
        pairs = {pair for pair, text in card.counts.items() if text.strip() not in ("", "0")}
        if "goods" in card.findings and pairs & asked:
            return card
        asked |= pairs
    return None


def _focus(desk: Desk, *, needs_yes: bool) -> str:
    """The first field that is wrong, else where the next number is scanned.

    Only a page that merely asks gives the focus to its button: a scanner ends its number with Enter.
    """
    wrong = [(n, name) for n, card in enumerate(desk.form.cards) for name in card.wrong_fields]
    if needs_yes and not wrong and not desk.form.order_findings:
        return ""
    index, name = wrong[0] if wrong else (desk.focus, "waybill_id")
    return f"p{index}-{name}"


def presence_of(request: MemberRequest, order: Order) -> dict[str, Any]:
    """Who else is here, and what was submitted since this page was opened."""
    asked = {**request.GET.dict(), **request.POST.dict()}
    since = moment(str(asked.get("since", ""))) or timezone.now()
    return {
        "order": order,
        "others": others_at(order, request.user),
        "since": since,
        "came_from": asked.get("from", ""),
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
    draft, problems = desk.rehearse()
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
        "saved_at": timezone.now(),
        "problems": problems,
        "warnings": [in_words(problem) for problem in problems if not problem.stops],
    }
