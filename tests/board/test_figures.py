"""The board's sums equal a count of every package by hand, whatever was kept in rows and whenever."""

import random
from collections import Counter
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import call_command
from django.utils import timezone

from merchants.models import Merchant, User
from shipping import figures
from shipping.models import Figure, FigureCursor, Package
from tests.board.made import moments, package

pytestmark = [pytest.mark.django_db, pytest.mark.postgres]
BEIJING = ZoneInfo("Asia/Shanghai")
FIRST = datetime(2026, 3, 2, 3, tzinfo=BEIJING)
NOW = datetime(2026, 3, 6, 15, 20, tzinfo=BEIJING)
WHOLE = [(date(2026, 3, 2), date(2026, 3, 6))]
DAYS = [date(2026, 3, 2) + timedelta(days=n) for n in range(5)]


def by_hand(
    packages: list[Package], stores: list[int], first: date, last: date
) -> tuple[Counter[Any], Counter[Any]]:
    """Every package looked at: the sums, and the shipped and refused ones by day."""
    sums, days, hours = Counter[Any](), Counter[Any](), set()
    for p in packages:
        at = p.status_at.astimezone(BEIJING)
        if p.merchant_id not in stores or p.kind != "send" or not first <= at.date() <= last:
            continue
        if p.status == "shipped":
            days[(at.date(), "shipped")] += 1
            sums[("shipped", f"{at:%H}")] += 1
            sums[("courier", p.delivery_id)] += 1
            sums[("right", "")] += p.shipment.corrects_id is None
            if p.person_id:
                sums[("person", str(p.person_id))] += 1
                hours.add((p.person_id, p.merchant_id, at.date(), at.hour))
            if p.order.paid_at:
                minutes = int((p.status_at - p.order.paid_at).total_seconds() // 60)
                sums[("took", str(figures.step_of(minutes)))] += 1
        if p.status == "rejected":
            days[(at.date(), "refused")] += 1
            sums[("refused", f"{at:%H}")] += 1
            sums[("code", p.slug if p.errcode is None else str(p.errcode))] += 1
            sums[("wrong", "")] += p.shipment.corrects_id is None
    for person, *_ in hours:
        sums[("hours", str(person))] += 1
    return +sums, +days


def agree(stores: list[int], spans: list[tuple[date, date]]) -> None:
    packages = list(Package.objects.select_related("order", "shipment"))
    for first, last in spans:
        found = figures.read(stores, first, last)
        days = {
            (day, what): count
            for day, sums in found.by_day.items()
            for what in ("shipped", "refused")
            if (count := sum(n for (kind, _), n in sums.items() if kind == what))
        }
        assert (+found.total, days) == by_hand(packages, stores, first, last), (first, last)
        assert found.is_whole


@pytest.fixture
def stores(db: None) -> list[Merchant]:
    return [Merchant.objects.create(appid=f"wx{n}", name=f"店{n}") for n in range(2)]


@pytest.mark.parametrize(
    "seed", [1, pytest.param(2, marks=pytest.mark.long), pytest.param(3, marks=pytest.mark.long)]
)
def test_the_sums_are_those_of_a_count_by_hand(stores: list[Merchant], seed: int) -> None:
    dice = random.Random(seed)
    people = [User.objects.create_user(f"p{n}") for n in range(2)]
    keys = [store.pk for store in stores]
    for at in moments(dice, FIRST, NOW, 150):
        with time_machine.travel(at, tick=False):
            package(dice.choice(stores), at, dice, people)
            if dice.random() < 0.15:
                figures.count_on(dice.choice(keys), dice.choice((0, float("inf"))))
    with time_machine.travel(NOW, tick=False):
        for store in stores:
            figures.count_on(store.pk, float("inf"))
        agree(keys, [(first, last) for first in DAYS for last in DAYS if first <= last])
        agree(keys[:1], WHOLE)
        agree([], WHOLE)
        kept = sorted(Figure.objects.values_list("merchant", "day", "hour", "what", "key", "count"))
        call_command("count_figures")
        assert sorted(Figure.objects.values_list("merchant", "day", "hour", "what", "key", "count")) == kept
        call_command("count_figures", merchant="wx1", since="2026-03-04")
        assert sorted(Figure.objects.values_list("merchant", "day", "hour", "what", "key", "count")) == kept
        agree(keys, WHOLE)


def test_what_is_over_stands_in_rows_and_is_not_counted_again(
    stores: list[Merchant], django_assert_num_queries: Any
) -> None:
    dice, store = random.Random(5), stores[0]
    with time_machine.travel(NOW, tick=False):
        for hours in (1, 30, 60):
            package(store, NOW - timedelta(hours=hours), dice, [], status="shipped", kind="send")
        figures.count_on(store.pk, float("inf"))
        assert FigureCursor.objects.get().counted_to == NOW.replace(minute=0)
        assert {row.hour for row in Figure.objects.filter(day=NOW.date())} == {14}
        assert {row.hour for row in Figure.objects.exclude(day=NOW.date())} == {-1}
        Package.objects.filter(status_at__lt=NOW.replace(hour=0)).delete()
        assert figures.read([store.pk], DAYS[0], DAYS[-1]).sum(figures.SHIPPED) == 3
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        figures.count_on(store.pk, float("inf"))
        assert {row.hour for row in Figure.objects.all()} == {-1}


def test_an_hour_is_kept_when_its_moves_have_settled(stores: list[Merchant]) -> None:
    store, dice = stores[0], random.Random(5)
    package(store, NOW, dice, [], status="shipped", kind="send")
    hour_ends = NOW.replace(hour=16, minute=0)
    for minutes, counted_to in ((5, hour_ends - figures.HOUR), (11, hour_ends)):
        with time_machine.travel(hour_ends + timedelta(minutes=minutes), tick=False):
            figures.count_on(store.pk, float("inf"))
        assert FigureCursor.objects.get().counted_to == counted_to


def test_two_workers_keep_an_hour_once(stores: list[Merchant]) -> None:
    store, dice = stores[0], random.Random(5)
    package(store, NOW - timedelta(hours=3), dice, [], status="shipped", kind="send")
    with time_machine.travel(NOW, tick=False):
        first = figures._first_cursor(store.pk)
        assert first is not None
        ends = figures._step(first.counted_to, timezone.now())
        assert ends is not None
        same = FigureCursor.objects.get()
        figures._keep(first, ends)
        figures._keep(same, ends)
        figures.count_on(store.pk, float("inf"))
        assert figures.read([store.pk], NOW.date(), NOW.date()).sum(figures.SHIPPED) == 1


def test_a_percentile_lies_within_its_step() -> None:
    dice = random.Random(3)
    for _ in range(20):
        waited = sorted(dice.lognormvariate(6, 1.5) for _ in range(200))
        took = {str(k): n for k, n in Counter(figures.step_of(minutes) for minutes in waited).items()}
        for share in (0.5, 0.9):
            exact = waited[int(share * len(waited)) - 1]
            found = figures.percentile(took, share)
            assert found is not None
            assert abs(found - exact) <= figures.step_width(figures.step_of(exact)), (found, exact)
    assert figures.percentile({}, 0.5) is None
