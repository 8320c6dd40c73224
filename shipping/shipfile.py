"""One order of a file: what is already under way, what is wrong, what is queued; and its JSON."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.utils import timezone

from merchants.models import Merchant
from wechat.errcodes import meaning, problem_text

from . import states
from .dispatch.sending import FRESH
from .drafts import Draft, OrderFacts, PackageDraft, Problem
from .filewords import WORDS, sentence
from .forms import resolve_courier
from .known import Known
from .models import Order, Package, Shipment
from .queries import order_facts
from .services import Refused, queue_shipment, rehearse
from .sheets import (
    SheetOrder,
    SheetPackage,
    fill_goods,
    leaves_blanks,
    names_an_order,
    place,
    sheet_problems,
    to_draft,
)
from .syncing import find_order, read_order

LANGUAGE = "zh-hans"
READY, INVALID = "ready", "invalid"


@dataclass
class OrderResult:
    """What became of one order of the file."""

    order_id: str
    known: list[int] = field(default_factory=list)
    elsewhere: list[PackageDraft] = field(default_factory=list)
    ready: list[PackageDraft] = field(default_factory=list)
    problems: list[dict[str, Any]] = field(default_factory=list)
    is_invalid: bool = False

    def as_json(self, rows: Mapping[int, Package]) -> dict[str, Any]:
        """What became of it; `rows` holds the known packages as they are now."""
        packages = [_row(rows[pk]) for pk in sorted(set(self.known))]
        packages += [_shown(package, states.SHIPPED) for package in self.elsewhere]
        packages += [_shown(package, READY) for package in self.ready]
        return {
            "order_id": self.order_id,
            "status": self._status({package["status"] for package in packages}),
            "packages": packages,
            "problems": self.problems,
        }

    def _status(self, held: set[str]) -> str:
        """`invalid`, `ready`, or the least finished of its packages."""
        order = (*states.LEAST_FINISHED[:-1], READY, states.SHIPPED)
        least = next((status for status in order if status in held), INVALID)
        return INVALID if self.is_invalid else least


def is_good(status: str, *, waited: bool) -> bool:
    """Without --wait handed over is enough; a running worker may have claimed the package since."""
    handed_over = {states.SHIPPED, states.QUEUED, states.SENDING}
    return status in ({states.SHIPPED} if waited else handed_over)


def known_packages(results: Iterable[OrderResult]) -> dict[int, Package]:
    """The packages of all results by their key, read now."""
    return Package.objects.in_bulk({pk for result in results for pk in result.known})


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
        return result
    result = _ship_known(order, wanted, dry_run)
    while result.is_invalid and (newer := _newer(order)):
        order, result = newer, _ship_known(newer, wanted, dry_run)
    return result


def _fresh(
    order: Order, facts: OrderFacts, wanted: SheetOrder, result: OrderResult
) -> Iterator[SheetPackage]:
    """The packages that nobody holds yet; the others are named in the result."""
    rows = order.packages.filter(status__in=states.HOLDS_GOODS).prefetch_related("items")
    known = Known(list(rows.order_by("pk")), list(order.parcels.all()), facts)
    for package in wanted.packages:
        held = known.find(package)
        if held is None:
            yield package
        elif isinstance(held, Package):
            result.known.append(held.pk)
        else:
            result.elsewhere.append(held)


def _newer(order: Order) -> Order | None:
    """The order with what happened meanwhile: another run queued the same rows, or old facts read anew."""
    if order.read_at is not None and order.read_at < timezone.now() - FRESH:
        read_order(order.merchant, order.order_id)
    now = Order.objects.select_related("merchant").get(pk=order.pk)
    is_new = (now.revision, now.read_at) != (order.revision, order.read_at)
    return now if is_new else None


def _ship_known(order: Order, wanted: SheetOrder, dry_run: bool) -> OrderResult:
    result = OrderResult(wanted.order_id)
    facts = order_facts(order, waybills=wanted.waybills, serials=wanted.serials)
    _read_names(wanted, order, facts)
    fresh = list(_fresh(order, facts, wanted, result))
    is_known = facts.is_read or facts.is_entered
    if fresh and not is_known and any(leaves_blanks(package) for package in fresh):
        # Only the order says what a blank stands for, and it could neither be read nor was it entered.
        _tell(result, wanted, fresh, [Problem("order", slug="facts_unreadable")])
    elif fresh and not _refuse_rows(result, wanted).is_invalid:
        _queue(order, facts, wanted, fresh, result, dry_run)
    return result


def _read_names(wanted: SheetOrder, order: Order, facts: OrderFacts) -> None:
    """A courier by any of its names and goods by the merchant's own code, as what is sent."""
    for row in wanted.rows:
        if typed := row["delivery_id"]:
            row.cells["delivery_id"] = resolve_courier(typed, facts)
        fill_goods(row, order)


def _refuse_rows(result: OrderResult, wanted: SheetOrder) -> OrderResult:
    result.problems = [_problem(*place_and_problem) for place_and_problem in sheet_problems(wanted)]
    result.is_invalid = bool(result.problems)
    return result


def _queue(
    order: Order,
    facts: OrderFacts,
    wanted: SheetOrder,
    fresh: list[SheetPackage],
    result: OrderResult,
    dry_run: bool,
) -> None:
    draft = to_draft(order.order_id, fresh, facts)
    filled, problems = rehearse(order=order, draft=draft, facts=facts)
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
    code = meaning(problem.errcode, problem.slug)
    is_lost = problem.slug in WORDS
    text = sentence(problem.slug) if is_lost else problem_text(code, problem.params, LANGUAGE)
    return {
        "row": row,
        "column": column,
        "errcode": problem.errcode,
        "slug": problem.slug,
        "stops": problem.stops,
        "message": text,
    }


def _rejected(order: Order, draft: Draft) -> Shipment | None:
    """The shipment that a file's row corrects: the latest rejected one with this waybill."""
    waybills = [package.waybill_id for package in draft.packages]
    rows = order.packages.filter(status=states.REJECTED, waybill_id__in=waybills).select_related("shipment")
    latest = rows.order_by("-pk").first()
    return latest.shipment if latest else None
