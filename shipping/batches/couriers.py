"""Couriers as files name them, by the list of each row's own store and what was answered for it before."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from merchants.models import Merchant
from shipping.drafts import VIRTUAL, OrderFacts
from shipping.forms import resolve_courier
from shipping.models import Remembered
from shipping.sheets import Row
from wechat.couriers import named
from wechat.waybills import guess, normalise, same_courier


@dataclass
class Couriers:
    """Names -> codes; `guessed` holds the rows whose courier is told by the number alone."""

    stores: Iterable[Merchant]
    guessed: dict[int, str] = field(default_factory=dict)
    # A store's list and a name tell the same code in every row.
    told: dict[tuple[int, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        rows = Remembered.objects.filter(merchant__in=list(self.stores), kind=Remembered.Kind.COURIER)
        self.remembered = {
            (store, key): code for store, key, code in rows.values_list("merchant__pk", "key", "value")
        }

    def fill(self, row: Row, merchant: Merchant, facts: OrderFacts) -> None:
        """Put the code of the store's list into the row; a name nobody knows stays for its rule to name."""
        if typed := row["delivery_id"]:
            key = (merchant.pk, typed)
            if key not in self.told:
                self.told[key] = self._code(typed, merchant, facts)
            row.cells["delivery_id"] = self.told[key]
        elif code := self._guess(row, facts):
            row.cells["delivery_id"] = code
            self.guessed[row.number] = (facts.couriers or {}).get(code, code)

    def _code(self, typed: str, merchant: Merchant, facts: OrderFacts) -> str:
        if answered := self.remembered.get((merchant.pk, courier_key(typed))):
            return answered
        return named(typed, facts.couriers or {}) or resolve_courier(typed, facts)

    def _guess(self, row: Row, facts: OrderFacts) -> str:
        """Only a number that fits one courier alone; the shop's own list decides."""
        if not row["waybill_id"] or facts.suggested_type == VIRTUAL:
            return ""
        makers = guess(normalise(row["waybill_id"]))
        fitting = [code for maker in makers for code in facts.couriers or {} if same_courier(maker, code)]
        return fitting[0] if len(fitting) == 1 else ""


def courier_key(name: str) -> str:
    """A name as it is remembered: the spelling that counts."""
    return normalise(name)[:120]
