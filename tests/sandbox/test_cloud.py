"""The cloud call's own base: no token, the console's list, the switch, the start-up (store-api.md 3.4)."""

import http.client
import json
from typing import Any
from urllib.parse import urlsplit

import pytest

from .conftest import Shop

OLD, NEW = "order/deliverycompanylist/get", "order/deliverycompanylist/new/get"


def call(base: str, path: str, body: str = "{}", query: str = "") -> tuple[int, Any, dict[str, str]]:
    address = urlsplit(base)
    connection = http.client.HTTPConnection(address.netloc)
    connection.request("POST", f"{address.path}/channels/ec/{path}{query}", body)
    response = connection.getresponse()
    answer = json.loads(response.read())
    connection.close()
    return response.status, answer, dict(response.getheaders())


def test_a_listed_call_needs_no_token_and_carries_the_proof(shop: Shop) -> None:
    status, answer, headers = call(shop.remote.cloud(shop.appid, allowed=[OLD]), OLD)
    assert (status, answer["errcode"]) == (200, 0)
    assert headers["x-openapi-seqid"]
    [entry] = [row for row in shop.remote.ledger(appid=shop.appid) if row["path"].endswith(OLD)]
    assert (entry["token_print"], entry["token_valid"]) == ("", False)


@pytest.mark.parametrize(
    ("facts", "path", "query", "code"),
    [
        ({"allowed": ["order/get"]}, OLD, "", 85107),
        ({}, NEW, "", 85107),
        ({"is_ready": False}, OLD, "", 85112),
        ({"is_on": False}, OLD, "", 41001),
        ({}, OLD, "?access_token=x", 43003),
    ],
)
def test_what_the_cloud_refuses(shop: Shop, facts: dict[str, Any], path: str, query: str, code: int) -> None:
    status, answer, _ = call(shop.remote.cloud(shop.appid, **facts), path, '{"ewaybill_only":false}', query)
    assert (status, answer["errcode"]) == (200, code)


def test_an_environment_of_nobody_and_the_gateways_manner(shop: Shop) -> None:
    base = shop.remote.cloud(shop.appid, allowed=[], bad_gateway=True)
    status, answer, _ = call(base, OLD)
    assert (status, answer["errcode"]) == (502, 85107)
    assert call(base.replace(shop.appid, "wxnobody"), OLD)[1]["errcode"] == 85105


def test_there_is_no_cloud_call_for_tokens(shop: Shop) -> None:
    shop.remote.cloud(shop.appid)
    assert shop.remote.ask("POST", f"/_cloud/{shop.appid}/cgi-bin/stable_token", {})["errcode"] == 85107


def test_facts_of_a_wrong_type_are_told(shop: Shop) -> None:
    with pytest.raises(ValueError, match="is_on"):
        shop.remote.cloud(shop.appid, is_on="no")
