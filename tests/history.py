"""The history checker: what must hold of rows and the platform's ledger whatever happened in between.

The ledger of the sandbox is the truth. Each check yields sentences, one for each violation (RELIABILITY, I1 to I10).
"""

import json
from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from typing import Any

from shipping import states
from shipping.models import Attempt, Package, StatusChange

SEND = "order/delivery/send"
Row = dict[str, Any]


class History:
    """What our rows say and what the platform saw, read once.

    `by_others`: order ids that somebody also shipped in WeChat's back office; their parcels there are no calls of ours.
    `order_id`: look at this order alone.
    """

    def __init__(self, remote: Any, by_others: Collection[str] = (), order_id: str = "") -> None:
        wanted, ours = ({"order_id": order_id}, {"order__order_id": order_id}) if order_id else ({}, {})
        self.sends = [row for row in remote.ledger(**wanted) if row["path"].endswith(SEND)]
        self.by_others = by_others
        self.packages = list(
            Package.objects.select_related("order", "merchant").filter(**ours).order_by("pk")
        )
        self.attempts = list(
            Attempt.objects.select_related("order", "merchant").filter(**ours).order_by("pk")
        )
        self.changes = list(StatusChange.objects.filter(package__in=self.packages).order_by("pk"))
        self.accepted = Counter(
            (row["order_id"], parcel["waybill_id"]) for row in self.sends for parcel in row["accepted"]
        )

    def times_accepted(self, package: Package) -> int:
        return self.accepted[(package.order.order_id, package.waybill_id)]

    def violations(self, packages: int | None = None) -> list[str]:
        """Every sentence that does not hold; `packages`: how many people confirmed."""
        checks = [self._once, self._shipped, self._not_shipped, self._attempts_first, self._apart]
        checks += [self._own_token, self._replayed, self._settled]
        found = [sentence for check in checks for sentence in check()]
        if packages is not None and packages != len(self.packages):
            found.append(f"I4: {packages} packages were confirmed, {len(self.packages)} are there")
        return found

    def stayed(self, status: str) -> tuple[float, float, float]:
        """Seconds that packages stayed in `status`: the median, the 99th of a hundred, the longest."""
        entered: dict[int, Any] = {}
        seconds = [0.0]
        for change in self.changes:
            if change.source == status and (since := entered.pop(change.package_id, None)):
                seconds.append((change.at - since).total_seconds())
            if change.target == status:
                entered[change.package_id] = change.at
        seconds.sort()
        return seconds[len(seconds) // 2], seconds[int(0.99 * (len(seconds) - 1))], seconds[-1]

    def _once(self) -> Iterator[str]:
        for (order_id, waybill), times in self.accepted.items():
            if times > 1:
                yield f"I1: {waybill} of {order_id} was accepted {times} times"

    def _shipped(self) -> Iterator[str]:
        for package in self._in(states.SHIPPED):
            if self.times_accepted(package) != 1 and package.order.order_id not in self.by_others:
                yield f"I2, I10: {self._named(package)} says shipped, accepted {self.times_accepted(package)} times"

    def _not_shipped(self) -> Iterator[str]:
        for package in self._in(states.REJECTED, states.CANCELLED, states.DRAFT, states.QUEUED):
            if self.times_accepted(package):
                yield f"I3: {self._named(package)} says {package.status}, and was accepted"

    def _attempts_first(self) -> Iterator[str]:
        """The row of a call is older than the call, and holds what was sent."""
        saved: dict[str, list[Attempt]] = defaultdict(list)
        for attempt in self.attempts:
            saved[attempt.order.order_id].append(attempt)
        for row in self.sends:
            told = [
                one for one in saved[row["order_id"]] if one.sent_at and one.sent_at.timestamp() <= row["at"]
            ]
            if not any(one.request == json.loads(row["body"]) for one in told):
                yield f"I5: call {row['seq']} of {row['order_id']} has no attempt"

    def _apart(self) -> Iterator[str]:
        last: dict[int, Attempt] = {}
        for attempt in self.attempts:
            before = last.get(attempt.order_id)
            if before and (before.ended_at is None or before.ended_at > attempt.started_at):
                yield f"I6: attempts {before.pk} and {attempt.pk} of {attempt.order.order_id} overlap"
            last[attempt.order_id] = attempt

    def _own_token(self) -> Iterator[str]:
        appids = {one.order.order_id: one.merchant.appid for one in self.attempts}
        for row in self.sends:
            # A token nobody knows any more has no store: the platform refused it.
            if row["appid"] and row["appid"] != appids.get(row["order_id"]):
                yield f"I7: call {row['seq']} of {row['order_id']} went with the token of {row['appid']}"

    def _replayed(self) -> Iterator[str]:
        current: dict[int, str] = {}
        for change in self.changes:
            if change.source != current.get(change.package_id, states.DRAFT):
                yield f"I8: package {change.package_id} moved from {change.source}, where it was not"
            current[change.package_id] = change.target
        for package in self.packages:
            if current.get(package.pk, states.DRAFT) != package.status:
                yield f"I8: {self._named(package)} is {package.status}, its changes say otherwise"

    def _settled(self) -> Iterator[str]:
        for package in self._in(states.SENDING, states.UNKNOWN):
            yield f"I9: {self._named(package)} is still {package.status}"

    def _in(self, *statuses: str) -> list[Package]:
        return [package for package in self.packages if package.status in statuses]

    def _named(self, package: Package) -> str:
        return f"package {package.pk} ({package.waybill_id} of {package.order.order_id})"
