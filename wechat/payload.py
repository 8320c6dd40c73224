"""Bodies as they go on the wire, in the document's words and order; nothing empty is added."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

VIRTUAL = 3


@dataclass(frozen=True)
class ItemWire:
    """One of product_infos; product_cnt in pieces."""

    product_id: str
    sku_id: str
    product_cnt: int


@dataclass(frozen=True)
class CourseWire:
    """Times in unix seconds; type 0 is a mini program, the only one the document knows."""

    start_time: int | None
    end_time: int | None
    wxa_appid: str
    wxa_path: str
    type: int = 0


@dataclass(frozen=True)
class SerialWire:
    """sn_info of section 2; without its sn_code, which is required there, it is not sent."""

    sn_code: str
    imei1: str = ""
    imei2: str = ""


@dataclass(frozen=True)
class PackageWire:
    """One of delivery_list: deliver_type 1 goes by courier, 3 needs no parcel and sends no number."""

    deliver_type: int
    delivery_id: str = ""
    waybill_id: str = ""
    items: tuple[ItemWire, ...] = ()
    course: CourseWire | None = None
    serial: SerialWire | None = None


def send_body(order_id: str, packages: Sequence[PackageWire]) -> dict[str, Any]:
    """The request of delivery/send (document sections 2, 5.1, 5.2). Ids stay strings, as in its examples."""
    return {"order_id": order_id, "delivery_list": [_package(package) for package in packages]}


def _package(package: PackageWire) -> dict[str, Any]:
    body: dict[str, Any] = {}
    if package.deliver_type != VIRTUAL:
        waybill = {"delivery_id": package.delivery_id, "waybill_id": package.waybill_id}
        body |= {name: value for name, value in waybill.items() if value}
    body["deliver_type"] = package.deliver_type
    body["product_infos"] = _items(package.items)
    if package.course:
        body["course_info"] = _course(package.course)
    if package.serial and package.serial.sn_code:
        body["sn_info"] = {name: value for name, value in vars(package.serial).items() if value}
    return body


def _items(items: Sequence[ItemWire]) -> list[dict[str, Any]]:
    return [{"product_cnt": i.product_cnt, "product_id": i.product_id, "sku_id": i.sku_id} for i in items]


def _course(course: CourseWire) -> dict[str, Any]:
    times = {"start_time": course.start_time, "end_time": course.end_time}
    path = {"type": course.type, "wxa_appid": course.wxa_appid, "wxa_path": course.wxa_path}
    return {name: value for name, value in times.items() if value is not None} | {"course_path": path}


@dataclass(frozen=True)
class ChangeWire:
    """One of change_infos: a parcel as it stands at WeChat, and as it should be; the goods stay."""

    old_delivery_id: str
    old_waybill_id: str
    delivery_id: str
    waybill_id: str
    items: tuple[ItemWire, ...]


def update_body(order_id: str, changes: Sequence[ChangeWire], *, is_whole: bool) -> dict[str, Any]:
    """The request of deliveryinfo/update (store-api 2.4), in one of its two forms.

    `is_whole`: one parcel holds the whole order; both the older and the newer page take delivery_list then.
    Else change_infos, which only the newer knows.
    """
    if is_whole:
        packages = [PackageWire(1, new.delivery_id, new.waybill_id, new.items) for new in changes]
        return send_body(order_id, packages)
    return {"order_id": order_id, "change_infos": [_change(change) for change in changes]}


def _change(change: ChangeWire) -> dict[str, Any]:
    numbers = {
        "old": (change.old_delivery_id, change.old_waybill_id),
        "new": (change.delivery_id, change.waybill_id),
    }
    return {
        side: {"delivery_id": courier, "waybill_id": number, "product_infos": _items(change.items)}
        for side, (courier, number) in numbers.items()
    }


def compensation_body(order_id: str, reason: int, packages: Sequence[PackageWire]) -> dict[str, Any]:
    """The request of delivery/compensation (store-api 2.5); reason 1 missed, 2 split, 3 damaged, 4 gift."""
    return {"order_id": order_id, "reason": reason} | send_body(order_id, packages)


def notes_body(order_id: str, merchant_notes: str) -> dict[str, Any]:
    """store-api 1.9; the note as a whole, "" empties it."""
    return {"order_id": order_id, "merchant_notes": merchant_notes}


def order_get_body(order_id: str) -> dict[str, Any]:
    """store-api 1.3; the same for every call that only names an order (1.9, 2.7)."""
    return {"order_id": order_id}


def order_list_body(
    *, field: str, start: int, end: int, page_size: int = 100, next_key: str = ""
) -> dict[str, Any]:
    """`field` is create_time_range or update_time_range; the span is at most 7 days (store-api 1.1)."""
    body: dict[str, Any] = {field: {"start_time": start, "end_time": end}, "page_size": page_size}
    return body | ({"next_key": next_key} if next_key else {})


def stable_token_body(appid: str, secret: str, *, force: bool = False) -> dict[str, Any]:
    """store-api 3.1; force_refresh is sent only when an admin pressed for it."""
    body: dict[str, Any] = {"grant_type": "client_credential", "appid": appid, "secret": secret}
    return body | ({"force_refresh": True} if force else {})


def couriers_new_body() -> dict[str, Any]:
    """store-api 2.3: the field is required; the old call takes an empty object."""
    return {"ewaybill_only": False}


def address_list_body(offset: int, limit: int) -> dict[str, Any]:
    """store-api 2.8."""
    return {"offset": offset, "limit": limit}


def address_get_body(address_id: str) -> dict[str, Any]:
    """store-api 2.8."""
    return {"address_id": address_id}


def start_push_body(component: str, secret: str) -> dict[str, Any]:
    """samples/token: this call alone says component_secret."""
    return {"component_appid": component, "component_secret": secret}


def component_token_body(component: str, secret: str, ticket: str) -> dict[str, Any]:
    """store-api 3.2."""
    return {
        "component_appid": component,
        "component_appsecret": secret,
        "component_verify_ticket": ticket,
    }


def preauth_code_body(component: str) -> dict[str, Any]:
    """The code in front of the authorisation link."""
    return {"component_appid": component}


def query_auth_body(component: str, code: str) -> dict[str, Any]:
    """store-api 3.2: the authorization code becomes tokens and rights."""
    return {"component_appid": component, "authorization_code": code}


def authorizer_token_body(component: str, appid: str, refresh_token: str) -> dict[str, Any]:
    """store-api 3.2."""
    return {
        "component_appid": component,
        "authorizer_appid": appid,
        "authorizer_refresh_token": refresh_token,
    }


def authorizer_list_body(component: str, offset: int, count: int) -> dict[str, Any]:
    """store-api 3.2: how a lost refresh token is read again; at most 500 at a time."""
    return {"component_appid": component, "offset": offset, "count": count}


def authorizer_info_body(component: str, appid: str) -> dict[str, Any]:
    """What a store allowed us: its permission sets stand in the answer's authorization_info."""
    return {"component_appid": component, "authorizer_appid": appid}


def clear_quota_body(appid: str) -> dict[str, Any]:
    """store-api 3.3: every call of the store counts from 0 again; ten times a month."""
    return {"appid": appid}


def quota_get_body(path: str) -> dict[str, Any]:
    """store-api 3.3: one call by its path."""
    return {"cgi_path": path}
