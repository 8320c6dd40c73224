"""Saying what is to be said, by workers only: by a robot or by mail, again until it got through.

A message is taken by conditional update before it is said and marked after, so a worker that dies in between
has it said twice rather than never.
"""

import logging
from datetime import timedelta
from urllib.parse import urlsplit

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as say

from wechat import robots
from wechat.client import Client
from wechat.replies import ReplyKind

from .deadline import timeouts
from .fields import SecretUnreadable
from .models import Channel, Message
from .queries import mail_addresses
from .telling import Words, unsaid
from .wake import wake

log = logging.getLogger(__name__)
# Longer than a call may take.
LEASE = timedelta(minutes=2)
FIRST_WAIT, LONGEST_WAIT = timedelta(seconds=30), timedelta(hours=1)
# About eight hours; what is older nobody wants to hear any more.
MOST_TRIES = 15
FORGOTTEN_AFTER, NOBODY_TAKES_IT = timedelta(seconds=30), timedelta(minutes=3)
KEPT = timedelta(days=30)
# Begins whatever is said: a robot may be set to take only what holds a keyword.
FROM_US = "[Fahuo] "


def deliver(pk: int) -> None:
    """Say one message if its time has come and nobody else is saying it."""
    now = timezone.now()
    due = Message.objects.filter(pk=pk, due_at__lte=now)
    if not due.update(due_at=now + LEASE, tries=F("tries") + 1):
        return
    message = Message.objects.select_related("channel__merchant").get(pk=pk)
    words = Words(message.title, message.text)
    _note(message, tell(message.channel, words) if message.channel.is_active else "switched_off")


def _note(message: Message, failure: str) -> None:
    now, rows = timezone.now(), Message.objects.filter(pk=message.pk)
    if not failure:
        rows.update(due_at=None, said_at=now, failure="")
    else:
        is_over = message.tries >= MOST_TRIES or not message.channel.is_active
        rows.update(due_at=None if is_over else now + wait(message.tries), failure=failure)


def wait(tries: int) -> timedelta:
    """Half a minute, doubled with each try, an hour at most."""
    return min(LONGEST_WAIT, FIRST_WAIT * float(2 ** min(tries - 1, 10)))


def tell(channel: Channel, words: Words) -> str:
    """Say something on a channel now; "" when it got through, else why not. The channel remembers either."""
    try:
        failure = (_mail if channel.kind == Channel.Kind.MAIL else _call)(channel, words)[:300]
    except SecretUnreadable:
        failure = "secret_unreadable"
    except Exception as error:  # of a mail server, whose words may name anybody
        log.warning("channel=%s: not told: %s", channel.pk, type(error).__name__)
        failure = type(error).__name__
    now = timezone.now()
    told = {"failed_at": now, "failure": failure} if failure else {"succeeded_at": now}
    Channel.objects.filter(pk=channel.pk).update(**told)
    return failure


def _call(channel: Channel, words: Words) -> str:
    text = f"{FROM_US}{words.title}\n{words.text}".strip()
    try:
        letter = robots.letter(
            channel.kind, channel.webhook, channel.sign_secret, text, timezone.now(), settings.ALERT_HOSTS
        )
    except robots.NotARobot:
        return "not_a_robot"
    reply = Client(letter.origin, timeouts()).call(letter.endpoint, letter.body)
    if reply.kind is not ReplyKind.ANSWERED:
        return f"{reply.slug} {reply.http_status or ''}".strip()
    return robots.refusal(channel.kind, reply.data)


def _mail(channel: Channel, words: Words) -> str:
    """One mail to all, who do not learn of each other's addresses."""
    addresses = mail_addresses(channel)
    if not addresses:
        return "no_address"
    EmailMessage(FROM_US + words.title, words.text, bcc=addresses).send()
    return ""


def test_words(channel: Channel) -> Words:
    """What a test says."""
    whose = channel.merchant.name if channel.merchant else say("所有店铺")
    return Words(
        say("测试消息"),
        say("%(whose)s 的通知会发到这里。") % {"whose": whose} + f"\n{urlsplit(settings.PUBLIC_URL).netloc}",
    )


def hand_out() -> None:
    """Have workers say what is overdue; what none takes is said here: that none is left may be the news."""
    now = timezone.now()
    overdue = unsaid().filter(due_at__lte=now - FORGOTTEN_AFTER).order_by("due_at")
    for pk in overdue.filter(due_at__gt=now - NOBODY_TAKES_IT).values_list("pk", flat=True)[:100]:
        wake("deliver", str(pk))
    untaken = overdue.filter(due_at__lte=now - NOBODY_TAKES_IT).values_list("pk", flat=True).first()
    if untaken is not None:
        deliver(untaken)


def forget_old() -> int:
    """Remove messages a month after they were written."""
    old = Message.objects.filter(created_at__lt=timezone.now() - KEPT, due_at=None)
    return old.delete()[0]
