"""The station as a machine, without rows: tables of what is scanned and what follows."""

from dataclasses import dataclass, field, replace

import pytest

from shipping.drafts import Problem
from shipping.scanning import Goods, Opened, Parcel, Refused, Saved, State, Told, hear, step_of

ONE, TWO, HELD, GONE = (
    "3700000000000000001",
    "3700000000000000002",
    "3700000000000000003",
    "3700000000000000004",
)
PHONE, RING = "3700000000000000005", "3700000000000000006"
LABEL, NEXT_LABEL, JD_LABEL = "SF3100000000001", "SF3100000000002", "JDX012345678901"
EAN, OTHER_EAN, IMEI, IMEI2 = "4006381333931", "6901234567892", "868000041234569", "356938035643809"
TEA, CUP = (
    Goods(("1001", "2001"), "tea", 2, ("TEA-1", EAN, "1001")),
    Goods(("1002", "2002"), "cup", 1, ("CUP",)),
)
COURIERS = {"SF": "顺丰", "JD": "京东"}
HOLD = Problem("order", slug="order_held")
NO_SN = Problem("packages[0].serial.sn_code", 606060)
UNUSUAL = Problem("packages[0].waybill_id", 6060479, stops=False)
NO_COURIER = Problem("packages[0].delivery_id", 606004)
USED = Problem("packages[0].serial.sn_code", 268545011)


@dataclass
class Shelf:
    """A world of a few orders; what is saved is kept, what is withdrawn comes back."""

    orders: dict[str, Opened] = field(default_factory=dict)
    saved: list[Parcel] = field(default_factory=list)
    gone: bool = False
    looked: str = "now"

    def open(self, order_id: str) -> Opened | None:
        return self.orders.get(order_id)

    def rehearse(self, parcel: Parcel) -> tuple[Parcel, tuple[Problem, ...], str]:
        filled = replace(parcel, courier=parcel.courier or self._guess(parcel.waybill))
        checks = (
            (not filled.courier, NO_COURIER),
            (parcel.order_id == PHONE and not parcel.sn, NO_SN),
            (parcel.sn == "USED", USED),
            (filled.courier == "SF" and not parcel.waybill.startswith("SF"), UNUSUAL),
        )
        return filled, tuple(problem for is_wrong, problem in checks if is_wrong), self.looked

    def _guess(self, waybill: str) -> str:
        return next((code for code in COURIERS if waybill.startswith(code)), "")

    def save(self, parcel: Parcel, seen: str) -> Saved:
        opened = self.orders[parcel.order_id]
        if opened.left == 0:
            raise Refused((Problem("packages[0].items", 109002),))
        self.saved.append(parcel)
        goods = tuple(
            replace(g, left=g.left - parcel.counted.get(g.key, 0 if parcel.counted else g.left))
            for g in opened.goods
        )
        self.orders[parcel.order_id] = replace(opened, goods=goods)
        codes = tuple(filter(None, (parcel.waybill, parcel.sn, parcel.imei1)))
        return Saved(parcel.order_id, parcel.waybill, len(self.saved), codes)

    def withdraw(self, saved: Saved) -> bool:
        if not self.gone:
            self.saved.pop()
            self.orders[saved.order_id] = shelf().orders[saved.order_id]
        return not self.gone

    def wear(self, badge: str) -> str:
        return {"MEI": "小梅"}.get(badge, "")

    def find_row(self, waybill: str) -> Parcel | Told:
        rows = {LABEL: Parcel(ONE, waybill=LABEL, courier="SF", row=1), NEXT_LABEL: Parcel(HELD, row=2)}
        return rows.get(waybill) or Told("bad", "not_in_batch")


def shelf() -> Shelf:
    orders = {
        ONE: Opened(ONE, (TEA, CUP), couriers=COURIERS),
        TWO: Opened(TWO, (CUP,), couriers=COURIERS),
        HELD: Opened(HELD, (CUP,), (HOLD,), COURIERS),
        GONE: Opened(GONE, (replace(CUP, left=0),), couriers=COURIERS),
        PHONE: Opened(PHONE, (CUP,), couriers=COURIERS),
        RING: Opened(RING, (CUP,), couriers=COURIERS, is_virtual=True),
    }
    return Shelf(orders)


def run(scans: str, state: State | None = None, world: Shelf | None = None) -> tuple[State, Told, Shelf]:
    """Scans with blanks between them."""
    state, world, told = state or State(), world or shelf(), Told("idle", "")
    for text in scans.split():
        state, told = hear(state, text, world)
        # What is kept is what is read again.
        state = State.from_json(state.to_json())
    return state, told, world


YES, DONE, NEXT, UNDO, SKIP = (f"FH-{name}" for name in ("YES", "DONE", "NEXT", "UNDO", "SKIP"))


@pytest.mark.parametrize(
    ("scans", "tone", "slug", "step", "saved"),
    [
        # the plain way, and the same codes twice
        (ONE, "wait", "opened", "label", []),
        (f"{ONE} {LABEL}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} {ONE} {LABEL}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} {LABEL} {LABEL}", "ok", "already_saved", "slip", [LABEL]),
        (f"{ONE} {LABEL} {ONE}", "ok", "already_saved", "slip", [LABEL]),
        (f"{ONE} {LABEL} {TWO} {NEXT_LABEL}", "ok", "saved", "slip", [LABEL, NEXT_LABEL]),
        # the first scan is a slip
        (LABEL, "bad", "slip_first", "slip", []),
        ("3700000000000000099", "bad", "order_unknown", "slip", []),
        (HELD, "bad", "order_stops", "slip", []),
        (f"{HELD} {LABEL}", "bad", "slip_first", "slip", []),
        (GONE, "bad", "nothing_left", "slip", []),
        (RING, "bad", "virtual", "slip", []),
        # what is never a tracking number without a yes
        (f"{ONE} {OTHER_EAN}", "bad", "looks_like_goods", "label", []),
        (f"{ONE} {OTHER_EAN} {OTHER_EAN}", "bad", "looks_like_goods", "label", []),
        (f"{ONE} {IMEI}", "bad", "looks_like_imei", "label", []),
        (f"{ONE} 3700000000000000099", "bad", "looks_like_order", "label", []),
        (f"{ONE} 3700000000000000099 {LABEL}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} FH-K-JD {OTHER_EAN} {YES}", "ok", "saved", "slip", [OTHER_EAN]),
        (f"{ONE} TEA-1", "wait", "counted", "label", []),
        (f"{ONE} FH-DANCE", "bad", "command_unknown", "label", []),
        (f"{ONE} https://sf.example/1", "bad", "not_a_number", "label", []),
        # another slip, with an order in hand
        (f"{ONE} {TWO}", "bad", "other_slip", "label", []),
        (f"{ONE} {TWO} {LABEL}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} {TWO} {YES} {LABEL}", "ok", "saved", "slip", [LABEL]),
        # counting
        (f"{TWO} CUP CUP", "bad", "too_many", "label", []),
        (f"{TWO} CUP {LABEL}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} CUP {LABEL}", "wait", "count_more", "count", []),
        (f"{ONE} CUP {LABEL} {EAN} {EAN}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} CUP {LABEL} WRONG", "bad", "not_of_order", "count", []),
        (f"{ONE} CUP {LABEL} {LABEL}", "wait", "again", "count", []),
        (f"{ONE} CUP {LABEL} {DONE}", "bad", "ask_short", "count", []),
        (f"{ONE} CUP {LABEL} {DONE} {YES}", "ok", "saved", "slip", [LABEL]),
        # two packages for one order
        (f"{ONE} CUP {LABEL} {NEXT}", "ok", "saved_more", "label", [LABEL]),
        (f"{ONE} CUP {LABEL} {NEXT} {LABEL}", "wait", "again", "label", [LABEL]),
        (f"{ONE} CUP {LABEL} {NEXT} {NEXT_LABEL}", "ok", "saved", "slip", [LABEL, NEXT_LABEL]),
        (f"{ONE} {NEXT}", "bad", "label_first", "label", []),
        # couriers
        (f"{ONE} ABC123456789", "bad", "stops", "courier", []),
        (f"{ONE} ABC123456789 {LABEL}", "bad", "courier_first", "courier", []),
        (f"{ONE} ABC123456789 FH-K-JD", "ok", "saved", "slip", ["ABC123456789"]),
        (f"{ONE} FH-K-XX", "bad", "courier_unknown", "label", []),
        (f"{ONE} FH-K-SF {JD_LABEL}", "wait", "ask_problems", "count", []),
        (f"{ONE} FH-K-SF {JD_LABEL} {YES}", "ok", "saved", "slip", [JD_LABEL]),
        (f"{ONE} FH-K-SF {JD_LABEL} FH-K-JD", "ok", "saved", "slip", [JD_LABEL]),
        (f"{ONE} FH-K-SF {JD_LABEL} {SKIP}", "idle", "put_down", "slip", []),
        # serial numbers
        (f"{PHONE} {LABEL}", "wait", "scan_serial", "serial", []),
        (f"{PHONE} {LABEL} {LABEL}", "wait", "again", "serial", []),
        (f"{PHONE} {LABEL} C02XK1", "ok", "saved", "slip", [LABEL]),
        (f"{PHONE} {LABEL} {IMEI}", "wait", "imei_taken", "serial", []),
        (f"{PHONE} {LABEL} {IMEI} {IMEI} {IMEI2} C02XK1", "ok", "saved", "slip", [LABEL]),
        (f"{PHONE} {LABEL} 490154203237519", "bad", "imei_check", "serial", []),
        (f"{PHONE} {LABEL} {OTHER_EAN}", "bad", "looks_like_goods", "serial", []),
        (f"{PHONE} {LABEL} {NEXT_LABEL}", "bad", "looks_like_label", "serial", []),
        (f"{PHONE} {LABEL} USED", "bad", "stops", "serial", []),
        (f"{PHONE} {LABEL} USED C02XK1", "ok", "saved", "slip", [LABEL]),
        # commands
        (DONE, "bad", "nothing_open", "slip", []),
        (YES, "bad", "nothing_asked", "slip", []),
        (f"{ONE} {YES}", "bad", "nothing_asked", "label", []),
        (f"{ONE} {DONE}", "bad", "label_first", "label", []),
        (f"{ONE} {SKIP}", "idle", "put_down", "slip", []),
        (f"{ONE} {UNDO}", "idle", "put_down", "slip", []),
        (f"{ONE} CUP {UNDO} {LABEL}", "ok", "saved", "slip", [LABEL]),
        (f"{ONE} CUP {LABEL} {UNDO}", "wait", "undone", "label", []),
        (f"{ONE} {LABEL} {UNDO}", "wait", "withdrawn", "label", []),
        (f"{ONE} {LABEL} {UNDO} {NEXT_LABEL}", "ok", "saved", "slip", [NEXT_LABEL]),
        (UNDO, "bad", "nothing_open", "slip", []),
        # badges
        ("FH-B-MEI", "idle", "packer", "slip", []),
        (f"{ONE} fh-b-mei", "wait", "packer", "label", []),
        ("FH-B-X", "bad", "badge_unknown", "slip", []),
    ],
)
def test_what_a_scan_leads_to(scans: str, tone: str, slug: str, step: str, saved: list[str]) -> None:
    state, told, world = run(scans)
    assert (told.tone, told.slug, step_of(state)) == (tone, slug, step)
    assert [parcel.waybill for parcel in world.saved] == saved


def test_what_was_counted_leaves_and_the_rest_in_the_next_package() -> None:
    _, _, world = run(f"{ONE} CUP {LABEL} {NEXT} {EAN} {EAN} {NEXT_LABEL}")
    assert [dict(parcel.counted) for parcel in world.saved] == [{"1002/2002": 1}, {"1001/2001": 2}]


def test_where_every_piece_must_be_scanned_a_label_alone_saves_nothing() -> None:
    strict = State(must_count=True)
    assert run(f"{TWO} {LABEL}", strict)[1].slug == "count_more"
    assert run(f"{TWO} {LABEL} {DONE}", strict)[1].slug == "count_first"
    assert run(f"{TWO} {LABEL} CUP", strict)[1].slug == "saved"


def test_a_yes_counts_for_what_was_on_the_screen() -> None:
    state, told, world = run(f"{ONE} FH-K-SF {JD_LABEL}")
    world.looked = "since then"
    _, told, _ = run(YES, state, world)
    assert (told.slug, world.saved) == ("ask_problems", [])


def test_any_other_scan_takes_a_question_back() -> None:
    state, told, _ = run(f"{ONE} {OTHER_EAN} {ONE} {YES}")
    assert (told.slug, step_of(state)) == ("nothing_asked", "label")


def test_what_has_left_is_not_taken_back() -> None:
    state, _, world = run(f"{ONE} {LABEL}")
    world.gone = True
    _, told, _ = run(UNDO, state, world)
    assert (told.tone, told.slug, len(world.saved)) == ("bad", "too_late", 1)


def test_one_label_may_serve_two_orders() -> None:
    _, _, world = run(f"{ONE} {LABEL} {TWO} {LABEL}")
    assert [(parcel.order_id, parcel.waybill) for parcel in world.saved] == [(ONE, LABEL), (TWO, LABEL)]


def test_a_hold_set_meanwhile_stops_the_label() -> None:
    state, _, world = run(ONE)
    world.orders[ONE] = replace(world.orders[ONE], problems=(HOLD,))
    state, told, _ = run(LABEL, state, world)
    assert (told.tone, told.slug, told.problems, world.saved) == ("bad", "order_stops", (HOLD,), [])


def test_a_packer_of_another_store_packs_nothing_here() -> None:
    world = shelf()
    world.orders[ONE] = replace(world.orders[ONE], is_foreign_packer=True)
    assert run(ONE, world=world)[1].slug == "packer_foreign"


@pytest.mark.parametrize(
    ("scans", "slug", "saved"),
    [(LABEL, "saved_out", [ONE]), (f"{LABEL} {LABEL}", "already_saved", [ONE]),
     (NEXT_LABEL, "order_stops", []), (JD_LABEL, "not_in_batch", []), (ONE, "not_in_batch", [])],
)  # fmt: skip
def test_scanning_out_saves_what_a_file_has_named(scans: str, slug: str, saved: list[str]) -> None:
    _, told, world = run(scans, State(batch=1))
    assert (told.slug, [parcel.order_id for parcel in world.saved]) == (slug, saved)


def test_scanning_out_with_counting_shows_the_goods_first() -> None:
    state, told, world = run(LABEL, State(batch=1, must_count=True))
    assert (told.slug, step_of(state), world.saved) == ("count_more", "count", [])


@pytest.mark.parametrize("text", [" ", "\x00", "9" * 121])
def test_what_is_nothing_or_endless_changes_nothing(text: str) -> None:
    assert hear(State(), text, shelf()) == (State(), Told("bad", "unreadable"))
