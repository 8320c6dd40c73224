"""A receiver in clear, straight from WeChat to the one who asked: the only call a page makes itself.

It may not be stored, so it cannot go by a worker and a row. Who asked and why is written before the call.
"""

from merchants import lines
from merchants.models import User
from wechat.endpoints import RECEIVER_DECODE
from wechat.outcomes import read_outcome
from wechat.payload import order_get_body
from wechat.receivers import Receiver, parse_receiver
from wechat.replies import Reply, ReplyKind

from .models import Order, ReceiverView

ERASED = "buyer_erased"


def reveal(*, order: Order, user: User, why: str) -> tuple[Receiver | None, ReceiverView]:
    """The receiver, or None and a row that says why not (its errcode or slug)."""
    view = ReceiverView.objects.create(order=order, by=user, why=why[:200])
    reply = _decode(order)
    view.errcode, view.slug, view.rid = reply.errcode, reply.slug, reply.rid
    view.save(update_fields=["errcode", "slug", "rid"])
    return (parse_receiver(reply.data) if reply.ok else None), view


def _decode(order: Order) -> Reply:
    """No token is fetched for a page: without a living one the worker has its turn first."""
    if order.erased_at:
        return Reply(ReplyKind.NOT_SENT, slug=ERASED)
    if not lines.is_reachable(order.merchant):
        return Reply(ReplyKind.NOT_SENT, slug="wrong_host")
    line = lines.current(order.merchant)
    if line is None:
        return Reply(ReplyKind.NOT_SENT, slug="no_token")
    reply = line.call(RECEIVER_DECODE, order_get_body(order.order_id))
    if read_outcome(reply).then == "renew_token":
        line.drop()
    return reply
