"""No page reads more of a big table than it shows: every query of the list and search pages, explained."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from typing import Any, NamedTuple
from urllib.parse import quote

import pytest
from django.db import connection
from django.test import Client

from merchants.models import Merchant, User
from merchants.services import set_membership
from shipping import lists, past, tallying
from shipping.alerts.causes import FINDERS
from shipping.dispatch import Pump, settling, sweeping, waiting
from shipping.gauges import gauges
from shipping.models import Order, Package
from shipping.models.orders import KINDS
from shipping.queries import order_facts
from shipping.views.board import PERIODS
from tests.flows.test_dispatch import parcel, ship, status_of
from tests.scale.rows import fill

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.postgres]
BIG = ("order", "orderline", "parcel", "package", "packageitem", "shipment", "attempt", "serial", "orderbody")


class Query(NamedTuple):
    """What was asked, and what SQLite says it does for it."""

    sql: str
    plan: list[str]

    @classmethod
    def explained(cls, cursor: Any, sql: str, params: Any) -> "Query":
        cursor.execute(f"EXPLAIN QUERY PLAN {sql}", params)
        return cls(sql, [row[3] for row in cursor.fetchall()])

    def scans(self) -> list[str]:
        """Big tables that are read from one end to the other, by an index or not."""
        names = dict(re.findall(r'"shipping_(\w+)" ([A-Z]\w+)', self.sql))
        read = [line.split()[1] for line in self.plan if line.startswith("SCAN ")]
        return [name for name in read if names.get(name, name.removeprefix("shipping_")) in BIG]

    def sorts_what_it_cuts_off(self) -> bool:
        """Only what is in trouble, alarmed, or of a kind and due may be found first and sorted then."""
        where = self.sql.partition(" WHERE ")[2]
        of_a_kind = any(f'"shipping_order"."{kind}" ' in where for kind in KINDS)
        is_little = "in_trouble" in where or "alarm_at" in where or (of_a_kind and "due_at" in self.sql)
        # What a search has found already: a thousand rows at most.
        is_little |= bool(re.search(r'"(id|shipment_id)" IN \(%s', where))
        is_sorted = any("TEMP B-TREE" in line and "ORDER BY" in line for line in self.plan)
        return is_sorted and " LIMIT " in self.sql.rpartition(")")[2] and not is_little

    def gathers_a_whole_store(self) -> bool:
        """An index that only tells the store is good for walking along it to the end of the page."""
        if self.sql.startswith(
            'SELECT %s AS "a" FROM "shipping_order" WHERE "shipping_order"."merchant_id" IN'
        ):
            return False  # whether there is any order at all
        few = (
            "in_trouble",
            "needs_hands",
            "to_mend",
            "order_is_",
            "order_has_",
            "order_alarmed",
            "synccursor",
            "figurecursor",
            "courier",
        )
        whole = [line for line in self.plan if line.endswith("(merchant_id=?)") and "shipping_" in line]
        return any(not any(name in line for name in few) for line in whole) and "ORDER BY" not in self.sql

    def counts_without_end(self) -> bool:
        return "COUNT(" in self.sql and " LIMIT " not in self.sql


# A table of a few thousand rows is read whole gladly; without these PostgreSQL says which index there is for a million.
GLAD = ("enable_seqscan", "enable_hashjoin", "enable_mergejoin")


ANY_ORDER = r'SELECT \S+ AS "a" FROM "shipping_order" WHERE "shipping_order"."merchant_id" IN'
# Few packages are looked through first, a million by the attempt at hand.
CALLS_OF_SOME_PACKAGE = r'FROM "shipping_attempt" .* EXISTS\(SELECT \S+ AS "a" FROM "shipping_package" U0 '


class Walk(Query):
    """The same on PostgreSQL: one line for each table that is read, and how."""

    @classmethod
    def explained(cls, cursor: Any, sql: str, params: Any) -> "Walk":
        cursor.execute(f"EXPLAIN (FORMAT JSON, COSTS OFF) {sql}", params)
        return cls(sql, [line for top in cursor.fetchone()[0] for line in _steps(top["Plan"])])

    def scans(self) -> list[str]:
        if re.match(ANY_ORDER, self.sql) or re.search(CALLS_OF_SOME_PACKAGE, self.sql):
            return []
        return [line for line in self.plan if line.startswith(("SEQ SCAN ", "NO CONDITION "))]

    def sorts_what_it_cuts_off(self) -> bool:
        return False  # of a few rows a sort is cheaper than a walk; SQLite's half tells which index there is

    def gathers_a_whole_store(self) -> bool:
        return False  # which index is taken for how many rows is for the statistics of a million to say


# Indexes of the little that is in trouble, alarmed or of a kind: their condition is in the index itself.
LITTLE = re.compile("in_trouble|alarm|order_is_|order_has_|by_code|corrected")


def _steps(node: dict[str, Any], is_cut: bool = False) -> Iterator[str]:
    """`is_cut`: a page's end stops the walk, which is then along an index that gives the order."""
    table, kind = str(node.get("Relation Name", "")).removeprefix("shipping_"), node["Node Type"]
    has_condition = (
        "Index Cond" in node or "Recheck Cond" in node or LITTLE.search(node.get("Index Name", ""))
    )
    # What an update writes to is found by the step below it.
    if table in BIG and kind != "ModifyTable" and not has_condition and not is_cut:
        yield f"{'SEQ SCAN' if kind == 'Seq Scan' else 'NO CONDITION'} {table} {node.get('Index Name')}"
    elif table:
        yield f"{kind} {table} {node.get('Index Name')} {node.get('Index Cond')}"
    # A condition on a row at hand may be answered for all rows at once, while the tables are small.
    for part in node.get("Plans", []):
        if part.get("Parent Relationship") != "SubPlan":
            yield from _steps(part, kind == "Limit" and part["Node Type"].startswith("Index"))


def explain(cursor: Any, sql: str, params: Any) -> Query:
    return (Walk if connection.vendor == "postgresql" else Query).explained(cursor, sql, params)


PART = re.compile(r"SELECT (\*|COUNT\(\*\)) FROM \((.*?)\) AS part")


def each_alone(sql: str, params: Any) -> Iterator[tuple[str, Any]]:
    """What `shipping.unions` has put into one statement."""
    left, parts = iter(params), PART.findall(sql)
    for what, part in parts:
        alone = part if what == "*" else f"SELECT {what} FROM ({part}) AS part"  # noqa: S608
        yield alone, list(islice(left, part.count("%s")))
    if not parts:
        yield sql, params


@contextmanager
def explained() -> Iterator[list[Query]]:
    asked: list[tuple[str, Any]] = []
    made: list[Query] = []

    def note(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
        if sql.startswith(("SELECT", "UPDATE", "DELETE")) and '"shipping_' in sql:
            asked.append((sql, params))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield made
    with connection.cursor() as cursor:
        alone = (one for sql, params in asked for one in each_alone(sql, params))
        made += [explain(cursor, sql, params) for sql, params in alone]


@pytest.fixture(params=[pytest.param("without statistics", marks=pytest.mark.long), "with statistics"])
def manager(request: Any, world: Any) -> Client:
    """Someone who runs two of three stores; a database asks for its statistics once in a while, or never."""
    if connection.vendor == "postgresql" and request.param == "without statistics":
        pytest.skip("PostgreSQL gathers them by itself")
    stores = [Merchant.objects.create(appid=f"wx{n}", name=f"店{n}") for n in range(3)]
    people = [User.objects.create_user(name, password="x") for name in ("one", "two")]
    for store in stores[:2]:
        set_membership(user=people[0], merchant=store, role="manager")
    fill(stores, people, 3000)
    with connection.cursor() as cursor:
        if request.param == "with statistics":
            cursor.execute("ANALYZE")
        for name in GLAD if connection.vendor == "postgresql" else ():
            cursor.execute(f"SET {name} = off")
    client = Client()
    client.force_login(people[0])
    return client


def pages() -> Iterator[str]:
    order, package = Order.objects.order_by("-pk")[100], Package.objects.order_by("-pk")[100]
    for tab in lists.TABS:
        after = lists.mark_of(order, tab)
        yield from (
            f"/?tab={tab}&merchant=",
            f"/?tab={tab}&merchant=wx0",
            f"/?tab={tab}&merchant=&after={after}",
        )
        yield from (f"/?tab={tab}&merchant=&kind={kind}" for kind in ("gift", "virtual", "notes"))
    yield "/?tab=today&merchant="
    yield from (f"/search/?q={typed}" for typed in (
        order.order_id, "370", "3700000", package.waybill_id, "SF0000", "SN1", "手机", "口红 哑光", "1234", "14",
    ))  # fmt: skip
    filters = (
        "",
        "merchant=wx1",
        "status=rejected",
        "code=606005",
        "person=one",
        "since=2026-01-01",
        "until=2026-01-01",
        "courier=SF&status=rejected",
        "courier=SF&person=one&since=2026-01-01&until=2026-03-01",
        "batch=1&person=two",
        "code=606005&courier=SF&status=rejected",
        f"q={order.order_id}",
        f"q={package.waybill_id}&person=one",
        "q=SF0000&since=2026-01-01",
        "q=370000",
        "code=address_changed",
        "status=rejected&code=606005&purpose=send&first=1&since=2026-01-01T09:00&until=2026-01-01T10:00",
        "status=shipped&purpose=send&took=60-240&since=2026-01-01&until=2026-03-01",
        "status=shipped&courier=-",
    )
    yield from (f"/history/?{asked}" for asked in (*filters, f"before={quote(past.mark_of(package))}"))
    yield from (f"/history/?show=calls&{asked}" for asked in filters)
    yield "/errors/606005/"
    yield from (f"/board/?period={period}&merchant={store}" for period in PERIODS for store in ("", "wx0"))
    yield "/board/now/"
    yield from ("/trouble/", "/counts/", "/orders/sync/state/", "/conflicts/", "/batches/")


def judge(queries: list[Query], where: str) -> None:
    for query in queries:
        told = f"{where}\n{query.sql}\n" + "\n".join(query.plan)
        assert " OFFSET " not in query.sql, told
        assert not query.counts_without_end(), told
        assert query.scans() == [], told
        assert not query.gathers_a_whole_store(), told
        assert not query.sorts_what_it_cuts_off(), told


@pytest.mark.long
def test_every_page_is_walked_along_an_index(manager: Client) -> None:
    for url in pages():
        with explained() as queries:
            assert manager.get(url).status_code in (200, 302), url
        judge(queries, url)


def test_what_the_rules_ask_is_found_by_an_index(manager: Client) -> None:
    order = Order.objects.filter(merchant__appid="wx0", status=20).order_by("-pk")[0]
    with explained() as queries:
        order_facts(order, waybills=["SF000000000001"], serials=["SN1"])
    judge(queries, "order_facts")


# Partial indexes of what is on its way or to be done, and tables of some rows for each store: short from end to end.
SHORT = (
    "attempt_to_settle",
    "one_open_attempt_per_order",
    "shipment_due",
    "shipping_allowance",
    "shipping_tally",
)


def test_a_scrape_the_alerts_and_an_idle_worker_walk_what_is_on_its_way(manager: Client) -> None:
    with explained() as queries:
        waiting.next_due()
        sweeping.sweep()
        settling.wake_stalled()
        settling.take_due(8)
        list(gauges())
        for finder in FINDERS.values():
            list(finder())
        tallying.count_up()
    assert len(queries) > 10
    walks_what_is_on_its_way(queries)


def test_a_busy_worker_walks_what_is_on_its_way(manager: Client, world: Any) -> None:
    """From the claim to the answer, with thousands of calls that are over in the way; one outcome is in doubt."""
    shipments = [ship(world.order(), parcel(f"SF310000000000{number}")) for number in range(3)]
    world.remote.fault("busy_after", order_id=shipments[0].order.order_id)
    with explained() as queries:
        Pump(only=[shipment.pk for shipment in shipments]).run(9, until_idle=True)
    assert [status_of(shipment) for shipment in shipments] == [["shipped"]] * 3
    assert len(queries) > 50
    walks_what_is_on_its_way(queries)


def walks_what_is_on_its_way(queries: list[Query]) -> None:
    for query in queries:
        long = [line for line in query.plan if not any(name in line for name in SHORT)]
        rest = type(query)(query.sql, long)
        told = f"{query.sql}\n" + "\n".join(query.plan)
        assert rest.scans() == [], told
        assert not rest.gathers_a_whole_store(), told
