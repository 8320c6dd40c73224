"""The same orders in django-oscar: `python -m bench.peers.oscar.rows OUR_DATABASE`.

An order with its line and its receiver's address each, by its own migrations and its own columns.
"""

import sqlite3
import sys

import django

ADDRESS = "INSERT INTO order_shippingaddress ({columns}) SELECT {values} FROM ours.shipping_order"
ORDER = "INSERT INTO order_order ({columns}) SELECT {values} FROM ours.shipping_order"
LINE = (
    "INSERT INTO order_line ({columns}) SELECT {values} FROM ours.shipping_orderline AS line"
    " JOIN ours.shipping_order AS source ON source.id = line.order_id"
)
ADDRESSES = {"id": "id", "last_name": "'林'", "line1": "'****'", "country_id": "'CN'", "phone_number": "''"}
ORDERS = {
    "id": "id", "number": "order_id", "currency": "'CNY'", "total_incl_tax": "'20'", "total_excl_tax": "'20'",
    "shipping_address_id": "id", "status": "CAST(status AS TEXT)", "date_placed": "placed_at",
    "site_id": "1", "user_id": "1",
}  # fmt: skip
LINES = {
    "id": "line.id", "order_id": "line.order_id", "title": "line.title", "quantity": "line.sku_cnt",
    "partner_name": "'店'", "partner_sku": "line.sku_id", "status": "CAST(source.status AS TEXT)",
    "unit_price_incl_tax": "'20'", "unit_price_excl_tax": "'20'", "line_price_incl_tax": "'20'",
    "line_price_excl_tax": "'20'", "line_price_before_discounts_incl_tax": "'20'",
    "line_price_before_discounts_excl_tax": "'20'",
}  # fmt: skip


def main(ours: str) -> None:
    django.setup()
    from django.conf import settings
    from django.contrib.auth import get_user_model
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    from oscar.core.loading import get_model

    get_model("address", "Country").objects.create(iso_3166_1_a2="CN", printable_name="China")
    get_user_model().objects.create_superuser("root", "root@example.com", None)
    database = sqlite3.connect(settings.DATABASES["default"]["NAME"], isolation_level=None)
    database.executescript("PRAGMA synchronous=OFF; PRAGMA foreign_keys=OFF; PRAGMA cache_size=-500000;")
    database.execute("ATTACH ? AS ours", (ours,))
    database.execute("BEGIN")
    _copy(database, "order_shippingaddress", ADDRESS, ADDRESSES)
    _copy(database, "order_order", ORDER, ORDERS)
    _copy(database, "order_line", LINE, LINES)
    database.execute("COMMIT")
    database.execute("DETACH ours")
    database.executescript("ANALYZE; PRAGMA wal_checkpoint(TRUNCATE);")


def _copy(database: sqlite3.Connection, table: str, statement: str, known: dict[str, str]) -> None:
    """What we have nothing for is empty: "" or 0 where a column may not be null."""
    rows = database.execute(f"PRAGMA table_info({table})").fetchall()
    empty = {name: ("''" if kind.startswith(("varchar", "text")) else "0") for _, name, kind, *_ in rows}
    needed = {
        name: known.get(name, empty[name]) for _, name, _, is_needed, *_ in rows if is_needed or name in known
    }
    database.execute(statement.format(columns=", ".join(needed), values=", ".join(needed.values())))


if __name__ == "__main__":
    main(sys.argv[1])
