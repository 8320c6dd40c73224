"""Staff, worker, platform, a back office and the clock, in any order hypothesis thinks of (RELIABILITY, T1).

Everything is the product's own but the clock, which is moved by hand; the sandbox lives in this process and goes
by the same clock. Each history has an order of its own, so that nothing need be emptied between two.
"""

from collections import Counter
from contextlib import suppress
from typing import Any
from unittest.mock import patch

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from merchants.models import User
from sandbox import build
from shipping import services, states
from shipping.dispatch import Pump
from shipping.drafts import Draft, Item, PackageDraft
from shipping.models import Package
from shipping.syncing import read_order
from tests.conftest import APPID
from tests.history import History

GOODS = ("1001", "2001")
# A call whose answer was lost may take effect so many seconds later: less than the grace, as far as anybody knows.
GRACE, LATE = 120, 70
# What may become of a call; each takes no time that passes in truth.
FATES = (
    "reset_before",
    "reset_after",
    "busy_before",
    "busy_after",
    "http500_after",
    "late_accept",
    "token_dead",
)
# Looks of a quarter of the grace each; a busy machine may need more than the five quiet minutes.
QUIET = 40


class Killed(BaseException):
    """The worker is gone: no handler of ours runs any more."""


class World:
    """What outlives a history: the store, its platform, the clock, the manager's account."""

    def __init__(self, world: Any, clock: Any) -> None:
        self.remote, self.merchant, self.clock = world.remote, world.merchant, clock
        self.manager = User.objects.create_user("model")
        self.waybills = 0

    def waybill(self) -> str:
        self.waybills += 1
        return f"SF31{self.waybills:011d}"


class Desk(RuleBasedStateMachine):
    """The state machine; a subclass gives it its world."""

    world: World

    @initialize(pieces=st.integers(2, 3), rest=st.integers(0, 1), fate=st.sampled_from(FATES))
    def an_order_comes_in(self, pieces: int, rest: int, fate: str) -> None:
        """With a first parcel of it confirmed, and what its call will meet."""
        lines = [build.line(*GOODS, pieces), *[build.line("1002", "2002", 1)] * rest]
        made = self.world.remote.order(APPID, lines)
        self.order, _ = read_order(self.world.merchant, made["order_id"])
        self.shipments: list[Any] = []
        self.confirmed = 0
        self.is_shared = False
        self.staff_ship(parcels=1, pieces=1)
        self._stumble(fate)

    # --- staff ----------------------------------------------------------------------------------------

    @rule(parcels=st.integers(1, 2), pieces=st.integers(1, 2))
    def staff_ship(self, parcels: int, pieces: int) -> None:
        """Also more than is left, which the rules refuse."""
        one = (Item(*GOODS, pieces),)
        packages = tuple(PackageDraft(1, "SF", self.world.waybill(), one) for _ in range(parcels))
        draft = Draft(self.order.order_id, packages)
        with suppress(services.Refused):
            shipment = services.queue_shipment(order=self.order, draft=draft, user=None)
            self.shipments.append(shipment)
            self.confirmed += len(packages)

    @precondition(lambda self: self.shipments)
    @rule()
    def staff_withdraw(self) -> None:
        services.cancel_shipment(shipment=self.shipments[-1], user=self.world.manager)

    @precondition(lambda self: self._in(states.CONFLICT))
    @rule()
    def manager_decides(self) -> None:
        """When no call can take effect any more, by what the back office shows."""
        self.world.clock.shift(GRACE)
        shown = self._shown()
        for package in self._in(states.CONFLICT):
            target = states.SHIPPED if package.waybill_id in shown else states.REJECTED
            services.settle_conflict(package=package, target=target, user=self.world.manager, reason="后台")

    # --- worker, platform, clock ------------------------------------------------------------------

    @rule(fate=st.sampled_from(FATES), is_read_lost=st.booleans())
    def worker_works(self, fate: str, is_read_lost: bool) -> None:
        self._stumble(fate)
        if is_read_lost:
            self.world.remote.fault("reset_before", call="order/get", order_id=self.order.order_id)
        self._pump()

    @rule(fate=st.sampled_from(FATES))
    def worker_dies(self, fate: str) -> None:
        """After the call, before a word of its answer is written."""
        self._stumble(fate)
        with patch("shipping.dispatch.pump.record", side_effect=Killed), suppress(Killed):
            self._pump()

    def _stumble(self, fate: str) -> None:
        """What comes of the next call, if one is made; "" is as it should be."""
        self.world.remote.ask("DELETE", "/_sandbox/faults")
        if fate:
            self.world.remote.fault(fate, order_id=self.order.order_id, seconds=LATE)

    @rule(is_all=st.sampled_from((True, True, False)), is_first=st.sampled_from((True, True, False)))
    def back_office_ships(self, is_all: bool, is_first: bool) -> None:
        """A person of the merchant's, who knows nothing of us, ships one piece or all; the worker comes next."""
        left = self._left()
        goods = [{"product_id": p, "sku_id": s, "product_cnt": n} for (p, s), n in left.items() if n]
        if goods:
            chosen = goods if is_all else [goods[0] | {"product_cnt": 1}]
            parcel = {"deliver_type": 1, "delivery_id": "YTO", "waybill_id": f"YT{self.world.waybill()}"}
            self.world.remote.ship_by_hand(self.order.order_id, [parcel | {"product_infos": chosen}])
            self.is_shared = True
        if is_first:
            self._stumble("")
            self._pump()

    @rule(seconds=st.sampled_from((1, 6, 30, 61, GRACE)))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.shift(seconds)

    # --- what must hold ---------------------------------------------------------------------------

    @invariant()
    def nothing_says_shipped_that_is_not(self) -> None:
        said = {package.waybill_id for package in self._in(states.SHIPPED)} if self.shipments else set()
        assert said <= (self._shown() if said else said), "I2, I10: shipped, and WeChat knows nothing of it"

    def teardown(self) -> None:
        """Quiet minutes, then the whole history is looked through."""
        if not hasattr(self, "shipments"):
            return
        for _ in range(QUIET):
            self._pump()
            self.world.clock.shift(GRACE / 4)
            if not self._in(*states.MOVING):
                break
        # Whatever was under way for longer than anybody waited arrives now.
        self.world.clock.shift(GRACE)
        self.nothing_says_shipped_that_is_not()
        shared = [self.order.order_id] if self.is_shared else []
        history = History(self.world.remote, by_others=shared, order_id=self.order.order_id)
        found = history.violations(self.confirmed)
        assert not found, "; ".join(found)

    # --- helpers ----------------------------------------------------------------------------------

    def _pump(self) -> None:
        Pump(only=[shipment.pk for shipment in self.shipments]).run(0.2)

    def _in(self, *statuses: str) -> list[Package]:
        return list(Package.objects.filter(order=self.order, status__in=statuses).select_related("attempt"))

    def _parcels(self) -> list[dict[str, Any]]:
        truth = self.world.remote.truth(self.order.order_id)
        return list(truth["order_detail"]["delivery_info"].get("delivery_product_info") or [])

    def _shown(self) -> set[str]:
        return {parcel["waybill_id"] for parcel in self._parcels()}

    def _left(self) -> Counter[tuple[str, str]]:
        """Pieces that the platform has not seen leave."""
        left = Counter({(line.product_id, line.sku_id): line.sku_cnt for line in self.order.lines.all()})
        for goods in (goods for parcel in self._parcels() for goods in parcel["product_infos"]):
            left[(str(goods["product_id"]), str(goods["sku_id"]))] -= int(goods["product_cnt"])
        return left
