"""What the page of a batch shows: progress, causes with their fix, and each order as a card."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from merchants.models import Merchant, User
from shipping import states
from shipping.batches import reads
from shipping.batches.discreet import problems_for
from shipping.batches.rehearsal import Verdict
from shipping.batches.retries import may_retry
from shipping.batches.shapes import Cause, Placed, package_from
from shipping.batches.words import FIELD_WORDS, column_word, remedy_of, text_of, title_of
from shipping.drafts import PackageDraft
from shipping.models import Batch, BatchOrder, BatchRow, Courier, Package
from shipping.rules.after import CORRECTABLE
from shipping.tables.columns import Mapping
from shipping.templatetags.desk import titles

# Above so many packages the button says again for which stores they are.
ASK_FROM = 50
# A small file shows its orders at once.
SMALL = 20
Names = dict[tuple[int, str], str]
LOOKS = {
    Verdict.READY: "green",
    Verdict.STOPPED: "red",
    Verdict.DIFFERS: "orange",
    Verdict.KNOWN: "secondary",
    Verdict.STRANGE: "secondary",
    Verdict.QUEUED: "azure",
    Verdict.CANCELLED: "secondary",
}
# tab of the page -> the verdicts it shows
TABS: dict[str, tuple[str, ...]] = {
    "stopped": (Verdict.STOPPED,),
    "ready": (Verdict.READY,),
    "differs": (Verdict.DIFFERS,),
    "sent": (Verdict.QUEUED, Verdict.CANCELLED),
    "failed": (Verdict.QUEUED,),
    "grey": (Verdict.KNOWN, Verdict.STRANGE),
}


class CauseCard(NamedTuple):
    """A reason for which rows wait, and the answer that mends them all."""

    cause: str
    merchant: Merchant | None
    rows: int
    title: str
    text: str
    remedy: str
    column: str
    # Where one answer mends all: the couriers to choose from.
    couriers: list[Courier]
    name: str


def cause_cards(user: User, batch: Batch) -> list[CauseCard]:
    causes = list(reads.causes(user, batch))
    told = problems_for(user, [counted.sample for counted in causes])
    return [_cause_card(batch, counted, told[counted.sample.pk]) for counted in causes]


def _cause_card(batch: Batch, counted: reads.CauseCount, problems: list[Placed]) -> CauseCard:
    cause = Cause.parse(counted.cause)
    placed = next(placed for placed in problems if placed.problem.stops)
    listed = Courier.objects.filter(merchant=counted.merchant, is_listed=True) if cause.is_courier else ()
    return CauseCard(
        cause=counted.cause,
        merchant=counted.merchant,
        rows=counted.rows,
        title=title_of(placed.problem),
        text=text_of(placed.problem) if cause.name or counted.rows == 1 else "",
        remedy=remedy_of(placed.problem),
        column=column_word(batch, placed.column),
        couriers=list(listed) if counted.merchant else [],
        name=cause.name,
    )


class Parcel(NamedTuple):
    """A package as it will be sent, or as it stands."""

    number: str
    courier: str
    goods: list[tuple[str, int]]
    package: Package | None = None


class Told(NamedTuple):
    """A problem with its place in the file."""

    row: int
    column: str
    text: str
    stops: bool


class FieldOfRow(NamedTuple):
    """One cell that can be changed in place."""

    name: str
    word: str
    value: str
    is_wrong: bool


class Line(NamedTuple):
    number: int
    fields: list[FieldOfRow]


@dataclass
class Card:
    """One order of the file."""

    row: BatchOrder
    colour: str
    place: str
    parcels: list[Parcel] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)
    lines: list[Line] = field(default_factory=list)
    # Where the number of an order that has left is put right, with the file's number in the form.
    correction: str = ""


def cards(user: User, batch: Batch, orders: list[BatchOrder], may_edit: bool) -> list[Card]:
    names, rows, told = _courier_names(orders), reads.rows_of(batch, orders), problems_for(user, orders)
    shown = [_card(batch, order, told[order.pk], names, rows.get(order.key, [])) for order in orders]
    for card in shown if may_edit else ():
        if card.row.verdict in (Verdict.STOPPED, Verdict.READY, Verdict.STRANGE):
            card.lines = [_line(batch, row, told[card.row.pk]) for row in rows.get(card.row.key, [])]
    return shown


def _courier_names(orders: Iterable[BatchOrder]) -> Names:
    stores = {order.merchant_id for order in orders if order.merchant_id}
    listed = Courier.objects.filter(merchant__in=stores)
    return {(courier.merchant_id, courier.delivery_id): courier.delivery_name for courier in listed}


def _card(batch: Batch, order: BatchOrder, placed: list[Placed], names: Names, rows: list[BatchRow]) -> Card:
    card = Card(order, LOOKS[Verdict(order.verdict)], _place(rows, order))
    card.parcels = _parcels(order, names)
    card.told = [_told(batch, each) for each in placed]
    card.correction = _correction(order) if order.verdict == Verdict.DIFFERS else ""
    return card


def _correction(order: BatchOrder) -> str:
    """Of several parcels in the file the first is offered; one not registered yet opens on the order."""
    if order.order is None or order.order.status not in CORRECTABLE or not order.packages:
        return reverse("order_detail", args=[order.key])
    first = package_from(order.packages[0])
    query = urlencode({"waybill_id": first.waybill_id, "delivery_id": first.delivery_id})
    return f"{reverse('parcel_correct', args=[order.key])}?{query}"


def _told(batch: Batch, placed: Placed) -> Told:
    problem = placed.problem
    return Told(placed.row, column_word(batch, placed.column), text_of(problem), problem.stops)


def _place(rows: list[BatchRow], order: BatchOrder) -> str:
    numbers = [row.number for row in rows] or [order.first_row]
    first, last = numbers[0], numbers[-1]
    if len(numbers) == 1:
        return _("第 %d 行") % first
    if last - first + 1 == len(numbers):
        return _("第 %(first)d–%(last)d 行") % {"first": first, "last": last}
    return _("第 %s 行") % _("、").join(map(str, numbers[:8]))


def _parcels(order: BatchOrder, names: Names) -> list[Parcel]:
    called = titles(order.order) if order.order else {}
    if order.shipment and order.verdict in (Verdict.QUEUED, Verdict.CANCELLED):
        return [_sent(package, names, called) for package in order.shipment.packages.all()]
    return [_planned(order, package_from(kept), names, called) for kept in order.packages]


def _sent(package: Package, names: Names, called: dict[tuple[str, str], str]) -> Parcel:
    courier = names.get((package.merchant_id, package.delivery_id), package.delivery_id)
    goods = [(called.get((i.product_id, i.sku_id), i.sku_id), i.product_cnt) for i in package.items.all()]
    return Parcel(package.waybill_id, courier, goods, package)


def _planned(
    order: BatchOrder, draft: PackageDraft, names: Names, called: dict[tuple[str, str], str]
) -> Parcel:
    courier = names.get((order.merchant_id or 0, draft.delivery_id), draft.delivery_id)
    goods = [(called.get(item.pair, item.sku_id), item.count) for item in draft.items or ()]
    return Parcel(draft.waybill_id, courier, goods)


def _line(batch: Batch, row: BatchRow, placed: list[Placed]) -> Line:
    wrong = {p.column for p in placed if p.row == row.number and p.problem.stops}
    mapped = [name for name in Mapping.from_json(batch.mapping).fields if name != "note"]
    usual = [name for name in ("delivery_id", "waybill_id") if name not in mapped]
    names = [name for name in FIELD_WORDS if name in (*mapped, *usual, *(wrong & set(FIELD_WORDS)))]
    fields = [FieldOfRow(n, column_word(batch, n), row.values.get(n, ""), n in wrong) for n in names]
    return Line(row.number, fields)


class Share(NamedTuple):
    """A stretch of the progress bar, in hundredths."""

    colour: str
    start: float
    width: float


def progress(user: User, batch: Batch) -> dict[str, Any]:
    """How far the worker is, and what the tab says."""
    tally = reads.tally(user, batch)
    # What the worker is still saving counts as well, or the bar would move back with every hundred.
    total, left = tally.total + tally.saving, tally.left + tally.saving
    parts = (("green", tally.done), ("red", tally.rejected), ("purple", tally.unknown))
    shares, at = [], 0.0
    for colour, count in parts:
        width = 100 * count / total if total else 0
        shares.append(Share(colour, round(at, 2), round(width, 2)))
        at += width
    is_paused = batch.paused_at is not None
    under_way = bool(left or tally.packages[states.UNKNOWN]) and not is_paused
    is_sending = bool(left) and batch.stage != Batch.Stage.CANCELLING and not is_paused
    return {
        "batch": batch,
        "tally": tally,
        "total": total,
        "left": left,
        "shares": shares,
        "percent": round(at),
        "checked": sum(tally.verdicts.values()),
        "minutes": reads.minutes_left(user, batch, left) if is_sending else None,
        "is_moving": batch.stage in WORKING or under_way,
        "to_retry": len(may_retry(batch)) if tally.rejected and not tally.left else 0,
    }


WORKING = (Batch.Stage.READING, Batch.Stage.CHECKING, Batch.Stage.QUEUEING, Batch.Stage.CANCELLING)
