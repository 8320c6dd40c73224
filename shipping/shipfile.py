"""One order of a file: what is already under way, what is wrong, what is queued; and its JSON."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from merchants.models import Merchant
from wechat.errcodes import meaning, problem_text
from wechat.waybills import normalise, same_courier

from . import states
from .dispatch.matching import goods
from .drafts import EXPRESS, VIRTUAL, Draft, OrderFacts, PackageDraft, Pair, Problem
from .models import Order, Package, Shipment
from .queries import order_facts
from .services import Refused, queue_shipment, rehearse
from .sheets import (
    SheetOrder,
    SheetPackage,
    as_written,
    is_virtual,
    names_an_order,
    place,
    sheet_problems,
    to_draft,
)
from .syncing import find_order

LANGUAGE = "zh-hans"
READY = "ready"


@dataclass
class OrderResult:
    """What became of one order of the file."""

    order_id: str
    known: list[int] = field(default_factory=list)
    elsewhere: list[PackageDraft] = field(default_factory=list)
    ready: list[PackageDraft] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    is_invalid: bool = False

    @property
    def shipments(self) -> set[int]:
        return set(Package.objects.filter(pk__in=self.known).values_list("shipment_id", flat=True))

    def packages(self) -> list[dict[str, Any]]:
        rows = Package.objects.filter(pk__in=self.known).order_by("pk")
        shown = [_shown(package, states.SHIPPED) for package in self.elsewhere]
        shown += [_shown(package, READY) for package in self.ready]
        return [_row(package) for package in rows] + shown

    def status(self) -> str:
        """`invalid`, `ready`, or the least finished of its packages."""
        if self.is_invalid:
            return "invalid"
        held = {package["status"] for package in self.packages()}
        order = (*states.LEAST_FINISHED[:-1], READY, states.SHIPPED)
        return next((status for status in order if status in held), "invalid")

    def is_good(self, *, waited: bool) -> bool:
        """Without --wait handed over is enough; a running worker may have claimed the package since."""
        handed_over = {states.SHIPPED, states.QUEUED, states.SENDING}
        return self.status() in ({states.SHIPPED} if waited else handed_over)

    def as_json(self) -> dict[str, Any]:
        return {
            "order_id": self.order_id,
            "status": self.status(),
            "packages": self.packages(),
            "problems": self.problems,
        }


def _row(package: Package) -> dict[str, Any]:
    has_error = package.status != states.SHIPPED and (package.errcode is not None or package.slug)
    code = meaning(package.errcode, package.slug) if has_error else None
    return {
        "deliver_type": package.deliver_type,
        "delivery_id": package.delivery_id,
        "waybill_id": package.waybill_id,
        "status": package.status,
        "errcode": package.errcode,
        "means": code.text("means", LANGUAGE) if code else "",
        "do": code.text("do", LANGUAGE) if code else "",
        "fixed_by": code.fixed_by if code else "",
    }


def _shown(package: PackageDraft, status: str) -> dict[str, Any]:
    wire = {name: getattr(package, name) for name in ("deliver_type", "delivery_id", "waybill_id")}
    return {**wire, "status": status, "errcode": None, "means": "", "do": "", "fixed_by": ""}


def ship_order(merchant: Merchant, wanted: SheetOrder, *, dry_run: bool) -> OrderResult:
    """Queue what the file wants for one order; what it already wanted is reported, never doubled."""
    result = OrderResult(wanted.order_id)
    if not names_an_order(wanted):
        return _refuse_rows(result, wanted)
    order, problem = find_order(merchant, wanted.order_id)
    if order is None:
        _tell(result, wanted, [], [problem] if problem else [])
        result.is_invalid = True
        return result
    facts = order_facts(order)
    known = Known(order, facts, result)
    fresh = [package for package in wanted.packages if not known.holds(package)]
    if fresh and not _refuse_rows(result, wanted).is_invalid:
        _queue(order, to_draft(order.order_id, fresh, facts), wanted, fresh, result, dry_run)
    return result


def _refuse_rows(result: OrderResult, wanted: SheetOrder) -> OrderResult:
    result.problems = [_problem(*place_and_problem) for place_and_problem in sheet_problems(wanted)]
    result.is_invalid = bool(result.problems)
    return result


def _queue(
    order: Order,
    draft: Draft,
    wanted: SheetOrder,
    fresh: list[SheetPackage],
    result: OrderResult,
    dry_run: bool,
) -> None:
    filled, problems = rehearse(order=order, draft=draft)
    _tell(result, wanted, fresh, problems)
    if result.is_invalid:
        return
    if dry_run:
        result.ready = list(filled.packages)
        return
    corrects = _rejected(order, filled)
    try:
        shipment = queue_shipment(order=order, draft=draft, user=None, door="cli", corrects=corrects)
    except Refused as refused:
        _tell(result, wanted, fresh, refused.problems)
        result.is_invalid = True
        return
    result.known += list(shipment.packages.values_list("pk", flat=True))


def _tell(
    result: OrderResult, wanted: SheetOrder, fresh: list[SheetPackage], problems: list[Problem]
) -> None:
    result.problems = [_problem(*place(problem, fresh, wanted), problem) for problem in problems]
    result.is_invalid = any(problem.stops for problem in problems)


def _problem(row: int, column: str, problem: Problem) -> dict[str, Any]:
    text = problem_text(meaning(problem.errcode, problem.slug), problem.params, LANGUAGE)
    return {
        "row": row,
        "column": column,
        "errcode": problem.errcode,
        "slug": problem.slug,
        "stops": problem.stops,
        "message": text,
    }


# --- what is already under way --------------------------------------------------------------------------


class Known:
    """The packages of an order that we, or the platform, already hold."""

    def __init__(self, order: Order, facts: OrderFacts, result: OrderResult) -> None:
        rows = order.packages.filter(status__in=states.HOLDS_GOODS)
        self.ours = list(rows.prefetch_related("items").order_by("pk"))
        self.parcels = list(order.parcels.all())
        self.facts, self.result = facts, result

    def holds(self, package: SheetPackage) -> bool:
        """Whether this package is there with the same goods; if so the result names it."""
        draft = as_written(package, self.facts)
        virtual = is_virtual(package, self.facts)
        if ours := next((held for held in self.ours if _same(held, draft, virtual)), None):
            self.result.known.append(ours.pk)
            return True
        shown = None if virtual else self._on_platform(draft)
        if shown:
            self.result.elsewhere.append(shown)
        return shown is not None

    def _on_platform(self, draft: PackageDraft) -> PackageDraft | None:
        waybill, held = normalise(draft.waybill_id), Counter[Pair]()
        shown = [parcel for parcel in self.parcels if waybill and normalise(parcel.waybill_id) == waybill]
        for parcel in shown:
            for product_id, sku_id, count in parcel.items:
                held[(product_id, sku_id)] += count
        if not shown or (held and not _same_goods(held, draft)):
            return None
        return PackageDraft(shown[0].deliver_type or EXPRESS, shown[0].delivery_id, waybill)


def _same(held: Package, draft: PackageDraft, virtual: bool) -> bool:
    if virtual:
        return held.deliver_type == VIRTUAL and _same_goods(goods(held), draft)
    same_waybill = held.waybill_id == normalise(draft.waybill_id) and held.waybill_id != ""
    is_courier = not draft.delivery_id or same_courier(held.delivery_id, draft.delivery_id)
    return same_waybill and is_courier and _same_goods(goods(held), draft)


def _same_goods(held: Counter[Pair], draft: PackageDraft) -> bool:
    """Blank goods match anything; a blank count matches whatever count of that sku is held."""
    if draft.items is None:
        return True
    is_open = {item.pair for item in draft.items if item.product_cnt is None}
    asked = Counter[Pair]()
    for item in draft.items:
        asked[item.pair] += item.count
    same_counts = all(held[pair] == asked[pair] for pair in asked if pair not in is_open)
    return set(held) == set(asked) and same_counts


def _rejected(order: Order, draft: Draft) -> Shipment | None:
    """The shipment that a file's row corrects: the latest rejected one with this waybill."""
    waybills = [package.waybill_id for package in draft.packages]
    rows = order.packages.filter(status=states.REJECTED, waybill_id__in=waybills).select_related("shipment")
    latest = rows.order_by("-pk").first()
    return latest.shipment if latest else None
