"""The demo's stores, people, orders and drafts, through the product's own doors."""

import time
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from merchants.credentials import save_credential, save_platform, save_push_secrets
from merchants.models import Merchant, Mode, Platform, User
from merchants.services import add_merchant, set_membership
from shipping.drafts import VIRTUAL, CourseDraft, Draft, PackageDraft, SerialDraft
from shipping.figures import count_on
from shipping.management.demo_history import make_history
from shipping.models import Order, SyncCursor
from shipping.queries import order_facts
from shipping.services import save_draft
from shipping.syncing import sync_merchant

# The sandbox's own numbers; its secrets are as public as its stores are invented.
STORES = {
    "wx1000000000000001": "杭州云栖数码旗舰店",
    "wx1000000000000002": "广州知学课堂",
    "wx1000000000000003": "错误码演示店",
    "wx1000000000000004": "停摆演示店",
}
# The two that are called otherwise: by a third-party platform, and from the cloud.
AUTHORIZED, CLOUD = "wx1000000000000005", "wx1000000000000006"
OTHERS = {AUTHORIZED: "成都锦里文创店（第三方平台）", CLOUD: "昆明云朵花坊（云调用）"}
PLATFORM = {
    "app_secret": "9" * 32,
    "push_token": "demo-push-token",
    "aes_key": "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
}
WITH_PAST = ("wx1000000000000001", "wx1000000000000002")
CODE_STORES = ("wx1000000000000003", "wx1000000000000004")
PEOPLE = {"staff": "小王", "manager": "李主管", "admin": "陈管理"}
PASSWORD = "fahuo-demo"  # noqa: S105 - printed on the demo's own login page
COURSE_CODES = ("606036", "606037", "606038", "606048")
T = TypeVar("T")


class Command(BaseCommand):
    help = (
        "Load the demo into an installation that talks to the sandbox; overwrites nothing. "
        "Example: manage.py load_demo. Exit 0: loaded; 1: not beside the sandbox, or it could not be read."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.IS_DEMO:
            raise CommandError(
                "WECHAT_API_URL is not on this machine: the demo is only loaded beside the sandbox."
            )
        merchants = self._step("店铺", _stores)
        self._step("账号", lambda: [_person(*person, merchants) for person in PEOPLE.items()])
        for merchant in merchants:
            # Set only when everything was read, so that an interrupted start reads on.
            if merchant.orders_read_at is None and merchant.appid != AUTHORIZED:
                self._step(merchant.name, partial(_read_orders, merchant))
            if merchant.appid in WITH_PAST:
                self._step(f"{merchant.name}的发货记录", partial(make_history, merchant))
            if merchant.appid in CODE_STORES:
                self._step(f"{merchant.name}的草稿", partial(_drafts, merchant))
        for merchant in merchants:
            count_on(merchant.pk, float("inf"))

    def _step(self, name: str, work: Callable[[], list[T]]) -> list[T]:
        began = time.monotonic()
        done = work()
        self.stdout.write(f"    {name} {len(done)}，{time.monotonic() - began:.1f} s")
        return done


def _read_orders(merchant: Merchant) -> list[Order]:
    began = timezone.now()
    result = sync_merchant(merchant, 30)
    if result.error:
        raise CommandError(f"{merchant.name}: {result.error}")
    # The worker goes on from here instead of reading it all again.
    known = {"read_to": began, "succeeded_at": began, "read": result.read}
    SyncCursor.objects.update_or_create(merchant=merchant, defaults=known)
    return list(merchant.orders.all())


def _drafts(merchant: Merchant) -> list[Order]:
    """One for each order that nobody has touched yet."""
    orders = list(merchant.orders.filter(shipments=None))
    for order in orders:
        _draft(order)
    return orders


def _stores() -> list[Merchant]:
    """The worker reads the third party's store, once its authorisation has been pushed."""
    own = [_store(appid, name, appid[-1] * 32) for appid, name in STORES.items()]
    if not settings.WECHAT_CLOUD_API_URL:
        return own
    if not Platform.objects.exists():
        save_platform(appid="wx1000000000000090", secrets=PLATFORM, by=None)
    modes = {AUTHORIZED: Mode.COMPONENT, CLOUD: Mode.CLOUD}
    return own + [_store(appid, OTHERS[appid], mode=mode) for appid, mode in modes.items()]


def _store(appid: str, name: str, secret: str = "", mode: str = Mode.OWN) -> Merchant:
    known = Merchant.objects.filter(appid=appid).first()
    if known is None:
        known = add_merchant(appid=appid, name=name, secret=secret)
        save_credential(merchant=known, mode=mode, by=None)
    if mode != Mode.COMPONENT and not known.credential.push_token:
        pushed = {"push_token": f"push-{appid[-1] * 10}", "aes_key": appid[-1] * 43}
        save_push_secrets(merchant=known, secrets=pushed, by=None)
    return known


@transaction.atomic
def _person(username: str, name: str, merchants: list[Merchant]) -> None:
    user = User.objects.filter(username=username).first()
    user = user or User.objects.create_user(username, password=PASSWORD, display_name=name)
    known = set(user.memberships.values_list("merchant", flat=True))
    for merchant in (one for one in merchants if one.pk not in known):
        set_membership(user=user, merchant=merchant, role=username)


def _draft(order: Order) -> None:
    """The form of a code order opens filled and right, so that one click shows the code."""
    is_virtual = order_facts(order).suggested_type == VIRTUAL
    is_course = any(code in line.title for line in order.lines.all() for code in COURSE_CODES)
    package = PackageDraft(
        delivery_id="" if is_virtual else "SF",
        waybill_id="" if is_virtual else f"SF1{order.order_id[-12:]}",
        course=CourseDraft(None, None, "wxabcdes", "pages/course") if is_course else None,
        serial=SerialDraft(f"SN{order.order_id[-10:]}", "490154203237518") if order.is_subsidy else None,
    )
    save_draft(order=order, draft=Draft(order.order_id, (package,)), user=None, door="demo")
