"""What leaves the building: the document's own examples, byte by byte as the sandbox received them."""

import json
from typing import Any

import pytest

from sandbox import build
from shipping.drafts import CourseDraft, Draft, Item, PackageDraft
from shipping.services import queue_shipment

pytestmark = pytest.mark.django_db(transaction=True)

EXAMPLE_5_1 = """{"order_id": "123456", "delivery_list": [{"delivery_id": "YD", "waybill_id": "23424324253",
"deliver_type": 1, "product_infos": [{"product_cnt": 1, "product_id": "12345", "sku_id": "678910"}]}]}"""
EXAMPLE_5_2 = """{"order_id": "123456", "delivery_list": [{"deliver_type": 3, "product_infos": [
{"product_cnt": 1, "product_id": "12345", "sku_id": "678910"}], "course_info": {"start_time": 1675180800, "end_time": 1675958400,
"course_path": {"type": 0, "wxa_appid": "wxabcdes", "wxa_path": "path"}}}]}"""
GOODS = (Item("12345", "678910", 1),)


def received(world: Any, order: Any) -> str:
    return str(world.sends(order)[0]["body"])


@pytest.mark.parametrize(
    ("example", "package", "method"),
    [
        (EXAMPLE_5_1, PackageDraft(1, "YD", "23424324253", GOODS), 0),
        (
            EXAMPLE_5_2,
            PackageDraft(3, "", "", GOODS, CourseDraft(1675180800, 1675958400, "wxabcdes", "path")),
            1,
        ),
    ],
    ids=["5.1", "5.2"],
)
def test_the_documents_example_leaves_as_written(
    world: Any, pump: Any, example: str, package: PackageDraft, method: int
) -> None:
    world.merchant.couriers.update_or_create(delivery_id="YD", defaults={"delivery_name": "韵达"})
    course = {"course_skus": ["678910"]}
    order = world.order(
        [build.line("12345", "678910", 1)], order_id="123456", deliver_method=method, sandbox=course
    )
    queue_shipment(order=order, draft=Draft("123456", (package,)), user=None)
    pump()
    body = received(world, order)
    assert json.loads(body) == json.loads(example)
    assert json.dumps(json.loads(body)) == json.dumps(json.loads(example)), "keys in the document's order"
    assert "\\u" not in body
    assert [row["errcode"] for row in world.sends(order)] == [0]
