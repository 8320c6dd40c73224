"""The scan station at its table: its row, its orders, what it saves; the steps are shipping.scanning's."""

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, replace
from itertools import chain
from typing import NamedTuple

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from merchants.models import User
from merchants.queries import merchants_for, packer_with

from . import drafts, scanning, scanout, services
from .drafts import VIRTUAL, Draft, Item, OrderFacts, PackageDraft, Pair, Problem, SerialDraft
from .forms import guess_courier
from .labels import looked_at
from .models import Order, OrderLine, Package, ScanSession, Shipment
from .pauses import stopping_pauses
from .queries import last_courier, order_facts, orders_for, packages_for
from .scanning import Goods, Opened, Parcel, Saved, State, Told
from .scanout import Labelled

# Answers kept for scans that are sent again; packages shown on the page.
KEYS, RECENT = 200, 8
BLANK = PackageDraft()


class Found(NamedTuple):
    """An order of this person's, and what is known of it now."""

    order: Order
    facts: OrderFacts
    opened: Opened


class Table:
    """scanning.World over our rows: one person at one station, one scan long."""

    def __init__(self, session: ScanSession, key: str) -> None:
        self.session, self.user, self.key = session, session.user, key
        self.state = state_of(session)
        # The package of a file that is in hand, in scanning out.
        self.labelled = self._labelled(self.state.parcel)
        self.known: dict[str, Found | None] = {}

    def _labelled(self, parcel: Parcel | None) -> Labelled | None:
        row = scanout.row_for(self.user, self.state.batch, parcel.row) if parcel and parcel.row else None
        try:
            return scanout.labelled(row, parcel.waybill) if row and parcel else None
        except LookupError:
            return None

    # --- looking --------------------------------------------------------------------------------------

    def open(self, order_id: str) -> Opened | None:
        found = self.find(order_id)
        return found.opened if found else None

    def find(self, order_id: str) -> Found | None:
        """Looked up once for a scan, and again after something was saved."""
        if order_id not in self.known:
            order = orders_for(self.user).filter(order_id=order_id).order_by("pk").first()
            self.known[order_id] = self._facts(order) if order else None
        return self.known[order_id]

    def _facts(self, order: Order) -> Found:
        facts, codes = order_facts(order), _codes_of(order)
        _, problems = services.rehearse(order=order, draft=Draft(order.order_id, (BLANK,)), facts=facts)
        opened = Opened(
            order_id=order.order_id,
            goods=tuple(Goods(g.pair, g.title, self._left(order, g), codes[g.pair]) for g in facts.goods),
            problems=tuple(problem for problem in problems if problem.path == "order"),
            couriers=facts.couriers or {},
            is_virtual=facts.suggested_type == VIRTUAL,
            is_foreign_packer=self._is_foreign(order),
        )
        return Found(order, facts, opened)

    def _left(self, order: Order, goods: drafts.Goods) -> int:
        """Of an order in a file, what its package holds."""
        if self.labelled is None or self.labelled.order != order:
            return goods.left
        items = self.labelled.package.items or ()
        return min(goods.left, sum(item.count for item in items if item.pair == goods.pair))

    def _is_foreign(self, order: Order) -> bool:
        packer = self.session.packer
        return packer is not None and not merchants_for(packer).filter(pk=order.merchant_id).exists()

    def rehearse(self, parcel: Parcel) -> tuple[Parcel, tuple[Problem, ...], str]:
        order, facts, _ = self._known(parcel)
        filled = replace(parcel, courier=parcel.courier or self.courier_for(parcel))
        wanted = [
            (order, self._draft(filled)),
            *((other.order, other.draft) for other in self._others(parcel)),
        ]
        found = (services.rehearse(order=each, draft=draft, user=self.user)[1] for each, draft in wanted)
        return filled, tuple(chain.from_iterable(found)), looked_at(facts.noted)

    def _draft(self, parcel: Parcel) -> Draft:
        draft = _draft(parcel)
        if self.labelled is None:
            return draft
        (package,) = draft.packages
        package = replace(package, items=package.items or self.labelled.package.items)
        return replace(self.labelled.draft, packages=(package,))

    def _others(self, parcel: Parcel) -> list[Labelled]:
        """In scanning out, the orders that leave under the same label."""
        if self.labelled is None:
            return []
        return scanout.others_with_label(self.user, self.labelled.row, parcel.waybill)

    def courier_for(self, parcel: Parcel) -> str:
        """By the number's pattern, else the one this person used last here; as the ship page guesses."""
        order, facts, _ = self._known(parcel)
        return guess_courier(parcel.waybill, facts.couriers or {}, last_courier(order, self.user))[0]

    def _known(self, parcel: Parcel) -> Found:
        found = self.find(parcel.order_id)
        if found is None:
            raise LookupError(parcel.order_id)
        return found

    def find_row(self, waybill: str) -> Parcel | Told:
        found = scanout.find(self.user, self.state.batch, waybill)
        if isinstance(found, Parcel):
            self.labelled = self._labelled(found)
        return found

    # --- writing --------------------------------------------------------------------------------------

    def save(self, parcel: Parcel, seen: str) -> Saved:
        try:
            with transaction.atomic():
                first, *others = self._queue(parcel, seen)
        except services.Refused as refused:
            raise scanning.Refused(tuple(refused.problems)) from refused
        self.known.clear()
        self.session.recent = [first.pk, *(other.pk for other in others), *self.session.recent][:RECENT]
        codes = tuple(filter(None, (parcel.waybill, parcel.sn.upper())))
        return Saved(parcel.order_id, parcel.waybill, first.pk, codes, tuple(other.pk for other in others))

    def _queue(self, parcel: Parcel, seen: str) -> list[Shipment]:
        order, facts, _ = self._known(parcel)
        draft, key = self._draft(parcel), f"scan-{self.session.pk}-{self.key}"
        draft = replace(draft, noted=facts.noted if seen else draft.noted)
        user, packer = self.user, self.session.packer
        if self.labelled is None:
            return [
                services.queue_shipment(
                    order=order, draft=draft, user=user, door="scan", packer=packer, form_key=key
                )
            ]
        others = self._others(parcel)
        first = scanout.queue_labelled(self.labelled, draft, user=user, packer=packer, key=key)
        return [first] + [
            scanout.queue_labelled(other, other.draft, user=user, packer=packer, key=f"{key}-{n}")
            for n, other in enumerate(others)
        ]

    def withdraw(self, saved: Saved) -> bool:
        """One parcel is withdrawn for all its orders or for none: it lies in one box."""
        keys = (saved.shipment, *saved.also)
        shipments = Shipment.objects.filter(pk__in=keys, merchant__in=merchants_for(self.user))
        self.known.clear()
        with transaction.atomic():
            withdrawn = [self._withdraw(shipment) for shipment in shipments.order_by("order", "pk")]
            is_whole = bool(withdrawn) and all(withdrawn)
            transaction.set_rollback(not is_whole)
        return is_whole

    def _withdraw(self, shipment: Shipment) -> bool:
        packages = services.cancel_shipment(shipment=shipment, user=self.user)
        if packages and self.state.batch:
            scanout.put_back(self.user, self.state.batch, shipment, packages)
        return bool(packages)

    def wear(self, badge: str) -> str:
        packer = packer_with(self.user, badge)
        if packer is None:
            return ""
        self.session.packer = None if packer == self.user else packer
        return str(packer)


def _codes_of(order: Order) -> Mapping[Pair, tuple[str, ...]]:
    """What may stand on the goods of each line as a barcode."""
    codes: dict[Pair, tuple[str, ...]] = defaultdict(tuple)
    for line in order.lines.all():
        pair = (line.product_id, line.sku_id)
        codes[pair] += tuple(code for code in (line.sku_code, *pair) if code)
    return codes


def _draft(parcel: Parcel) -> Draft:
    items = tuple(
        Item(*key.split("/", 1), count)  # type: ignore[call-arg]
        for key, count in parcel.counted.items()
    )
    serial = SerialDraft(parcel.sn, parcel.imei1, parcel.imei2)
    package = PackageDraft(
        delivery_id=parcel.courier,
        waybill_id=parcel.waybill,
        items=items or None,
        serial=serial if any(vars(serial).values()) else None,
    )
    return Draft(parcel.order_id, (package,))


# --- the station's row --------------------------------------------------------------------------------


def session_of(user: User, station: str) -> ScanSession:
    """The row of a station of this login; not yet saved on one that has scanned nothing."""
    name = station.strip()[:20] or "1"
    known = ScanSession.objects.select_related("user", "packer").filter(user=user, station=name).first()
    return known or ScanSession(user=user, station=name)


@transaction.atomic
def scan(*, session: ScanSession, text: str, key: str) -> ScanSession:
    """Work off one scan; a key that was heard before changes nothing. State and package are saved as one."""
    session = _locked(session)
    if key in session.keys:
        return session
    state, told = scanning.hear(state_of(session), text, Table(session, key))
    session.state, session.told = state.to_json(), asdict(told)
    session.keys = [*session.keys, key][-KEYS:]
    session.scanned_at = timezone.now()
    session.save()
    return session


def _locked(session: ScanSession) -> ScanSession:
    """The row as it is now, and nobody else's until the transaction ends."""
    row, _ = ScanSession.objects.get_or_create(user=session.user, station=session.station)
    ScanSession.objects.filter(pk=row.pk).update(revision=F("revision") + 1)
    return ScanSession.objects.select_related("user", "packer").get(pk=row.pk)


@transaction.atomic
def set_up(*, session: ScanSession, must_count: bool, batch: int) -> None:
    """Whether every piece must be scanned here, and which file is scanned out (0: none)."""
    session = _locked(session)
    state = replace(state_of(session), must_count=must_count)
    if batch != state.batch:
        state = replace(state.empty(), batch=batch, last=None)
        session.told = asdict(Told("idle", "begin_out" if batch else "begin"))
    session.state = state.to_json()
    session.save(update_fields=["state", "told"])


def state_of(session: ScanSession) -> State:
    return State.from_json(session.state)


def told_of(session: ScanSession) -> Told | None:
    """The answer to the last scan; None on a station that is new."""
    kept = session.told
    if not kept:
        return None
    problems = tuple(Problem(**problem) for problem in kept["problems"])
    return Told(kept["tone"], kept["slug"], kept["params"], problems)


class Row(NamedTuple):
    """Goods on the table: their line, how many may be packed, how many were scanned."""

    line: OrderLine
    left: int
    counted: int

    @property
    def is_full(self) -> bool:
        return self.left > 0 and self.counted >= self.left


class InHand(NamedTuple):
    """The order on the table, for the page; `courier` by name, as it would be sent now."""

    order: Order
    parcel: Parcel
    courier: str
    rows: list[Row]
    is_counting: bool


def in_hand(session: ScanSession) -> InHand | None:
    """The order being packed; None when there is none, or it is not this person's any more."""
    state = state_of(session)
    parcel, table = state.parcel, Table(session, "")
    found = table.find(parcel.order_id) if parcel else None
    if parcel is None or found is None:
        return None
    lines = {(line.product_id, line.sku_id): line for line in found.order.lines.all()}
    rows = [Row(lines[g.pair], g.left, parcel.counted.get(g.key, 0)) for g in found.opened.goods]
    code, listed = parcel.courier or table.courier_for(parcel), found.facts.couriers or {}
    is_counting = state.must_count or bool(parcel.counted)
    return InHand(found.order, parcel, listed.get(code, code), rows, is_counting)


class SavedGoods(NamedTuple):
    """One line of what was saved last: how many of it left, for which order."""

    order: Order
    line: OrderLine | None
    pieces: int


def saved_goods(session: ScanSession) -> list[SavedGoods]:
    """What is in the package that was saved last."""
    last = state_of(session).last
    if last is None:
        return []
    packages = packages_for(session.user).filter(shipment__in=(last.shipment, *last.also))
    rows = []
    for package in packages.prefetch_related("items", "order__lines").order_by("pk"):
        lines = {(line.product_id, line.sku_id): line for line in package.order.lines.all()}
        rows += [
            SavedGoods(package.order, lines.get((item.product_id, item.sku_id)), item.product_cnt)
            for item in package.items.all()
        ]
    return rows


def is_paused(session: ScanSession) -> bool:
    """Whether what was just saved waits because its store stands still."""
    last = state_of(session).last
    if last is None:
        return False
    stores = Shipment.objects.filter(pk=last.shipment).values("merchant")
    return stopping_pauses().filter(merchant__in=stores).exists()


def recent_packages(session: ScanSession) -> list[Package]:
    """What this station saved last, the newest first."""
    rows = packages_for(session.user).filter(shipment__in=session.recent)
    return list(rows.select_related("shipment__packer").order_by("-pk"))
