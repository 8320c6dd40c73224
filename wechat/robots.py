"""The group robots of three chat programs: where each listens, what it is sent, how it signs and answers.

Nothing here calls: `wechat.client` does, with the origin, path and body that `letter` makes. An address is a
secret, for whoever knows it writes into the group.
"""

import base64
import hashlib
import hmac
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import SplitResult, parse_qs, urlencode, urlsplit

from .endpoints import KB, Endpoint
from .secrets import redact, remember

WECOM, FEISHU, DINGTALK = "wecom", "feishu", "dingtalk"
MORE = "……"


class NotARobot(ValueError):
    """An address that no robot of this kind has: anything may listen there, also inside our own network."""


@dataclass(frozen=True)
class Robot:
    """Where a kind listens; `key`: the query field of its secret, "" where the path ends in the secret."""

    host: str
    path: str
    key: str
    # Bytes of UTF-8 that one text may have.
    most: int
    signs: bool


# WeCom: developer.work.weixin.qq.com/document/path/91770, a text of 2048 bytes. Feishu: custom bot guide, a
# body of 20 KB. DingTalk: custom robot access, a body of 20,000 bytes.
ROBOTS: Mapping[str, Robot] = {
    WECOM: Robot("qyapi.weixin.qq.com", "/cgi-bin/webhook/send", "key", 2048, signs=False),
    FEISHU: Robot("open.feishu.cn", "/open-apis/bot/v2/hook/", "", 9000, signs=True),
    DINGTALK: Robot("oapi.dingtalk.com", "/robot/send", "access_token", 9000, signs=True),
}


@dataclass(frozen=True)
class Letter:
    """One message on its way: the endpoint's path holds the robot's secret."""

    origin: str
    endpoint: Endpoint
    body: dict[str, Any]


def check(kind: str, url: str, extra_hosts: Collection[str] = ()) -> SplitResult:
    """The parts of a robot's address. Raises NotARobot for any other.

    `extra_hosts`: host:port of stand-ins, which alone may also listen on http.
    """
    try:
        parts, robot = urlsplit(url), ROBOTS[kind]
        is_ours = parts.scheme == "https" and parts.netloc == robot.host
        is_stand_in = parts.scheme in ("http", "https") and parts.netloc in extra_hosts
        if (is_ours or is_stand_in) and _token(robot, parts) and not parts.fragment:
            return parts
    except (KeyError, ValueError):
        pass
    raise NotARobot("not the address of this kind of robot")


def _token(robot: Robot, parts: SplitResult) -> str:
    """What makes the address a secret, "" when it is not there."""
    if robot.key:
        return parse_qs(parts.query).get(robot.key, [""])[0] if parts.path == robot.path else ""
    token = parts.path.removeprefix(robot.path)
    return token if token != parts.path and "/" not in token and not parts.query else ""


def letter(
    kind: str, url: str, sign_secret: str, text: str, now: datetime, extra_hosts: Collection[str] = ()
) -> Letter:
    """What to post, and where, to have a robot say `text`. Raises NotARobot."""
    parts, robot = check(kind, url, extra_hosts), ROBOTS[kind]
    remember(_token(robot, parts))
    body, query = BODIES[kind](shortened(text, robot.most), sign_secret, now)
    path = parts.path + (f"?{'&'.join(filter(None, (parts.query, query)))}" if parts.query or query else "")
    remember(path)
    endpoint = Endpoint("robot", path, needs_token=False, body_cap=64 * KB, holds="code")
    return Letter(f"{parts.scheme}://{parts.netloc}", endpoint, body)


def _for_wecom(text: str, secret: str, now: datetime) -> tuple[dict[str, Any], str]:
    return {"msgtype": "text", "text": {"content": text}}, ""


def _for_feishu(text: str, secret: str, now: datetime) -> tuple[dict[str, Any], str]:
    """Signed in the body, by seconds: the text to sign is the key, and the message is empty."""
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if not secret:
        return body, ""
    stamp = str(int(now.timestamp()))
    return {"timestamp": stamp, "sign": _hmac(f"{stamp}\n{secret}", ""), **body}, ""


def _for_dingtalk(text: str, secret: str, now: datetime) -> tuple[dict[str, Any], str]:
    """Signed in the query, by milliseconds, with the secret as the key."""
    body = {"msgtype": "text", "text": {"content": text}}
    if not secret:
        return body, ""
    stamp = str(int(now.timestamp() * 1000))
    return body, urlencode({"timestamp": stamp, "sign": _hmac(secret, f"{stamp}\n{secret}")})


BODIES: Mapping[str, Callable[[str, str, datetime], tuple[dict[str, Any], str]]] = {
    WECOM: _for_wecom,
    FEISHU: _for_feishu,
    DINGTALK: _for_dingtalk,
}


def _hmac(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def shortened(text: str, most: int) -> str:
    """At most so many bytes of UTF-8, whole characters; what was cut off shows."""
    if len(text.encode()) <= most:
        return text
    return text.encode()[: most - len(MORE.encode())].decode(errors="ignore") + MORE


def refusal(kind: str, data: Mapping[str, Any]) -> str:
    """Code and words of an answer that does not take the message, without secrets; "" for one that does."""
    number, words = ("code", "msg") if kind == FEISHU else ("errcode", "errmsg")
    code = data.get(number)
    is_taken = code == 0 and not isinstance(code, bool)
    return "" if is_taken else redact(f"{code} {data.get(words) or ''}".strip())
