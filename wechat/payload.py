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
    body["product_infos"] = [
        {"product_cnt": i.product_cnt, "product_id": i.product_id, "sku_id": i.sku_id} for i in package.items
    ]
    if package.course:
        body["course_info"] = _course(package.course)
    if package.serial and package.serial.sn_code:
        body["sn_info"] = {name: value for name, value in vars(package.serial).items() if value}
    return body


def _course(course: CourseWire) -> dict[str, Any]:
    times = {"start_time": course.start_time, "end_time": course.end_time}
    path = {"type": course.type, "wxa_appid": course.wxa_appid, "wxa_path": course.wxa_path}
    return {name: value for name, value in times.items() if value is not None} | {"course_path": path}


def order_get_body(order_id: str) -> dict[str, Any]:
    """store-api 1.3."""
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


def quota_get_body(path: str) -> dict[str, Any]:
    """store-api 3.3: one call by its path."""
    return {"cgi_path": path}
