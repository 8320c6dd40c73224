"""Tracking numbers beside django-import-export's admin mode, and workbooks beside the bare reader."""

import io
import time
from collections.abc import Callable
from typing import Any

from bench import files, place
from bench.figures import Figure, Size, at_most, faster, in_turn

CHECKED, READ, UPLOAD, GROWTH = 20.0, 0.9, 5.0, 20.0


def run(size: Size) -> list[Figure]:
    """Ours: uploaded, read, each order checked by all rules, all written down. Theirs: a dry run."""
    count, turns = size.pick(300, 5000), size.pick(1, 3)
    place.set_up(place.folder("importing"))
    person = _orders(count)
    csv, xlsx = files.csv(count), files.xlsx(count)
    resource = _resource()
    ours, peer = in_turn(turns, lambda: _checked(person, "a.csv", csv), lambda: _dry_run(resource, csv))
    book = min(_checked(person, "a.xlsx", xlsx) for _ in range(turns))
    many = files.xlsx(size.pick(1000, 10_000))
    read, bare = in_turn(2 * turns + 1, lambda: _timed(_read, many), lambda: _timed(_bare, many))
    return [
        faster(f"CSV of {count} rows, checked: django-import-export", ours, peer, CHECKED, "s"),
        at_most(f"xlsx of {count} rows, uploaded and checked", book, UPLOAD, "s"),
        faster("xlsx read: python-calamine alone", read * 1000, bare * 1000, READ, "ms"),
        *_flat(size),
    ]


def _orders(count: int) -> Any:
    """A person with a store that has these orders, waiting."""
    from django.utils import timezone

    from merchants.models import Merchant, User
    from merchants.services import set_membership
    from shipping.models import Order, OrderLine

    store = Merchant.objects.create(appid="wx1", name="店")
    person = User.objects.create_user("packer", password=None)
    set_membership(user=person, merchant=store, role="staff")
    now = timezone.now()
    made = Order.objects.bulk_create(
        Order(merchant=store, order_id=row[0], status=20, read_at=now, paid_at=now, placed_at=now)
        for row in files.rows(count)
    )
    OrderLine.objects.bulk_create(
        OrderLine(order=order, position=0, product_id="1", sku_id="2", sku_cnt=1) for order in made
    )
    return person


def _checked(person: Any, filename: str, content: bytes) -> float:
    from shipping.batches import controls, steps
    from shipping.batches.reads import tally
    from shipping.models import Batch

    began = time.perf_counter()
    batch = controls.upload(user=person, filename=filename, content=content)
    while steps.work(batch):
        pass
    seconds = time.perf_counter() - began
    if batch.stage == Batch.Stage.COLUMNS:
        # The two columns that say nothing of a parcel are nobody's business, as a person would answer once.
        began = time.perf_counter()
        controls.answer_columns(batch=batch, answers={3: "ignored", 4: "ignored"})
        while steps.work(batch):
            pass
        seconds += time.perf_counter() - began
    if batch.stage != Batch.Stage.OPEN or not tally(person, batch):
        raise RuntimeError(f"the file was not checked: {batch.stage} {batch.refused}")
    return seconds


def _resource() -> Any:
    """Parcels of known orders, as the documentation of django-import-export writes a resource."""
    from import_export import fields, resources, widgets

    from shipping.models import Order, Parcel

    class ParcelResource(resources.ModelResource):  # type: ignore[misc]
        order = fields.Field("order", "order_id", widgets.ForeignKeyWidget(Order, "order_id"))
        delivery_id = fields.Field("delivery_id", "delivery_id")
        waybill_id = fields.Field("waybill_id", "waybill_id")

        class Meta:
            model = Parcel
            fields = ("order", "delivery_id", "waybill_id")
            import_id_fields = ("order", "waybill_id")

    return ParcelResource()


def _dry_run(resource: Any, content: bytes) -> float:
    """What its admin does with an upload before a person confirms it."""
    import tablib

    began = time.perf_counter()
    data = tablib.Dataset().load(content.decode(), "csv")
    result = resource.import_data(data, dry_run=True, raise_errors=False)
    seconds = time.perf_counter() - began
    if faults := [error.error for row in result.error_rows for error in row.errors] or result.base_errors:
        raise RuntimeError(f"django-import-export: {faults[0]!r}")
    return seconds


def _timed(read: Callable[[bytes], int], data: bytes) -> float:
    began = time.perf_counter()
    read(data)
    return time.perf_counter() - began


def _read(data: bytes) -> int:
    from shipping.tables.reading import open_table

    return sum(1 for _ in open_table(data, "a.xlsx").rows)


def _bare(data: bytes) -> int:
    from python_calamine import CalamineWorkbook

    return len(CalamineWorkbook.from_filelike(io.BytesIO(data)).get_sheet_by_index(0).to_python())


def _flat(size: Size) -> list[Figure]:
    """Ten times the rows, and what they take more of memory."""
    few = size.pick(2_000, 20_000)
    extra = []
    for count in (few, 10 * few):
        path = place.folder("importing", is_kept=True) / f"{count}.csv"
        path.write_bytes(files.csv(count))
        extra.append(files.alone(path, "command")["extra"])
    note = f"beyond what {few:,} rows took ({extra[0]:.0f} MB)"
    return [
        at_most(f"memory for a CSV of {10 * few:,} rows", max(0.0, extra[1] - extra[0]), GROWTH, "MB", note)
    ]
