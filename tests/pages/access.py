"""Who may open which route: the table that tests/pages/test_access.py holds every URL to.

A new route needs a line in ROUTES; without one the suite fails. `args` makes the route's arguments and `data`
its form from the objects of one store, so that the same line serves one's own store and a foreign one.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

from django.utils import timezone

from merchants import people
from merchants.credentials import ask_link, state_of
from merchants.models import Channel, Errand, Membership, Merchant, Message, OneTimeLink, Pause, User
from merchants.services import add_merchant, pause_merchant, set_membership
from shipping import exporting, states
from shipping.batches import controls, steps
from shipping.drafts import Draft, PackageDraft, SerialDraft
from shipping.exporting import ask_export
from shipping.models import Alert, Attempt, Batch, Export, Order, OrderLine, Package, SerialUse, UnknownCode
from shipping.services import queue_shipment

# Each includes the ones before it; ANYONE is signed in and perhaps of no store. OWNER is the admin to whom the
# store's own things belong, such as a file only its asker may see.
PUBLIC, ANYONE, STAFF, MANAGER, ADMIN, OWNER = LEVELS = (
    "public",
    "anyone",
    "staff",
    "manager",
    "admin",
    "owner",
)
PASSWORD = "parcels-all-day"
NOW = timezone.now()


@dataclass
class Store:
    """A store with one of everything that a route can name."""

    merchant: Merchant
    order: Order
    package: Package
    conflict: Package
    clerk: Membership
    invitation: OneTimeLink
    join_token: str
    reset_token: str
    pause: Pause
    errand: Errand
    batch: Batch
    export: Export
    owner: User


def make_store(number: int) -> Store:
    merchant = add_merchant(appid=f"wx{number:016d}", name=f"店{number}", secret="s" * 32)
    boss, clerk = _person(f"boss{number}", merchant, ADMIN), _person(f"clerk{number}", merchant, STAFF)
    order, package = _order(merchant, number, 1)
    Attempt.objects.create(
        merchant=merchant, order=order, shipment=package.shipment, run="1", sent_at=NOW, closed_at=NOW
    )
    UnknownCode.objects.create(merchant=merchant, errcode=980000 + number)
    conflict = _order(merchant, number, 2)[1]
    Package.objects.filter(pk=conflict.pk).update(status=states.CONFLICT)
    channel = Channel.objects.create(merchant=merchant, name=f"群{number}", kind="mail")
    Message.objects.create(channel=channel, title="停了", text="")
    Alert.objects.create(
        merchant=merchant,
        name="conflict",
        key=f"{merchant.pk} conflict",
        began_at=NOW,
        seen_at=NOW,
        told_at=NOW,
        facts={"count": 1, "orders": []},
    )
    join_token = people.invite(merchant=merchant, role=STAFF, name="小李", by=boss)
    return Store(
        merchant=merchant,
        order=order,
        package=package,
        conflict=conflict,
        clerk=Membership.objects.get(user=clerk),
        invitation=OneTimeLink.objects.get(merchant=merchant),
        join_token=join_token,
        reset_token=people.reset_password(user=clerk, merchant=merchant, by=boss),
        pause=pause_merchant(merchant=merchant, errcode=48001),
        errand=ask_link(merchant=merchant, by=boss),
        batch=_batch(boss, order),
        export=_export(boss),
        owner=boss,
    )


def _person(name: str, merchant: Merchant, role: str) -> User:
    user = User.objects.create_user(name, password=PASSWORD)
    set_membership(user=user, merchant=merchant, role=role)
    return user


def _order(merchant: Merchant, number: int, position: int) -> tuple[Order, Package]:
    order = Order.objects.create(
        merchant=merchant, order_id=f"37{number:08d}{position:09d}", status=20, deliver_method=0,
        paid_at=NOW, read_at=NOW,
    )  # fmt: skip
    OrderLine.objects.create(order=order, position=0, product_id="1001", sku_id="2001", sku_cnt=2)
    serial = SerialDraft(f"SN-{number}-{position}")
    package = PackageDraft(1, "SF", f"SF31000000{number:02d}{position}", serial=serial)
    draft = Draft(order.order_id, (package,))
    return order, queue_shipment(order=order, draft=draft, user=None).packages.get()


def _batch(uploader: User, order: Order) -> Batch:
    content = f"order_id,delivery_id,waybill_id\n{order.order_id},SF,SF3100000000099".encode()
    batch = controls.upload(user=uploader, filename="a.csv", content=content)
    while steps.work(batch):
        pass
    return batch


def _export(asker: User) -> Export:
    export = ask_export(user=asker, what="packages", asked={}, kind="csv")
    exporting.work(export.pk)
    return export


Args = Callable[[Store], tuple[Any, ...]]
Data = Callable[[Store], dict[str, Any]]


class Route(NamedTuple):
    """The least role that may use a route, with what method, and how to name a store's objects to it."""

    who: str
    method: str = "GET"
    args: Args = lambda store: ()
    data: Data = lambda store: {}
    # What a foreign store's objects are answered with.
    foreign: int = 404
    # What a door that checks a signature instead of a login answers to a form without one.
    unsigned: int | None = None


def _order_of(store: Store) -> tuple[Any, ...]:
    return (store.order.order_id,)


def _package_of(store: Store) -> tuple[Any, ...]:
    return (store.package.pk,)


def _conflict_of(store: Store) -> tuple[Any, ...]:
    return (store.conflict.pk,)


def _batch_of(store: Store) -> tuple[Any, ...]:
    return (store.batch.pk,)


def _export_of(store: Store) -> tuple[Any, ...]:
    return (store.export.pk,)


def _clerk_of(store: Store) -> tuple[Any, ...]:
    return (store.clerk.pk,)


def _errand_of(store: Store) -> tuple[Any, ...]:
    return (store.errand.pk,)


def _serial_of(store: Store) -> tuple[Any, ...]:
    return (SerialUse.objects.filter(merchant=store.merchant).latest("pk").pk,)


def _way_back(store: Store) -> tuple[Any, ...]:
    """The address that an authorisation link leads back to the admin who asked for it."""
    asked = Errand(merchant=store.merchant, asked_by=store.owner)
    return (state_of(asked),)


def _to_print(store: Store) -> dict[str, Any]:
    return {"order": [store.order.order_id], "paper": "a4"}


# URL name -> who may, with what
ROUTES: dict[str, Route] = {
    # machines that watch
    "healthz": Route(PUBLIC),
    "readyz": Route(PUBLIC),
    "metrics": Route(PUBLIC),
    # people
    "login": Route(PUBLIC),
    "invitation_accept": Route(PUBLIC, args=lambda store: (store.join_token,)),
    "password_reset": Route(PUBLIC, args=lambda store: (store.reset_token,)),
    "logout": Route(ANYONE, "POST"),
    "person": Route(ANYONE),
    "password_change": Route(ANYONE),
    "second_factor": Route(ANYONE),
    "member_list": Route(MANAGER, data=lambda store: {"merchant": store.merchant.appid}),
    "member_invite": Route(
        MANAGER, "POST", data=lambda store: {"merchant": store.merchant.appid, "name": "小张", "role": STAFF}
    ),
    "member_role": Route(MANAGER, "POST", _clerk_of, lambda store: {"role": MANAGER}),
    "member_remove": Route(MANAGER, "POST", _clerk_of),
    "member_reset": Route(MANAGER, "POST", _clerk_of),
    "member_forget_factor": Route(ADMIN, "POST", _clerk_of),
    "invitation_withdraw": Route(MANAGER, "POST", lambda store: (store.invitation.pk,)),
    # orders
    "order_list": Route(ANYONE),
    "order_counts": Route(ANYONE),
    "sync_state": Route(ANYONE),
    "my_trouble": Route(ANYONE),
    "search": Route(ANYONE),
    "order_sync": Route(ANYONE, "POST"),
    "order_enter": Route(STAFF, data=lambda store: {"merchant": store.merchant.appid}),
    "order_detail": Route(STAFF, args=_order_of),
    "order_ship": Route(STAFF, args=_order_of),
    "order_presence": Route(STAFF, args=_order_of),
    "order_hold": Route(STAFF, "POST", _order_of, lambda store: {"reason": "等买家回复"}),
    "order_release": Route(STAFF, "POST", _order_of),
    "order_intercepted": Route(STAFF, "POST", _order_of),
    "order_preflight": Route(STAFF, args=_order_of),
    # Any number may be asked for; a foreign order and a made-up one are looked for at one's own stores alike.
    "order_read": Route(ANYONE, "POST", _order_of, foreign=302),
    "order_ask": Route(STAFF, "POST", _order_of, lambda store: {"kind": "notes", "notes": "缺一根线"}),
    "order_asks": Route(STAFF, args=_order_of),
    "order_receiver": Route(STAFF, args=_order_of),
    "parcel_correct": Route(STAFF, args=_order_of),
    "order_resend": Route(STAFF, args=_order_of),
    # packages
    "package_status": Route(STAFF, args=_package_of),
    "package_settle": Route(
        MANAGER, "POST", _conflict_of, lambda store: {"target": states.SHIPPED, "reason": "后台看到了"}
    ),
    "package_confirm": Route(STAFF, "POST", _package_of),
    "package_call": Route(STAFF, args=_package_of),
    "shipment_cancel": Route(STAFF, "POST", lambda store: (store.package.shipment_id,)),
    # slips
    "slip_list": Route(STAFF, data=_to_print),
    "slip_print": Route(STAFF, "POST", data=_to_print),
    "orders_ship": Route(STAFF, data=lambda store: {"order": [store.order.order_id]}),
    # batches: the uploader's own, and those with orders of a store one manages
    "batch_list": Route(ANYONE),
    "batch_template": Route(ANYONE, args=lambda store: ("xlsx",)),
    "batch_upload": Route(ANYONE, "POST"),
    "batch_detail": Route(MANAGER, args=_batch_of),
    "batch_progress": Route(MANAGER, args=_batch_of),
    "batch_rows": Route(MANAGER, args=_batch_of),
    "batch_file": Route(MANAGER, args=_batch_of),
    "batch_columns": Route(MANAGER, "POST", _batch_of),
    "batch_courier": Route(
        MANAGER, "POST", _batch_of, lambda store: {"merchant": store.merchant.appid, "courier": "SF"}
    ),
    "batch_row": Route(
        MANAGER, "POST", lambda store: (store.batch.pk, 2), lambda store: {"waybill_id": "SF1"}
    ),
    "batch_ship": Route(MANAGER, "POST", _batch_of),
    "batch_pause": Route(MANAGER, "POST", _batch_of),
    "batch_resume": Route(MANAGER, "POST", _batch_of),
    "batch_cancel": Route(MANAGER, "POST", _batch_of),
    "batch_retry": Route(MANAGER, "POST", _batch_of),
    # the scan station
    "scan": Route(ANYONE),
    "scan_recent": Route(ANYONE),
    "scan_setup": Route(ANYONE, "POST", data=lambda store: {"station": "2"}),
    "scan_codes": Route(ANYONE),
    "scan_badges": Route(ANYONE),
    "serial_list": Route(ANYONE),
    "serial_release": Route(MANAGER, "POST", _serial_of, lambda store: {"reason": "退货已收到"}),
    # calling WeChat
    "errand": Route(ADMIN, args=_errand_of),
    "errand_status": Route(ADMIN, args=_errand_of),
    "authorized": Route(OWNER, args=_way_back, data=lambda store: {"auth_code": "code"}),
    "line_test": Route(ADMIN, "POST", lambda store: (store.merchant.pk,)),
    "line_quota": Route(ADMIN, "POST", lambda store: (store.merchant.pk,)),
    "line_clear_quota": Route(ADMIN, "POST", lambda store: (store.merchant.pk,)),
    "component_events": Route(PUBLIC, "POST", unsigned=403),
    "authorized_store_events": Route(
        PUBLIC, "POST", lambda store: (store.merchant.appid,), unsigned=403, foreign=403
    ),
    "store_events": Route(
        PUBLIC, "POST", lambda store: (store.merchant.credential.event_key,), unsigned=403, foreign=403
    ),
    # the rest
    "error_list": Route(ANYONE),
    "error_detail": Route(ANYONE, args=lambda store: ("606005",)),
    "history": Route(MANAGER),
    "board": Route(MANAGER),
    "board_now": Route(MANAGER),
    "digest": Route(MANAGER),
    "digest_set": Route(
        MANAGER, "POST", lambda store: (store.merchant.pk,), lambda store: {"at": "08:30", "is_on": "on"}
    ),
    "attempt_report": Route(STAFF, args=lambda store: (store.package.shipment.attempts.get().pk,)),
    "export_list": Route(MANAGER),
    "export_create": Route(
        MANAGER, "POST", data=lambda store: {"kind": "csv", "merchant": store.merchant.appid}
    ),
    "export_status": Route(OWNER, args=_export_of),
    "export_file": Route(OWNER, args=_export_of),
    "conflict_list": Route(MANAGER),
    "todo_list": Route(ADMIN),
    "pause_resume": Route(ADMIN, "POST", lambda store: (store.pause.pk,)),
}
