"""What the desk itself asks for: holds, labels that went stale, one parcel for one buyer."""

import pytest

from shipping.drafts import Draft, Noted
from shipping.rules import check
from tests.rules.cases import A, B, express, facts, named

OLD, NEW = Noted("h1", "林** 广州", (A, B)), {"address_hash": "h1", "address": "林** 广州"}


@pytest.mark.parametrize(
    ("noted", "changes", "problems"),
    [
        (None, {"held_reason": "缺货", "held_by": "小王"}, [("order_held", "order", True)]),
        (None, {}, []),
        (OLD, NEW, []),
        (OLD, NEW | {"address_hash": "h2"}, [("address_changed", "order", True)]),
        (OLD, NEW | {"address_hash": ""}, []),
        (OLD, NEW | {"address_hash": "h2", "is_read": False}, [("facts_never_read", "order", False)]),
        (Noted("h1", "", (A,)), NEW, [("goods_changed", "order", True)]),
        (Noted("h1", "", ()), NEW, []),
        (
            None,
            {"waybills_elsewhere": {"SF1234567890123": "9"}},
            [("waybill_of_another_buyer", "packages[0].waybill_id", False)],
        ),
    ],
)
def test_the_desk_stops_what_a_person_should_see_first(noted, changes, problems):
    shipment = Draft("123456", (express(),), noted)
    assert named(check(shipment, facts(**changes))) == problems
