"""A file against the orders of its uploader: what each row would do, and that nothing goes out twice."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from merchants.models import User
from merchants.services import add_merchant, set_membership
from sandbox import build
from shipping import erasing
from shipping.around import look_around
from shipping.batches import controls, fixes, reads, returning, steps
from shipping.dispatch.claiming import claim_some
from shipping.drafts import Draft, PackageDraft
from shipping.models import Batch, BatchFile, BatchOrder, BatchRow, Order, Package, Remembered
from shipping.queries import facts_of, order_facts
from shipping.services import queue_shipment

pytestmark = pytest.mark.django_db(transaction=True)
HEAD = "订单号,快递公司,快递单号"
TEA, CASE = ("10000001", "20000001"), ("10000002", "20000002")


@pytest.fixture
def clerk(world: Any) -> User:
    user = User.objects.create_user("clerk", password="parcels-all-day")
    set_membership(user=user, merchant=world.merchant, role="staff")
    return user


def work(batch: Batch) -> Batch:
    while steps.work(batch):
        pass
    batch.refresh_from_db()
    return batch


def upload(user: User, *lines: str, name: str = "发货.csv") -> Batch:
    content = "\n".join(lines).encode("gb18030")
    return work(controls.upload(user=user, filename=name, content=content))


def verdicts(batch: Batch) -> list[str]:
    return list(batch.orders.order_by("first_row").values_list("verdict", flat=True))


def problems(batch: Batch, number: int = 0) -> list[tuple[Any, ...]]:
    row = batch.orders.order_by("first_row")[number]
    return [(at, column, errcode or slug) for at, column, errcode, slug, *_ in row.problems]


def test_green_rows_ship_and_the_same_file_ships_nothing_twice(
    world: Any, clerk: User, pump: Callable[..., None]
) -> None:
    one, two = world.order(), world.order([build.line(*TEA, 2), build.line(*CASE)])
    lines = (HEAD, f"{one.order_id},顺丰速运,SF3100000000001", f"{two.order_id},SF,SF3100000000002")
    batch = upload(clerk, *lines)
    assert verdicts(batch) == ["ready", "ready"]
    assert Package.objects.count() == 0
    controls.confirm(batch=batch, user=clerk)
    assert verdicts(work(batch)) == ["queued", "queued"]
    pump()
    assert [json.loads(send["body"])["delivery_list"][0]["waybill_id"] for send in world.sends(two)] == [
        "SF3100000000002"
    ]
    assert reads.tally(clerk, batch).done == 2
    assert verdicts(upload(clerk, *lines)) == ["known", "known"]


def test_a_number_of_digits_alone_is_rehearsed_like_any_other(world: Any, clerk: User) -> None:
    orders = [world.order() for _ in range(2)]
    batch = upload(clerk, HEAD, *(f"{order.order_id},中通快递,73100000000912" for order in orders))
    assert [found.first_row for found in batch.orders.all()] == [2, 3]


def test_an_unknown_courier_is_named_once_and_remembered(world: Any, clerk: User) -> None:
    orders = [world.order() for _ in range(3)]
    lines = [f"{order.order_id},蜗牛速递,SF310000000000{n}" for n, order in enumerate(orders)]
    batch = upload(clerk, HEAD, *lines)
    (cause,) = reads.causes(clerk, batch)
    assert (cause.cause, cause.rows) == ("606004|delivery_id|蜗牛速递", 3)
    fixes.name_courier(batch, cause.cause, world.merchant, "SF", clerk)
    assert verdicts(work(batch)) == ["ready"] * 3
    assert Remembered.objects.get(kind="courier").value == "SF"
    assert verdicts(upload(clerk, HEAD, lines[0])) == ["ready"]


def test_orders_of_others_are_grey_and_read_alike(world: Any, clerk: User) -> None:
    foreign = add_merchant(appid="wx00000000000000bb", name="别家", secret="s" * 32)
    Order.objects.create(merchant=foreign, order_id="3700000000000000001", status=20)
    batch = upload(
        clerk, HEAD, "3700000000000000001,SF,SF3100000000001", "3700000000000000002,SF,SF3100000000002",
        "TB-20261124-77,SF,SF3100000000003",
    )  # fmt: skip
    assert verdicts(batch) == ["strange"] * 3
    assert {row.merchant_id for row in batch.orders.all()} == {None}
    assert {str(row.problems) for row in batch.orders.all()} == {"[]"}


def test_an_order_that_left_under_another_number_is_no_mistake_of_the_file(
    world: Any, clerk: User, pump: Callable[..., None]
) -> None:
    order = world.order()
    batch = upload(clerk, HEAD, f"{order.order_id},SF,SF3100000000001")
    controls.confirm(batch=batch, user=clerk)
    work(batch)
    pump()
    assert verdicts(upload(clerk, HEAD, f"{order.order_id},SF,SF3100000000009")) == ["differs"]


def test_a_problem_stands_at_its_row_and_column_and_a_row_is_mended_in_place(world: Any, clerk: User) -> None:
    order = world.order()
    batch = upload(clerk, HEAD, f"{order.order_id},SF,单号?")
    assert verdicts(batch) == ["stopped"]
    assert problems(batch) == [(2, "waybill_id", 606005)]
    fixes.edit_row(batch, 2, {"waybill_id": "SF3100000000001"})
    assert verdicts(batch) == ["ready"]


def test_one_parcel_of_one_buyer_is_no_warning_and_of_two_buyers_is(world: Any, clerk: User) -> None:
    buyer = {"openid": "o1"}
    mine, also, other = world.order(**buyer), world.order(**buyer), world.order(openid="o2")
    Order.objects.update(address_hash="same")
    Order.objects.filter(pk__in=(mine.pk, also.pk)).update(openid="o1")
    Order.objects.filter(pk=other.pk).update(openid="o2")
    lines = [f"{order.order_id},SF,SF3100000000001" for order in (mine, also)]
    assert [row.problems for row in upload(clerk, HEAD, *lines).orders.all()] == [[], []]
    batch = upload(clerk, HEAD, *lines, f"{other.order_id},SF,SF3100000000001")
    assert verdicts(batch) == ["ready"] * 3
    assert problems(batch, 2) == [(4, "waybill_id", "waybill_of_another_buyer")]


def test_a_number_that_excel_destroyed_is_never_looked_for(world: Any, clerk: User) -> None:
    Order.objects.create(merchant=world.merchant, order_id="3700000000000000000", status=20)
    batch = upload(clerk, HEAD, "3.70E+18,SF,SF3100000000001")
    assert verdicts(batch) == ["stopped"]
    assert problems(batch) == [(2, "order_id", "digits_lost")]


def test_unknown_columns_are_asked_for_once(world: Any, clerk: User) -> None:
    order = world.order([build.line(*TEA, 3)])
    lines = (HEAD + ",箱内几件", f"{order.order_id},SF,SF3100000000001,2")
    batch = upload(clerk, *lines)
    assert batch.stage == Batch.Stage.COLUMNS
    controls.answer_columns(batch=batch, answers={3: "product_cnt"})
    work(batch)
    assert batch.stage == Batch.Stage.OPEN
    assert upload(clerk, *lines).stage == Batch.Stage.OPEN


def test_what_is_paused_stays_and_what_has_not_left_can_be_withdrawn(
    world: Any, clerk: User, pump: Callable[..., None]
) -> None:
    order = world.order()
    batch = upload(clerk, HEAD, f"{order.order_id},SF,SF3100000000001")
    controls.confirm(batch=batch, user=clerk)
    work(batch)
    controls.pause(batch=batch, user=clerk)
    pump()
    assert world.sends(order) == []
    controls.cancel(batch=batch, user=clerk)
    work(batch)
    controls.resume(batch=batch)
    pump()
    assert world.sends(order) == []
    assert reads.tally(clerk, batch).packages == {"cancelled": 1}


def test_facts_of_many_are_the_facts_of_each(world: Any, clerk: User, pump: Callable[..., None]) -> None:
    orders = [world.order([build.line(*TEA, 2)]), world.order([build.subsidy_line(*CASE)]), world.order()]
    batch = upload(clerk, HEAD, f"{orders[0].order_id},SF,SF3100000000001")
    controls.confirm(batch=batch, user=clerk)
    work(batch)
    pump()
    rows = list(Order.objects.select_related("merchant").prefetch_related("lines", "parcels"))
    numbers = {order.pk: ["SF3100000000001"] for order in rows}
    arounds = look_around(rows, waybills=numbers, serials={})
    for order in rows:
        alone = order_facts(Order.objects.get(pk=order.pk), waybills=numbers[order.pk])
        assert facts_of(order, arounds[order.pk]) == alone
    assert BatchOrder.objects.count() == 1


def test_thousands_of_one_store_keep_no_other_store_waiting(world: Any, clerk: User) -> None:
    other = add_merchant(appid="wx00000000000000bb", name="小店", secret="s" * 32)
    orders = [world.order() for _ in range(12)]
    batch = upload(clerk, HEAD, *(f"{o.order_id},SF,SF31000000000{n:02d}" for n, o in enumerate(orders)))
    controls.confirm(batch=batch, user=clerk)
    work(batch)
    small = Order.objects.create(
        merchant=other, order_id="3700000000000000001", status=20, paid_at=timezone.now(),
        read_at=timezone.now(), deliver_method=0,
    )  # fmt: skip
    small.lines.create(position=0, product_id=TEA[0], sku_id=TEA[1], sku_cnt=1)
    draft = Draft(small.order_id, (PackageDraft(1, "SF", "SF3200000000001"),))
    queue_shipment(order=small, draft=draft, user=None)
    claimed = claim_some("run", 4)
    assert small.pk in {attempt.order_id for attempt in claimed}


def test_red_rows_come_back_in_the_uploaders_own_columns(
    world: Any, clerk: User, pump: Callable[..., None]
) -> None:
    good, refused = world.order(), world.order()
    world.remote.fault("code", errcode=606005, order_id=refused.order_id)
    head = "收货人,订单号,快递公司,快递单号"
    batch = upload(
        clerk, head, f"=甲,{good.order_id},SF,?", f"乙,{refused.order_id},SF,SF3100000000002",
        f"丙,{world.order().order_id},SF,SF3100000000003",
    )  # fmt: skip
    controls.confirm(batch=batch, user=clerk)
    work(batch)
    pump()
    header, *rows = returning.rows_to_mend(clerk, batch)
    assert header == ["收货人", "订单号", "快递公司", "快递单号", "原因", "怎么办"]
    assert [row[:2] for row in rows] == [["=甲", good.order_id], ["乙", refused.order_id]]
    assert rows[0][4].startswith("快递单号：")
    assert rows[1][4].startswith("606005 ")


def test_what_was_refused_for_a_passing_reason_is_tried_again_and_a_wrong_number_is_not(
    world: Any, clerk: User, pump: Callable[..., None]
) -> None:
    passing, wrong = world.order(), world.order()
    world.remote.fault("code", errcode=108009, order_id=passing.order_id, times=1)
    world.remote.fault("code", errcode=606005, order_id=wrong.order_id, times=1)
    lines = [f"{o.order_id},SF,SF310000000000{n}" for n, o in enumerate((passing, wrong))]
    batch = upload(clerk, HEAD, *lines)
    controls.confirm(batch=batch, user=clerk)
    work(batch)
    pump()
    assert reads.tally(clerk, batch).rejected == 2
    assert controls.retry(batch=batch, user=clerk) == 1
    work(batch)
    pump()
    tally = reads.tally(clerk, batch)
    assert (tally.done, tally.rejected) == (1, 1)
    assert len(world.sends(wrong)) == 1


def test_an_upload_goes_when_a_buyer_in_it_is_forgotten_or_its_time_is_over(
    world: Any, clerk: User, settings: Any
) -> None:
    order = world.order(openid="o1")
    lines = ("收货人,订单号,快递公司,快递单号", f"林小姐,{order.order_id},SF,SF3100000000001")
    erased, old = upload(clerk, *lines), upload(clerk, *lines)
    erasing.erase_buyer("o1")
    assert not BatchFile.objects.exists()
    assert {str(row.cells) for row in BatchRow.objects.all()} == {"[]"}
    kept = upload(clerk, HEAD, "1,SF,SF3100000000001")
    settings.BATCH_FILE_DAYS = 30
    Batch.objects.filter(pk=kept.pk).update(created_at=timezone.now() - timedelta(days=31))
    assert erasing.remove_old_uploads() == 1
    assert {str(row.cells) for row in BatchRow.objects.filter(batch=kept)} == {"[]"}
    assert verdicts(erased) == verdicts(old)


def test_a_batch_that_a_killed_worker_left_goes_on(world: Any, clerk: User) -> None:
    batch = controls.upload(user=clerk, filename="a.csv", content=f"{HEAD}\n1,SF,SF1".encode())
    Batch.objects.filter(pk=batch.pk).update(lease_until=timezone.now() - timedelta(minutes=2))
    DBTaskResult.objects.all().delete()
    steps.wake_stuck()
    steps.wake_stuck()
    assert [task.task_path for task in DBTaskResult.objects.all()] == ["shipping.tasks.work_batch"]


def test_a_mended_row_takes_the_place_of_what_was_refused(
    world: Any, clerk: User, pump: Callable[..., None]
) -> None:
    order = world.order()
    world.remote.fault("code", errcode=606005, order_id=order.order_id, times=1)
    first = upload(clerk, HEAD, f"{order.order_id},SF,SF3100000000001")
    controls.confirm(batch=first, user=clerk)
    work(first)
    pump()
    again = upload(clerk, HEAD, f"{order.order_id},SF,SF3100000000002")
    controls.confirm(batch=again, user=clerk)
    work(again)
    shipment = again.orders.get().shipment
    assert shipment is not None
    assert shipment.corrects == first.orders.get().shipment
    assert reads.tally(clerk, again).left == 1


def test_a_cell_longer_than_any_number_stops_its_row_alone(world: Any, clerk: User) -> None:
    long, good = world.order(), world.order()
    batch = upload(clerk, HEAD, f"{long.order_id},SF,{'S' * 70}", f"{good.order_id},SF,SF3100000000001")
    assert verdicts(batch) == ["stopped", "ready"]
