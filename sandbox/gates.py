"""What every call must pass before an endpoint sees it (store-api.md 3.3, 6)."""

import re
from collections.abc import Callable, Iterator

from sandbox.answers import Problem
from sandbox.call import Arrival

ESCAPE = re.compile(rb"\\u[0-9a-fA-F]{4}")
MAX_BYTES = 1024 * 1024


def path_is_known(arrival: Arrival) -> Iterator[Problem]:
    """40066 for an address the platform does not have."""
    if arrival.endpoint is None:
        yield Problem(40066)


def method_fits(arrival: Arrival) -> Iterator[Problem]:
    """43002 where POST is wanted, 43001 where GET is."""
    wanted = arrival.endpoint.method if arrival.endpoint else "POST"
    if arrival.request.method != wanted:
        yield Problem({"POST": 43002, "GET": 43001}[wanted])


def token_lives(arrival: Arrival) -> Iterator[Problem]:
    """41001, 40001 or 42001, unless this is a call for a token."""
    if arrival.caller.problem:
        yield arrival.caller.problem


def body_is_sized(arrival: Arrival) -> Iterator[Problem]:
    """44002 for nothing, 45002 for more than a megabyte."""
    if not arrival.request.raw:
        yield Problem(44002)
    if len(arrival.request.raw) > MAX_BYTES:
        yield Problem(45002)


def body_is_unescaped(arrival: Arrival) -> Iterator[Problem]:
    r"""40033 for \uXXXX in a send, if switched on."""
    sends = arrival.request.path.endswith("delivery/send")
    if sends and arrival.switches["refuse_escapes"] and ESCAPE.search(arrival.request.raw):
        yield Problem(40033)


def body_has_the_types(arrival: Arrival) -> Iterator[Problem]:
    """47001 for no JSON object or a wrong type anywhere in it."""
    if arrival.endpoint:
        yield from arrival.endpoint.shape(arrival.request.body)


def shop_may_call(arrival: Arrival) -> Iterator[Problem]:
    """48001 for a path the store has no right to."""
    denied = arrival.merchant.denied if arrival.merchant else ()
    if any(arrival.request.path.endswith(path) for path in denied):
        yield Problem(48001)


Gate = Callable[[Arrival], Iterator[Problem]]
TOKEN_GATES: tuple[Gate, ...] = (method_fits,)
STORE_GATES: tuple[Gate, ...] = (
    path_is_known,
    method_fits,
    token_lives,
    shop_may_call,
    body_is_sized,
    body_is_unescaped,
    body_has_the_types,
)
