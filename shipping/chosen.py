"""Orders chosen in the list and shipped on one page: a courier once, a number each."""

import re
import uuid
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from django.http import QueryDict
from django.utils.translation import gettext as _

from merchants.models import Merchant, User
from wechat.waybills import normalise

from .around import look_around
from .bulk import Wish, check_many, queue_many
from .drafts import VIRTUAL, Draft, OrderFacts, PackageDraft, Problem
from .forms import LONGEST_KEY, Finding, guess_courier, in_words, resolve_courier
from .models import Order, Shipment
from .queries import facts_of
from .services import withdrawn_of
from .slips import orders_to_print

# Above this many packages the button says whose they are and asks once more.
ASK_FROM = 50
# Longer than any column: what does not fit is for the rules to refuse, never for us to cut.
LONGEST_NUMBER = 200
CELLS = re.compile(r"[\s,;]+")


@dataclass
class Line:
    """One order of the page: what is typed for it, and what is wrong with that."""

    order: Order
    facts: OrderFacts
    waybill: str = ""
    is_picked: bool = True
    # The name of the courier that was told by the number alone.
    guessed: str = ""
    findings: list[Finding] = field(default_factory=list)

    @property
    def is_virtual(self) -> bool:
        return self.facts.suggested_type == VIRTUAL

    @property
    def is_open(self) -> bool:
        """Whether it waits for a number."""
        return self.is_picked and not self.is_virtual and not self.waybill.strip()

    @property
    def is_stopped(self) -> bool:
        return any(finding.stops for finding in self.findings)

    def draft(self, courier: str) -> Draft:
        """Everything that is left in one package; a virtual order has neither courier nor number."""
        if self.is_virtual:
            return Draft(self.order.order_id, (PackageDraft(),))
        code = resolve_courier(courier, self.facts) if courier else self._guess()
        return Draft(self.order.order_id, (PackageDraft(delivery_id=code, waybill_id=self.waybill),))

    def _guess(self) -> str:
        listed = self.facts.couriers or {}
        code = guess_courier(self.waybill, listed, "")[0]
        self.guessed = listed.get(code, "")
        return code


@dataclass
class Chosen:
    """The page as it stands. form_key: of this page; each order's own is made of it."""

    lines: list[Line]
    user: User
    courier: str = ""
    pasted: str = ""
    form_key: str = field(default_factory=lambda: uuid.uuid4().hex)

    @property
    def picked(self) -> list[Line]:
        return [line for line in self.lines if line.is_picked]

    @property
    def has_parcels(self) -> bool:
        return any(not line.is_virtual for line in self.lines)

    @property
    def first_open(self) -> int | None:
        """The order whose number is scanned next."""
        return next((line.order.pk for line in self.lines if line.is_open), None)

    @property
    def stores(self) -> list[tuple[Merchant, int]]:
        """Whose packages are picked, and how many."""
        counts = Counter(line.order.merchant for line in self.picked)
        return sorted(counts.items(), key=lambda pair: -pair[1])

    @property
    def is_stopped(self) -> bool:
        return any(line.is_stopped for line in self.picked)

    @property
    def needs_yes(self) -> bool:
        """Warnings, guesses, and many packages: a person looks once more."""
        told = any(line.findings or line.guessed for line in self.picked)
        return told or len(self.picked) > ASK_FROM

    def check(self) -> None:
        """Let the rules judge every picked order; nothing is written."""
        wishes = self._wishes()
        checked = check_many(wishes, {wish.order.pk: wish.order for wish in wishes}, self.user)
        for line, wish in zip(self.picked, wishes, strict=True):
            _draft, problems = checked[wish.form_key]
            line.findings = [in_words(problem) for problem in [*problems, *self._mates(line)]]

    def _mates(self, line: Line) -> list[Problem]:
        """A number that this page also gives to another buyer's order."""
        number = "" if line.is_virtual else normalise(line.waybill)
        same = (m for m in self.picked if number and m is not line and normalise(m.waybill) == number)
        other = next((m for m in same if _buyer(m) != _buyer(line)), None)
        if other is None:
            return []
        params: Mapping[str, str | int] = {"other": other.order.order_id}
        return [Problem("packages[0].waybill_id", None, "waybill_of_another_buyer", False, params)]

    def queue(self) -> int:
        """Queue what is picked; what is refused at the last moment stays. Returns how many orders went."""
        outcomes = queue_many(self._wishes(), user=self.user, door="list")
        withdrawn = withdrawn_of([outcome for outcome in outcomes if isinstance(outcome, Shipment)])
        refused = []
        for line, outcome in zip(self.picked, outcomes, strict=True):
            line.findings = _findings(outcome, withdrawn)
            if line.findings:
                refused.append(line)
        gone = len(self.picked) - len(refused)
        self.lines = [line for line in self.lines if line in refused or not line.is_picked]
        return gone

    def _wishes(self) -> list[Wish]:
        return [
            Wish(line.order, line.draft(self.courier), f"{self.form_key}-{line.order.pk}")
            for line in self.picked
        ]

    def fill(self) -> None:
        """Give the pasted numbers to their orders, or in turn to those without; what is over stays."""
        by_id = {line.order.order_id: line for line in self.lines}
        over = []
        for text in filter(str.strip, self.pasted.splitlines()):
            cells = [cell for cell in CELLS.split(text) if cell]
            line = next((by_id[cell] for cell in cells if cell in by_id), None)
            numbers = [cell for cell in cells if cell not in by_id]
            line = line or next((line for line in self.lines if line.is_open), None)
            if line is None or not numbers:
                over.append(text)
            else:
                line.waybill = numbers[-1][:LONGEST_NUMBER]
        self.pasted = "\n".join(over)


def _buyer(line: Line) -> tuple[str, str]:
    return (line.order.openid, line.order.address_hash)


def _findings(outcome: Shipment | list[Problem], withdrawn: set[int]) -> list[Finding]:
    if not isinstance(outcome, Shipment):
        return [in_words(problem) for problem in outcome]
    told = _("这一单从这张表提交过，又撤回了，没有再次提交；要重发，请从订单列表重新选它。")
    return [Finding(told, True, None)] if outcome.pk in withdrawn else []


def open_chosen(user: User, order_ids: list[str]) -> Chosen:
    """The page for these orders; 404 when one of them is not the user's."""
    orders = orders_to_print(user, order_ids)
    arounds = look_around(orders, waybills={}, serials={})
    return Chosen([Line(order, facts_of(order, arounds[order.pk])) for order in orders], user)


def read_chosen(user: User, data: QueryDict) -> Chosen:
    """The page as it was posted: `row` names its orders, `order` those that are ticked."""
    chosen = open_chosen(user, list(dict.fromkeys(data.getlist("row"))))
    ticked = set(data.getlist("order"))
    for line in chosen.lines:
        line.is_picked = line.order.order_id in ticked
        line.waybill = data.get(f"waybill-{line.order.order_id}", "")[:LONGEST_NUMBER]
    chosen.courier, chosen.pasted = data.get("courier", "").strip(), data.get("pasted", "")
    # Room for the number of an order behind it.
    chosen.form_key = data.get("form_key", "")[:LONGEST_KEY] or chosen.form_key
    return chosen
