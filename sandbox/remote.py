"""A small client of the control API, for tests and demonstrations: one method a door, plain dicts back."""

import http.client
import json
from typing import Any
from urllib.parse import urlencode, urlsplit

from sandbox import build
from sandbox.answers import Json


class Remote:
    """Talks to a running sandbox at ``url``; raises ``ValueError`` with its words if it says no."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc

    def ask(self, method: str, path: str, body: object = None) -> Any:
        """One JSON call, also to the platform's own paths."""
        connection = http.client.HTTPConnection(self._address, timeout=60)
        try:
            sent = None if body is None else json.dumps(body, ensure_ascii=False).encode()
            connection.request(method, path, sent, {"Content-Type": "application/json"})
            response = connection.getresponse()
            answer = json.loads(response.read())
        finally:
            connection.close()
        if response.status >= 400:
            raise ValueError(answer["error"])
        return answer

    def merchant(self, appid: str = "wx1", secret: str = "s" * 32, name: str = "店", **more: Any) -> str:
        """Open a store; returns its appid. ``more``: couriers, return_address, denied."""
        known = {"appid": appid, "secret": secret, "name": name, **more}
        return str(self.ask("POST", "/_sandbox/merchants", known)["appid"])

    def push_address(self, appid: str, url: str, token: str, aes_key: str) -> None:
        """Where a store's events go; refused if the address does not answer the platform's check."""
        asked = {"url": url, "token": token, "aes_key": aes_key}
        self.ask("POST", f"/_sandbox/merchants/{appid}/push", asked)

    def happen(self, order_id: str, what: str) -> Json:
        """Something happens to an order and is pushed (``sandbox.events.HAPPENINGS``)."""
        changed: Json = self.ask("POST", f"/_sandbox/orders/{order_id}/happen", {"what": what})
        return changed

    def pushes(self) -> list[Json]:
        """The newest pushes, with tries, due and answer."""
        found: list[Json] = self.ask("GET", "/_sandbox/pushes")
        return found

    def platform(self, appid: str, secret: str, push_token: str, aes_key: str) -> str:
        """Register a third-party platform; returns its appid."""
        known = {"appid": appid, "secret": secret, "push_token": push_token, "aes_key": aes_key}
        return str(self.ask("POST", "/_sandbox/platforms", known)["appid"])

    def authorize(self, platform: str, appid: str, **more: Any) -> str:
        """A store's owner agrees; returns the authorization code. ``more``: funcs."""
        asked = {"appid": appid, **more}
        return str(self.ask("POST", f"/_sandbox/platforms/{platform}/authorize", asked)["auth_code"])

    def push(self, platform: str, event: str, **more: Any) -> Json:
        """Push an event to ``url``, or see it sealed; ``more``: url, appid, create_time, funcs."""
        asked = {"event": event, **more}
        pushed: Json = self.ask("POST", f"/_sandbox/platforms/{platform}/push", asked)
        return pushed

    def cloud(self, appid: str = "wx1", **facts: Any) -> str:
        """Bind a CloudRun environment to a store (``sandbox.cloud.FACTS``); returns its base address."""
        path = self.ask("POST", "/_sandbox/cloud", {"appid": appid, **facts})["path"]
        return f"http://{self._address}{path}"

    def order(self, appid: str, lines: list[Json] | None = None, **more: Any) -> Json:
        """Place an order (arguments as ``build.order``); returns the whole of it."""
        made = build.order(lines, **more)
        placed: Json = self.ask("POST", "/_sandbox/orders", {"appid": appid, "order": made})
        return placed

    def truth(self, order_id: str) -> Json:
        """The order as it is, unmasked, with ``_sandbox``."""
        found: Json = self.ask("GET", f"/_sandbox/orders/{order_id}")
        return found

    def change(self, order_id: str, patch: Json) -> Json:
        """Merge-patch an order."""
        changed: Json = self.ask("POST", f"/_sandbox/orders/{order_id}/change", patch)
        return changed

    def copy(self, order_id: str, times: int, apart: int = 0) -> None:
        """Many orders like one, each updated ``apart`` seconds earlier than the one before."""
        self.ask("POST", f"/_sandbox/orders/{order_id}/copy", {"times": times, "apart": apart})

    def ship_by_hand(self, order_id: str, delivery_list: list[Json]) -> Json:
        """Ship in WeChat's back office."""
        asked = {"order_id": order_id, "delivery_list": delivery_list}
        shipped: Json = self.ask("POST", "/_sandbox/backoffice/ship", asked)
        return shipped

    def fault(self, fault: str, call: str = "order/delivery/send", **more: Any) -> int:
        """Plan a fault; ``more``: appid, order_id, times, seconds, hang, errcode, errmsg, accepted."""
        return int(self.ask("POST", "/_sandbox/faults", {"call": call, "fault": fault, **more})["id"])

    def switch(self, **wanted: Any) -> Json:
        """Set switches; returns them all."""
        found: Json = self.ask("POST", "/_sandbox/switches", wanted)
        return found

    def ledger(self, **wanted: str) -> list[Json]:
        """Received calls, oldest first; filter by appid, order_id, path."""
        found: list[Json] = self.ask("GET", f"/_sandbox/ledger?{urlencode(wanted)}")
        return found

    def expire_tokens(self, appid: str, dead: bool = False) -> None:
        """Let a store's tokens run out (42001), or kill them (40001)."""
        self.ask("POST", "/_sandbox/tokens/expire", {"appid": appid, "dead": dead})

    def token(self, appid: str = "wx1", secret: str = "s" * 32, force: bool = False) -> str:
        """A stable token of the store."""
        asked = {"grant_type": "client_credential", "appid": appid, "secret": secret}
        return str(
            self.ask("POST", "/cgi-bin/stable_token", {**asked, "force_refresh": force})["access_token"]
        )

    def call(self, path: str, body: object, token: str) -> Json:
        """One platform call below ``/channels/ec/``."""
        answer: Json = self.ask("POST", f"/channels/ec/{path}?access_token={token}", body)
        return answer
