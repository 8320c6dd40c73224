"""The morning's digest: once a day and store however many workers run, in the channel's language."""

from datetime import time, timedelta
from typing import Any

import pytest
from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from merchants.models import Channel, Merchant, Message
from shipping import digests, timekeeper
from shipping.models import Digest
from tests.board.made import again, in_trouble, order
from tests.pages.test_desk import page

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("at_noon")]


@pytest.fixture
def channel(stores: list[Merchant]) -> Channel:
    return Channel.objects.create(merchant=stores[0], name="仓库群", kind=Channel.Kind.MAIL)


def work() -> None:
    """A minute of the timekeeper, and what it has handed out."""
    timekeeper.run_if_due("digests")
    call_command("db_worker", "--batch", "--queue-name", "rest", "--no-startup-delay", verbosity=0)


def test_it_goes_once_a_day_at_its_hour(channel: Channel, at_noon: Any) -> None:
    morning = timezone.now().replace(hour=0, minute=29)
    for minutes, sent in ((0, 0), (2, 1), (4, 1), (60 * 24, 1), (60 * 24 + 3, 2)):
        at_noon.move_to(morning + timedelta(minutes=minutes))
        work()
        assert Message.objects.count() == sent, minutes


def test_two_workers_write_one(channel: Channel, stores: list[Merchant]) -> None:
    today = timezone.localdate()
    assert [digests.write(stores[0], today) for _ in range(3)] == [True, False, False]
    assert Message.objects.count() == 1


def test_one_that_could_not_be_written_is_written_later(
    channel: Channel,
    stores: list[Merchant],
    monkeypatch: Any,
) -> None:
    def broken(*args: Any) -> Any:
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(digests, "words", broken)
        with pytest.raises(RuntimeError):
            digests.write(stores[0], timezone.localdate())
    assert not Digest.objects.exists()
    assert digests.write(stores[0], timezone.localdate())


def test_what_it_says(channel: Channel, stores: list[Merchant]) -> None:
    yesterday = timedelta(hours=20)
    in_trouble(order(stores[0], status=30), "shipped", yesterday)
    in_trouble(order(stores[0], order_price=123_400), "rejected", yesterday, errcode=606005)
    for language in ("zh-hans", "en"):
        Channel.objects.update(language=language)
        Digest.objects.all().delete()
        digests.write(stores[0], timezone.localdate())
    chinese, english = Message.objects.order_by("pk")
    for word in ("昨天：发出 1，失败 1，一次成功 50.0%", "快递单号不对 × 1", "还剩 1", "压着 ¥1,234",
                 "/board/?merchant=wx0"):  # fmt: skip
        assert word in chinese.text
    assert "店0：昨天发出 1 个包裹，今天还有 1 单要发" in chinese.title
    assert "shipped" in english.title
    assert "一次" not in english.text


def test_a_manager_switches_it_off_and_moves_its_hour(
    channel: Channel,
    manager: Client,
    stores: list[Merchant],
    at_noon: Any,
) -> None:
    html = page(manager.get("/board/digest/"))
    assert "仓库群" in html
    assert "店2" not in html
    place = f"/board/digest/{stores[0].pk}/"
    for form, at, goes in (
        ({"at": "08:30"}, time(8, 31), False),
        ({"at": "09:15", "is_on": "on"}, time(9, 16), True),
    ):
        assert again(manager).post(place, form).status_code == 302
        at_noon.move_to(timezone.localtime().replace(hour=at.hour, minute=at.minute))
        assert bool(digests.due()) is goes
    for nonsense in ("", "99:99", "x"):
        again(manager).post(place, {"at": nonsense, "is_on": "on"})
        assert digests.time_of(stores[0]).at == time(9, 15)
    assert manager.post(f"/board/digest/{stores[2].pk}/", {"at": "08:30"}).status_code == 404
