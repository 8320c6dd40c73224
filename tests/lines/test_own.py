"""The own store's line: force_refresh on a button only, pasted tokens, tokens that die before their time."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from merchants import errands, lines
from merchants.credentials import NotNow, ask_force_refresh
from merchants.models import Credential, Errand, Pause
from merchants.queries import FORCE_A_DAY, force_budget
from shipping.syncing import read_order
from tests.flows.test_dispatch import ship, status_of
from tests.pages.test_admin import admin
from tests.pages.test_desk import member, page, run_tasks

pytestmark = pytest.mark.django_db(transaction=True)
__all__ = ["admin"]  # the fixture
STABLE = "cgi-bin/stable_token"


def row() -> Credential:
    return Credential.objects.get()


def url() -> str:
    return f"/admin/merchants/credential/{row().pk}/change/"


def press(client: Client, button: str, **more: Any) -> Any:
    return client.post(url(), {"mode": row().mode, "new_secret": "", button: "1", **more})


def use_up(world: Any, count: int) -> None:
    hours = timezone.now() - timedelta(hours=3)
    for _ in range(count):
        Errand.objects.create(kind="force", merchant=world.merchant, status="done")
    Errand.objects.update(asked_at=hours)


def test_the_button_makes_a_new_token_and_its_page_says_so(world: Any, admin: Client) -> None:
    old = row().access_token
    answer = press(admin, "_force")
    assert answer.url == f"/errands/{Errand.objects.get().pk}/"
    assert "every 1s" in page(admin.get(answer.url)), "the page follows the row"
    assert row().access_token == old, "the web request itself fetches nothing"
    run_tasks()
    shown = page(admin.get(answer.url))
    assert "已换新" in shown
    assert "every 1s" not in shown
    assert row().access_token not in ("", old)
    assert world.remote.call("order/deliverycompanylist/get", {}, old)["errcode"] == 40001
    assert world.remote.call("order/deliverycompanylist/get", {}, row().access_token)["errcode"] == 0


def test_nothing_but_the_button_ever_forces(world: Any, pump: Any) -> None:
    world.remote.expire_tokens(world.merchant.appid, dead=True)
    shipment = ship(world.order())
    pump()
    assert status_of(shipment) == ["shipped"]
    bodies = [entry["body"] for entry in world.remote.ledger(path=STABLE)]
    assert len(bodies) == 2
    assert not any("force_refresh" in body for body in bodies)


def test_twice_within_thirty_seconds_is_refused_without_a_call(world: Any, admin: Client) -> None:
    press(admin, "_force")
    answer = admin.post(url(), {"mode": "own", "_force": "1"}, follow=True)
    assert "相隔 30 秒" in page(answer)
    assert Errand.objects.count() == 1
    Credential.objects.update(forced_at=timezone.now() - timedelta(seconds=31))
    press(admin, "_force")
    assert Errand.objects.count() == 2


def test_the_twenty_of_a_day_are_shown_and_kept(world: Any, admin: Client) -> None:
    use_up(world, FORCE_A_DAY - 1)
    assert "已用 19 次，还剩 1 次" in page(admin.get(url()))
    press(admin, "_force")
    Credential.objects.update(forced_at=None)
    assert "已用 20 次，还剩 0 次" in page(admin.get(url()))
    assert force_budget(world.merchant).next_at > timezone.now() + timedelta(hours=20)
    with pytest.raises(NotNow, match="20 次"):
        ask_force_refresh(merchant=world.merchant, by=None)
    assert row().forced_at is None, "a refused wish takes nothing"
    assert Errand.objects.count() == 20


def test_a_force_that_wechat_ignores_is_called_so(world: Any, admin: Client) -> None:
    """Another system has just forced: the platform answers with the token that is there."""
    world.remote.token(world.merchant.appid, world.merchant.credential.app_secret, force=True)
    press(admin, "_force")
    run_tasks()
    Credential.objects.update(forced_at=None)
    answer = press(admin, "_force")
    run_tasks()
    assert "又给了原来那张凭证" in page(admin.get(answer.url))


def test_a_stranger_cannot_follow_an_errand(world: Any, admin: Client) -> None:
    answer = press(admin, "_force")
    client = member(world, "manager")
    assert client.get(answer.url).status_code == 404
    assert client.get(answer.url + "status/").status_code == 404


def test_a_token_that_dies_before_its_time_warns_the_admin(world: Any, admin: Client, pump: Any) -> None:
    assert "有别的系统在换这个 AppID" not in page(admin.get(url()))
    world.remote.expire_tokens(world.merchant.appid, dead=True)
    shipment = ship(world.order())
    pump()
    assert status_of(shipment) == ["shipped"]
    assert page(admin.get(url())).count("有别的系统在换这个 AppID") == 2, "as a message and in its place"


def test_a_token_that_runs_out_in_time_warns_nobody(world: Any) -> None:
    line = lines.ensure(world.merchant)
    assert line is not None
    Credential.objects.update(token_expires_at=timezone.now() + timedelta(seconds=50))
    line.drop()
    assert row().died_early_at is None
    assert row().token_expires_at is None, "dropped all the same"


def test_a_token_that_was_replaced_meanwhile_is_not_dropped(world: Any) -> None:
    line = lines.ensure(world.merchant)
    assert line is not None
    Credential.objects.update(token_version=99)
    line.drop()
    assert row().token_expires_at is not None
    assert row().died_early_at is None


def test_a_second_refusal_in_a_row_pauses_the_store(world: Any) -> None:
    """Renewed once, tried once more, then a person: a reading call, too."""
    world.remote.fault("code", call="order/get", errcode=40001, times=0)
    order = world.remote.order(world.merchant.appid)
    world.remote.ask("DELETE", "/_sandbox/ledger")
    read_order(world.merchant, order["order_id"])
    assert [entry["path"][-9:] for entry in world.remote.ledger()] == ["order/get", "ble_token", "order/get"]
    assert (Pause.objects.get().call, Pause.objects.get().errcode) == ("", 40001)


def test_a_pasted_token_ships_without_a_secret(world: Any, admin: Client, pump: Any) -> None:
    token = world.remote.token(world.merchant.appid, row().app_secret)
    Credential.objects.update(app_secret="", access_token="", token_expires_at=None)
    answer = admin.post(url(), {"mode": "pasted", "new_token": token, "minutes": "110"})
    assert answer.status_code == 302, page(answer)
    shown = page(admin.get(url()))
    assert token not in shown
    assert f"…{token[-4:]} · " in shown
    assert " · boss" in shown
    world.remote.ask("DELETE", "/_sandbox/ledger")
    shipment = ship(world.order())
    pump()
    assert status_of(shipment) == ["shipped"]
    assert world.remote.ledger(path=STABLE) == []


def test_a_pasted_token_that_is_over_pauses_and_says_what_to_do(world: Any, admin: Client, pump: Any) -> None:
    order = world.order()
    token = world.remote.token(world.merchant.appid, row().app_secret)
    admin.post(url(), {"mode": "pasted", "new_token": token, "minutes": "110"})
    world.remote.expire_tokens(world.merchant.appid)
    world.remote.ask("DELETE", "/_sandbox/ledger")
    shipment = ship(order)
    pump()
    assert status_of(shipment) == ["queued"]
    assert Pause.objects.get(ended_at=None).slug == "pasted_token_over"
    assert world.remote.ledger(path=STABLE) == [], "nobody can renew a pasted token"
    assert "粘贴一张新的" in page(member(world).get("/"))


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"mode": "pasted"}, "请粘贴 access_token"),
        ({"mode": "pasted", "new_token": "x" * 40}, "要写还能用几分钟"),
        ({"mode": "pasted", "new_token": "x" * 40, "minutes": "121"}, "120"),
        ({"mode": "own"}, "要填 AppSecret"),
    ],
)
def test_a_mode_lacks_nothing_it_needs(world: Any, admin: Client, fields: dict[str, str], told: str) -> None:
    Credential.objects.update(app_secret="")
    answer = admin.post(url(), fields)
    assert answer.status_code == 200
    assert told in page(answer)
    assert "x" * 40 not in page(answer)


def test_another_mode_drops_the_token_of_the_one_before(world: Any, admin: Client) -> None:
    before = row()
    assert before.access_token
    admin.post(url(), {"mode": "pasted", "new_token": "t" * 40, "minutes": "5"})
    admin.post(url(), {"mode": "own", "new_secret": ""})
    assert (row().access_token, row().token_expires_at) == ("", None)
    assert row().app_secret == before.app_secret
    assert lines.ensure(world.merchant) is not None


def test_a_secret_filled_in_beside_a_pasted_token_leaves_it_alone(world: Any, admin: Client) -> None:
    admin.post(url(), {"mode": "pasted", "new_token": "t" * 40, "minutes": "5"})
    admin.post(url(), {"mode": "pasted", "new_secret": "n" * 32})
    assert (row().access_token, row().app_secret) == ("t" * 40, "n" * 32)


def test_a_forced_refresh_never_takes_the_secret_to_another_host(world: Any, admin: Client) -> None:
    world.merchant.api_host = "api.weixin.qq.com"
    world.merchant.save()
    world.remote.ask("DELETE", "/_sandbox/ledger")
    press(admin, "_force")
    run_tasks()
    assert Errand.objects.get().slug == "errand_failed"
    assert world.remote.ledger() == []


def test_an_errand_that_was_lost_is_picked_up_and_a_dead_one_ends(world: Any) -> None:
    long_ago = timezone.now() - timedelta(minutes=5)
    lost = Errand.objects.create(kind="force", merchant=world.merchant)
    dead = Errand.objects.create(kind="force", merchant=world.merchant, status="running")
    Errand.objects.update(asked_at=long_ago)
    errands.catch_up()
    assert Errand.objects.get(pk=lost.pk).status == "done"
    assert Errand.objects.get(pk=dead.pk).slug == "errand_failed"
    errands.run(lost.pk)
    assert len(world.remote.ledger(path=STABLE)) == 2, "run once"
