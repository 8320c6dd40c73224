"""The states of a package and who may move it where; the one table, no code.

draft -> queued -> sending -> shipped | rejected | unknown -> ... | conflict     draft, queued -> cancelled
"""

DRAFT, QUEUED, SENDING, SHIPPED = "draft", "queued", "sending", "shipped"
REJECTED, UNKNOWN, CONFLICT, CANCELLED = "rejected", "unknown", "conflict", "cancelled"

STAFF, WORKER, SWEEP, MANAGER = "staff", "worker", "sweep", "manager"

# (from, to) -> who may do it
TRANSITIONS: dict[tuple[str, str], frozenset[str]] = {
    (DRAFT, QUEUED): frozenset({STAFF}),
    (DRAFT, CANCELLED): frozenset({STAFF}),
    (QUEUED, DRAFT): frozenset({STAFF}),
    (QUEUED, CANCELLED): frozenset({STAFF}),
    (QUEUED, SENDING): frozenset({WORKER}),
    (SENDING, SHIPPED): frozenset({WORKER}),
    (SENDING, REJECTED): frozenset({WORKER}),
    (SENDING, QUEUED): frozenset({WORKER, SWEEP}),
    (SENDING, UNKNOWN): frozenset({WORKER, SWEEP}),
    (UNKNOWN, SHIPPED): frozenset({WORKER}),
    (UNKNOWN, REJECTED): frozenset({WORKER}),
    (UNKNOWN, QUEUED): frozenset({WORKER}),
    (UNKNOWN, CONFLICT): frozenset({WORKER}),
    (CONFLICT, SHIPPED): frozenset({MANAGER}),
    (CONFLICT, REJECTED): frozenset({MANAGER}),
    (CONFLICT, CANCELLED): frozenset({MANAGER}),
}

ALL = (DRAFT, QUEUED, SENDING, SHIPPED, REJECTED, UNKNOWN, CONFLICT, CANCELLED)
# Nothing of an order is claimed while one of its packages is in one of these.
OPEN = (SENDING, UNKNOWN, CONFLICT)
# These count as taken from what is left of the order.
HOLDS_GOODS = (QUEUED, SENDING, UNKNOWN, CONFLICT, SHIPPED)
# A waybill is not held by these: it may be entered again.
FREES_WAYBILL = (DRAFT, REJECTED, CANCELLED)
# Hands are needed.
TROUBLE = (REJECTED, UNKNOWN, CONFLICT)
FINAL = (SHIPPED, REJECTED, CANCELLED)
# A page goes on polling only for these.
MOVING = (QUEUED, SENDING, UNKNOWN)
# The least finished first: an order's status on the command line is the first of these it has.
LEAST_FINISHED = (CONFLICT, UNKNOWN, SENDING, QUEUED, REJECTED, CANCELLED, DRAFT, SHIPPED)


class IllegalMove(Exception):
    """A move that the table does not allow, or that someone else made first."""


def is_allowed(source: str, target: str, who: str) -> bool:
    return who in TRANSITIONS.get((source, target), frozenset())
