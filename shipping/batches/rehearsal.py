"""The rows of a file against the orders of its uploader: per order the exact packages, or what stops them."""

from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace

from django.db import transaction
from django.db.models.fields.json import KT

from merchants.queries import merchants_for
from shipping.around import Around, look_around
from shipping.drafts import Draft, Noted, OrderFacts, Problem, fill_blanks
from shipping.known import Known
from shipping.labels import noted_of, noted_of_many
from shipping.models import LOADED, Batch, BatchOrder, BatchRow, Order
from shipping.queries import facts_of
from shipping.rules import check
from shipping.rules.order import ALL_SHIPPED
from shipping.services import tidy
from shipping.sheets import (
    READ_BY_PEOPLE,
    Row,
    SheetOrder,
    SheetPackage,
    fill_goods,
    leaves_blanks,
    names_an_order,
    place,
    sheet_problems,
    to_draft,
)
from wechat.waybills import is_clean, normalise

from .couriers import Couriers
from .shapes import Placed, cause_of, leaves, noted_json, packages_json, problems_json

Verdict = BatchOrder.Verdict
# What became of these is not for a rehearsal to say any more.
OVER = (Verdict.QUEUED, Verdict.CANCELLED)
# What no column of ours can hold, in signs, is no number of any courier or maker.


@dataclass
class FileOrder(SheetOrder):
    """The rows of one order, and the cells that the spreadsheet has destroyed."""

    faults: list[Placed] = field(default_factory=list)

    @property
    def is_destroyed(self) -> bool:
        """Whether its own number is: then it may read like the number of another order."""
        return any(column == "order_id" for _, column, _ in self.faults)


class Rehearsal:
    """Passes over some orders of a batch; what the whole batch shares is looked up once."""

    def __init__(self, batch: Batch) -> None:
        self.batch = batch
        self.stores = {store.pk: store for store in merchants_for(batch.created_by)}
        self.couriers = Couriers(list(self.stores.values()))
        self.shared = _shared_numbers(batch)

    def check(self, keys: Collection[str]) -> None:
        """Write the verdicts of these orders anew; what is queued already stays as it is."""
        wanted = _wanted(self.batch, keys)
        orders = self._orders(wanted)
        rows = list(orders.values())
        waybills = {order.pk: wanted[key].waybills for key, order in orders.items()}
        serials = {order.pk: wanted[key].serials for key, order in orders.items()}
        arounds = look_around(rows, waybills=waybills, serials=serials, stores=self.stores)
        self._add_file_mates(orders, waybills, arounds)
        noted = noted_of_many(rows, waybills)
        found = []
        for key, each in wanted.items():
            if order := orders.get(key):
                found.append(self._judge(each, order, arounds[order.pk], noted[order.pk]))
            else:
                found.append(self._without_order(each))
        self._write(keys, found)

    def _orders(self, wanted: dict[str, FileOrder]) -> dict[str, Order]:
        keys = [key for key, each in wanted.items() if names_an_order(each) and not each.is_destroyed]
        rows = Order.objects.filter(merchant__in=self.stores, order_id__in=keys)
        found: dict[str, Order] = {order.order_id: order for order in rows.prefetch_related(*LOADED)}
        for order in found.values():
            order.merchant = self.stores[order.merchant_id]
        return found

    def _add_file_mates(
        self, orders: dict[str, Order], waybills: dict[int, set[str]], arounds: dict[int, Around]
    ) -> None:
        """A number that the file also gives to another buyer's order: told like one already under way."""
        mates = self._mates({number for own in waybills.values() for number in own})
        for order in orders.values():
            for number in waybills[order.pk]:
                others = (m for m in mates.get(number, ()) if m.pk != order.pk and _buyer(m) != _buyer(order))
                if other := next(others, None):
                    arounds[order.pk].elsewhere.setdefault(number, other.order_id)

    def _mates(self, numbers: Collection[str]) -> dict[str, list[Order]]:
        keys = {key for number in numbers for key in self.shared.get(number, ())}
        if not keys:
            return {}
        rows = Order.objects.filter(merchant__in=self.stores, order_id__in=keys)
        known = {order.order_id: order for order in rows}
        shared = {number: self.shared[number] for number in numbers if number in self.shared}
        return {number: [known[key] for key in own if key in known] for number, own in shared.items()}

    def _without_order(self, wanted: FileOrder) -> BatchOrder:
        """Of another platform, of somebody else's store, or of nobody: all read alike."""
        row = _row_for(self.batch, wanted, None)
        problems = list(wanted.faults)
        if not wanted.order_id:
            problems += [Placed(*placed) for placed in sheet_problems(wanted)]
        _tell(row, problems)
        row.verdict = Verdict.STOPPED if problems else Verdict.STRANGE
        return row

    def _judge(self, wanted: FileOrder, order: Order, around: Around, noted: Noted | None) -> BatchOrder:
        facts = facts_of(order, around)
        for row in wanted.rows:
            self.couriers.fill(row, order.merchant, facts)
            fill_goods(row, order)
        known = Known(around.ours, order.all_parcels, facts)
        fresh = [package for package in wanted.packages if known.find(package) is None]
        if fresh or wanted.faults:
            return self._rehearse(wanted, order, fresh, facts, noted or noted_of(order))
        known_order = _row_for(self.batch, wanted, order)
        known_order.verdict = Verdict.KNOWN
        return known_order

    def _rehearse(
        self, wanted: FileOrder, order: Order, fresh: list[SheetPackage], facts: OrderFacts, noted: Noted
    ) -> BatchOrder:
        draft = replace(tidy(to_draft(order.order_id, fresh, facts)), noted=noted)
        filled = fill_blanks(draft, facts)
        problems = [
            *wanted.faults,
            *(Placed(*placed) for placed in sheet_problems(wanted)),
            *self._door_problems(wanted, fresh, facts),
            *(Placed(*place(problem, fresh, wanted), problem) for problem in check(filled, facts)),
        ]
        row = _row_for(self.batch, wanted, order)
        _tell(row, problems)
        row.packages, row.package_count = packages_json(filled.packages), len(filled.packages)
        row.leaves, row.noted = leaves(facts, filled.packages), noted_json(noted)
        row.verdict = Verdict.STOPPED if row.cause else Verdict.READY
        if row.cause and _left_otherwise(filled, facts):
            row.verdict, row.cause = Verdict.DIFFERS, ""
        return row

    def _door_problems(
        self, wanted: FileOrder, fresh: list[SheetPackage], facts: OrderFacts
    ) -> Iterator[Placed]:
        if not (facts.is_read or facts.is_entered) and any(leaves_blanks(package) for package in fresh):
            problem = Problem("order", slug="facts_unreadable")
            yield Placed(*place(problem, fresh, wanted), problem)
        for row in wanted.rows:
            if name := self.couriers.guessed.get(row.number):
                params = {"title": name}
                yield Placed(row.number, "delivery_id", Problem("", None, "courier_guessed", False, params))

    def _write(self, keys: Collection[str], found: list[BatchOrder]) -> None:
        with transaction.atomic():
            old = BatchOrder.objects.filter(batch=self.batch, key__in=keys)
            kept = set(old.filter(verdict__in=OVER).values_list("key", flat=True))
            old.exclude(verdict__in=OVER).delete()
            BatchOrder.objects.bulk_create([row for row in found if row.key not in kept])


def _wanted(batch: Batch, keys: Collection[str]) -> dict[str, FileOrder]:
    """The file's rows by order, in the file's order."""
    wanted: dict[str, FileOrder] = {}
    rows = BatchRow.objects.filter(batch=batch, key__in=keys).order_by("number")
    for number, key, values, faults in rows.values_list("number", "key", "values", "faults"):
        order = wanted.setdefault(key, FileOrder(key))
        order.rows.append(Row(number, values))
        lost = [(name, slug) for name, slug in faults.items() if name not in READ_BY_PEOPLE]
        order.faults += [Placed(number, name, Problem(name, slug=slug)) for name, slug in lost]
    return wanted


def _shared_numbers(batch: Batch) -> dict[str, list[str]]:
    """The tracking numbers that the file gives to several orders -> those orders."""
    carried: dict[str, dict[str, None]] = defaultdict(dict)
    # As text: read as JSON, a number of digits alone would be no string any more.
    rows = BatchRow.objects.filter(batch=batch).values_list("key", KT("values__waybill_id"))
    for key, number in rows.iterator():
        if number and is_clean(normalise(number)):
            carried[normalise(number)][key] = None
    return {number: list(keys) for number, keys in carried.items() if len(keys) > 1}


def _row_for(batch: Batch, wanted: FileOrder, order: Order | None) -> BatchOrder:
    return BatchOrder(
        batch_id=batch.pk,
        key=wanted.order_id,
        first_row=wanted.rows[0].number,
        row_count=len(wanted.rows),
        order_id=order.pk if order else None,
        merchant_id=order.merchant_id if order else None,
    )


def _tell(row: BatchOrder, problems: list[Placed]) -> None:
    row.problems, row.cause = problems_json(problems), cause_of(problems)
    row.has_warnings = bool(problems) and not row.cause


def _left_otherwise(draft: Draft, facts: OrderFacts) -> bool:
    """Whether everything of the order has gone, or is going, under another number than the file's."""
    is_gone = facts.status in ALL_SHIPPED or (facts.has_goods and not any(g.left for g in facts.goods))
    return is_gone and bool(facts.waybills_used) and any(package.waybill_id for package in draft.packages)


def _buyer(order: Order) -> tuple[str, str]:
    return (order.openid, order.address_hash)
