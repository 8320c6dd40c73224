"""The morning's digest of a store: what left yesterday, what is due today, what needs a person."""

from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from functools import partial
from urllib.parse import urlencode

from django.conf import settings
from django.db import transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from merchants.models import Channel, Merchant, Role, User
from merchants.queries import merchants_for
from merchants.telling import Words, notify

from . import board, figures
from .models import EVERY_MORNING, Digest, DigestTime
from .templatetags.board import clock, counted, fen, percent, race_look
from .wake import wake

# A worker that comes up later than so long after the hour says nothing more that day.
LATEST = timedelta(hours=2)
CODES = 5


def time_of(store: Merchant) -> DigestTime:
    """When the store's digest goes, by its row or by the defaults."""
    return DigestTime.objects.filter(merchant=store).first() or DigestTime(merchant=store)


def times_of(user: User) -> list[DigestTime]:
    """Those of the stores this person manages."""
    return [time_of(store) for store in merchants_for(user, Role.MANAGER).order_by("name", "pk")]


def set_time(*, store: Merchant, is_on: bool, at: time) -> None:
    DigestTime.objects.update_or_create(merchant=store, defaults={"is_on": is_on, "at": at})


def channels_of(store: Merchant) -> list[str]:
    """Where the store's people are told."""
    return list(Channel.objects.filter(merchant=store, is_active=True).values_list("name", flat=True))


def due() -> list[Merchant]:
    """Stores whose hour has come, that have somewhere to be told, and were not told today."""
    now = timezone.localtime()
    stores = Merchant.objects.filter(is_active=True, channels__is_active=True).distinct()
    stores = stores.exclude(pk__in=Digest.objects.filter(day=now.date()).values("merchant"))
    return [store for store in stores.select_related("digest_time") if _is_time(store, now)]


def _is_time(store: Merchant, now: datetime) -> bool:
    known: DigestTime | None = getattr(store, "digest_time", None)
    at = known.at if known else EVERY_MORNING
    hour = now.replace(hour=at.hour, minute=at.minute, second=0, microsecond=0)
    return (known is None or known.is_on) and hour <= now < hour + LATEST


def wake_due() -> None:
    """Have the worker write the digests whose time has come."""
    if due():
        wake("write_digests")


def write_due() -> None:
    for store in due():
        write(store, timezone.localdate())


@transaction.atomic
def write(store: Merchant, day: date) -> bool:
    """Hand the digest to the store's channels, in the transaction of the row that only one can make."""
    _row, is_mine = Digest.objects.get_or_create(merchant=store, day=day)
    if is_mine:
        notify(merchant=store, compose=partial(words, store, day))
    return is_mine


# --- what it says -------------------------------------------------------------------------------------


def words(store: Merchant, day: date) -> Words:
    """The digest of the morning of `day`, in the active language."""
    race = board.races([store])[0]
    yesterday = figures.read([store.pk], day - figures.DAY, day - figures.DAY)
    shipped = {"store": store.name, "n": counted(yesterday.sum(figures.SHIPPED)), "due": counted(race.left)}
    title = _("%(store)s：昨天发出 %(n)s 个包裹，今天还有 %(due)s 单要发") % shipped
    parts = (_of_yesterday(yesterday), _of_today(race), _needed(store), [_link(store)])
    return Words(title, "\n".join(line for part in parts for line in part))


def _of_yesterday(read: figures.Read) -> Iterable[str]:
    right, wrong = read.sum(figures.RIGHT), read.sum(figures.WRONG)
    yield _("昨天：发出 %(n)s，失败 %(bad)s，一次成功 %(share)s") % {
        "n": counted(read.sum(figures.SHIPPED)),
        "bad": counted(read.sum(figures.REFUSED)),
        "share": percent(right / (right + wrong) if right + wrong else None),
    }
    codes = sorted(read.of(figures.CODE).items(), key=lambda pair: (-pair[1], pair[0]))
    for key, count in codes[:CODES]:
        title = figures.code_of(key).text("title", get_language() or "zh-hans")
        yield f"  {title} × {count}"


def _of_today(race: board.Race) -> Iterable[str]:
    yield _("今天 24:00 前到期：%(due)s 单，已发 %(done)s，还剩 %(left)s，已超时 %(late)s") % {
        "due": counted(race.due), "done": counted(race.done), "left": counted(race.left),
        "late": counted(race.late),
    }  # fmt: skip
    if race.ends_at:
        yield _("照最近一小时的速度，%(at)s 发完：%(word)s") % {
            "at": clock(race.ends_at), "word": race_look(race).word,
        }  # fmt: skip


def _needed(store: Merchant) -> Iterable[str]:
    needed = board.needed([store])
    if needed.since is None:
        yield _("没有要人处理的包裹。")
        return
    yield _("要人处理：%(n)s 个包裹，压着 %(money)s，最早的从 %(at)s 起") % {
        "n": counted(needed.total), "money": fen(needed.money), "at": clock(needed.since),
    }  # fmt: skip


def _link(store: Merchant) -> str:
    return f"{settings.PUBLIC_URL.rstrip('/')}{reverse('board')}?{urlencode({'merchant': store.appid})}"
