"""Helpers of the page tests: more people, more stores, changes on the platform."""

from typing import Any

from django.test import Client

from merchants.models import Merchant, User
from merchants.services import add_merchant, set_membership
from sandbox import build
from shipping.syncing import read_order, sync_couriers, sync_return_address

OTHER_APPID = "wx00000000000000bb"


def colleague(world: Any, name: str, role: str = "staff") -> Client:
    """Another person at the same store, signed in."""
    user = User.objects.create_user(name, password="x")
    set_membership(user=user, merchant=world.merchant, role=role)
    client = Client()
    client.force_login(user)
    return client


def second_store(world: Any, *names: str) -> Merchant:
    """One more store, with these people in it."""
    world.remote.merchant(OTHER_APPID, "t" * 32)
    merchant = add_merchant(appid=OTHER_APPID, name="第二家店", secret="t" * 32)
    sync_couriers(merchant)
    sync_return_address(merchant)
    merchant.refresh_from_db()
    for user in User.objects.filter(username__in=names):
        set_membership(user=user, merchant=merchant, role="staff")
    return merchant


def order_at(world: Any, merchant: Merchant, **more: Any) -> Any:
    made = world.remote.order(merchant.appid, [build.line("10000001", "20000001", 1)], **more)
    order, _ = read_order(merchant, made["order_id"])
    return order


def changed(world: Any, order: Any, patch: dict[str, Any]) -> Any:
    """The platform changes the order, and it is read again."""
    world.remote.change(order.order_id, patch)
    fresh, _ = read_order(order.merchant, order.order_id)
    return fresh


def moved(world: Any, order: Any, hash_code: str = "h-new", place: str = "上海市 上海市 浦东新区") -> Any:
    """The buyer's address changes, and the order is read again."""
    address = build.address("王**", place, "139****1234", hash_code)
    return changed(world, order, {"order_detail": {"delivery_info": {"address_info": address}}})
