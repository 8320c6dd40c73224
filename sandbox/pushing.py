"""What the platform pushes to a third-party platform's event address: sealed XML (store-api.md 3.2, 4)."""

import http.client
import secrets
import sqlite3
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox import cipher, component
from sandbox.answers import Json

EVENTS = ("component_verify_ticket", "authorized", "updateauthorized", "unauthorized")


def sealed(db: sqlite3.Connection, platform: sqlite3.Row, wanted: Json, now: float) -> Json:
    """The query and the body of one push; ``event`` happens to the store ``appid`` as it is pushed."""
    made_at = int(wanted.get("create_time", now))
    inner = _event(db, platform["appid"], wanted, made_at, now)
    encrypted = cipher.seal(inner, platform["aes_key"], wanted.get("inner_appid", platform["appid"]))
    stamp, nonce = str(int(now)), secrets.token_hex(5)
    query = {
        "timestamp": stamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": cipher.sign(platform["push_token"], stamp, nonce, encrypted),
    }
    body = _xml({"AppId": platform["appid"], "Encrypt": encrypted})
    return {"query": urlencode(query), "body": body}


def _event(db: sqlite3.Connection, name: str, wanted: Json, made_at: int, now: float) -> str:
    told: dict[str, Any] = {"AppId": name, "CreateTime": made_at, "InfoType": wanted["event"]}
    store = str(wanted.get("appid", ""))
    if wanted["event"] == "component_verify_ticket":
        told["ComponentVerifyTicket"] = component.new_ticket(db, name, now)
    elif wanted["event"] == "unauthorized":
        component.cancel(db, name, store)
        told["AuthorizerAppid"] = store
    else:
        told["AuthorizerAppid"] = store
        told["AuthorizationCode"] = component.authorize(db, name, store, _funcs(wanted), now)
        told["AuthorizationCodeExpiredTime"] = int(now) + component.CODE_LIFE
    return _xml(told)


def _funcs(wanted: Json) -> list[int]:
    return [int(number) for number in wanted.get("funcs", [component.SHIPPING])]


def _xml(fields: dict[str, Any]) -> str:
    return "<xml>" + "".join(f"<{name}>{_value(value)}</{name}>" for name, value in fields.items()) + "</xml>"


def _value(value: Any) -> str:
    return str(value) if isinstance(value, int) else f"<![CDATA[{value}]]>"


def post(url: str, push: Json) -> Json:
    """Push to an address of ours; returns what it answered."""
    address = urlsplit(url)
    connection = http.client.HTTPConnection(address.netloc, timeout=5)
    try:
        connection.request(
            "POST", f"{address.path}?{push['query']}", push["body"].encode(), {"Content-Type": "text/xml"}
        )
        response = connection.getresponse()
        return {"status": response.status, "answer": response.read().decode("utf-8", "replace")}
    finally:
        connection.close()
