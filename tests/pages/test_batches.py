"""The pages of a batch: nothing leaves before the yes, what is asked is asked once, a stranger sees nothing."""

from io import BytesIO
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from python_calamine import CalamineWorkbook

from merchants.models import User
from merchants.services import add_merchant, set_membership
from shipping.batches import controls, steps
from shipping.models import Batch, Courier, Order, Package

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def desk(world: Any, client: Client) -> Client:
    client.force_login(person("clerk", world.merchant, "staff"))
    return client


def person(name: str, merchant: Any, role: str) -> User:
    user = User.objects.create_user(name, password="parcels-all-day")
    set_membership(user=user, merchant=merchant, role=role)
    return user


def work() -> Batch:
    batch = Batch.objects.latest("pk")
    while steps.work(batch):
        pass
    return batch


def text(client: Client, address: str, **headers: str) -> str:
    answer = client.get(address, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_pasted_rows_are_rehearsed_mended_and_shipped(world: Any, desk: Client, pump: Any) -> None:
    one, two = world.order(), world.order()
    pasted = f"订单号\t快递公司\t快递单号\n{one.order_id}\t顺丰速运\tSF3100000000001\n{two.order_id}\tSF\t?"
    page = desk.post("/batches/upload/", {"pasted": pasted}).headers["Location"]
    assert "正在读取文件" in text(desk, page)
    batch = work()
    shown = text(desk, page)
    assert "请填快递单号，只用字母、数字和横线" in shown
    assert "第 3 行" in shown
    assert Package.objects.count() == 0
    edit = f"{page}rows/3/"
    card = desk.post(edit, {"waybill_id": "SF3100000000002"}, headers={"HX-Request": "true"})
    assert "可以发货" in card.content.decode()
    desk.post(f"{page}ship/")
    work()
    pump()
    assert "已发货 <b" in text(desk, f"{page}progress/?stage=open")
    assert Package.objects.filter(status="shipped").count() == 2
    assert "<title>" in text(desk, f"{page}progress/?stage=open")
    assert desk.get(f"{page}progress/?stage=checking").headers["HX-Refresh"] == "true"
    assert "发货" in text(desk, "/batches/")
    assert batch.rows == 2


def test_red_rows_go_back_as_a_file_that_no_formula_runs_in(world: Any, desk: Client) -> None:
    order = world.order()
    content = f"备注2,订单号,快递公司,快递单号\n=1+1,{order.order_id},SF,?\n".encode()
    page = desk.post("/batches/upload/", {"file": SimpleUploadedFile("今天.csv", content)}).headers[
        "Location"
    ]
    work()
    assert "备注2" in text(desk, page)
    desk.post(f"{page}columns/", {"column-0": "ignored"})
    work()
    answer = desk.get(f"{page}rows/")
    raw = b"".join(answer.streaming_content)
    header, row = CalamineWorkbook.from_filelike(BytesIO(raw)).get_sheet_by_index(0).to_python()
    assert header == ["备注2", "订单号", "快递公司", "快递单号", "原因", "怎么办"]
    assert row[:3] == ["=1+1", order.order_id, "SF"]
    assert "%E4%BB%8A%E5%A4%A9" in answer.headers["Content-Disposition"]


def test_a_file_of_two_stores_ships_for_each_and_above_fifty_the_button_says_so(
    world: Any, desk: Client
) -> None:
    second = add_merchant(appid="wx00000000000000bb", name="二店", secret="s" * 32)
    Courier.objects.create(merchant=second, delivery_id="SF", delivery_name="顺丰速运")
    set_membership(user=User.objects.get(username="clerk"), merchant=second, role="staff")
    lines = ["订单号,快递公司,快递单号"]
    for number, merchant in enumerate([world.merchant, second] * 26):
        order = Order.objects.create(
            merchant=merchant, order_id=f"37000000000000{number:05d}", status=20, deliver_method=0,
            read_at=merchant.couriers_read_at or world.merchant.couriers_read_at, openid=f"o{number}",
        )  # fmt: skip
        order.lines.create(position=0, product_id="1", sku_id="2", sku_cnt=1)
        lines.append(f"{order.order_id},SF,SF31000000{number:05d}")
    file = SimpleUploadedFile("两店.csv", "\n".join(lines).encode())
    page = desk.post("/batches/upload/", {"file": file}).headers["Location"]
    work()
    shown = " ".join(text(desk, page).split())
    assert "发货 52 个包裹：" in shown
    assert "二店 26，测试店 26" in shown or "测试店 26，二店 26" in shown


def test_a_colleague_sees_it_only_as_a_manager_and_only_the_own_stores(world: Any, client: Client) -> None:
    second = add_merchant(appid="wx00000000000000bb", name="二店", secret="s" * 32)
    uploader = person("boss", world.merchant, "manager")
    set_membership(user=uploader, merchant=second, role="staff")
    mine = world.order()
    other = Order.objects.create(merchant=second, order_id="3700000000000000777", status=20)
    content = f"订单号,快递公司,快递单号\n{mine.order_id},SF,?\n{other.order_id},SF,?\nTB-1,SF,SF1".encode()
    batch = controls.upload(user=uploader, filename="两店.csv", content=content)
    work()
    client.force_login(person("manager", world.merchant, "manager"))
    page = f"/batches/{batch.pk}/"
    shown = text(client, page)
    assert mine.order_id in shown
    assert other.order_id not in shown
    assert "TB-1" not in shown
    assert client.post(f"{page}ship/").status_code == 404
    client.force_login(person("packer", world.merchant, "staff"))
    assert client.get(page).status_code == 404
    assert "两店" not in text(client, "/batches/")


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "文件里没有内容"), (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"0" * 99, "文件")]
)
def test_a_file_that_cannot_be_used_says_why(world: Any, desk: Client, content: bytes, said: str) -> None:
    answer = desk.post("/batches/upload/", {"file": SimpleUploadedFile("a.xls", content)})
    work()
    assert said in text(desk, answer.headers["Location"])


def test_a_file_too_big_is_refused_before_it_is_kept(world: Any, desk: Client) -> None:
    file = SimpleUploadedFile("a.csv", b"1" * 5_000_001)
    assert "最多 5 MB" in desk.post("/batches/upload/", {"file": file}).content.decode()
    assert not Batch.objects.exists()
