"""The board's charts as tables: each row a mark of the drawing, each mark a link to its packages."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from merchants.models import User
from shipping import figures, states
from shipping.asked import whole
from shipping.drafts import SEND
from shipping.figures import Read
from shipping.past import couriers_used

# Hours that a day's chart shows at least.
OPENS, CLOSES = 8, 20
ROWS = 10
# Minutes after the payment where one class of the chart ends and the next begins.
CLASSES = (0, 60, 240, 720, 1440, 2880, None)


class Cell(NamedTuple):
    """A number as it is shown, and where it leads; one that is drawn has a value."""

    text: str
    url: str = ""
    value: int | float | None = None


class Row(NamedTuple):
    """A label, the same in short for an axis, and its numbers."""

    label: str
    short: str
    cells: list[Cell]


class Chart(NamedTuple):
    """form: columns or bars; a column of the table without a value in its cells is not drawn."""

    name: str
    title: object
    form: str
    heads: Sequence[object]
    rows: list[Row]
    note: object = ""
    # How many rows there are beyond those shown.
    more: int = 0

    @property
    def key(self) -> list[object]:
        """What the colours mean, where there are several."""
        drawn = [
            head for n, head in enumerate(self.heads) if self.rows and self.rows[0].cells[n].value is not None
        ]
        return drawn if len(drawn) > 1 else []


class Span(NamedTuple):
    """What the figures are of: the days, and the store that was picked."""

    first: date
    last: date
    appid: str

    @property
    def is_one_day(self) -> bool:
        return self.first == self.last

    def url(self, **asked: str) -> str:
        """The history of this span, filtered; what is counted are goods that leave."""
        whole_span = {"purpose": SEND, "since": f"{self.first}", "until": f"{self.last}"}
        store = {"merchant": self.appid} if self.appid else {}
        return f"{reverse('history')}?{urlencode({**store, **whole_span, **asked})}"


def charts(user: User, span: Span, read: Read) -> list[Chart]:
    return [make(user, span, read) for make in CHARTS]


def problem_chart(user: User, span: Span, read: Read) -> Chart:
    """A Pareto: the codes that refused most first, and how much of all they make together."""
    found = sorted(read.of(figures.CODE).items(), key=lambda pair: (-pair[1], pair[0]))
    total, seen, rows = sum(count for _, count in found), 0, []
    for key, count in found[:ROWS]:
        seen += count
        title = figures.code_of(key).text("title", get_language() or "zh-hans")
        url = span.url(status=states.REJECTED, code=key)
        cells = [Cell(f"{count:,}", url, count), _share(count, total), _share(seen, total)]
        number = key if whole(key.removeprefix("-")) is not None else ""
        rows.append(Row(f"{title} {number}".strip(), title, cells))
    heads = [_("次数"), _("占比"), _("累计")]
    return Chart("problems", _("失败原因"), "bars", heads, rows, more=len(found) - len(rows))


def pace_chart(user: User, span: Span, read: Read) -> Chart:
    rows = _hours(span, read) if span.is_one_day else _days(span, read)
    return Chart("pace", _("发出和失败"), "columns", [_("发出"), _("失败")], rows)


def _hours(span: Span, read: Read) -> list[Row]:
    shipped, refused = read.of(figures.SHIPPED), read.of(figures.REFUSED)
    busy = [int(hour) for hour in (*shipped, *refused)]
    hours = range(min([OPENS, *busy]), max([CLOSES, *busy]) + 1)
    return [_hour(span, hour, shipped, refused) for hour in hours]


def _hour(span: Span, hour: int, shipped: Mapping[str, int], refused: Mapping[str, int]) -> Row:
    begin = figures.midnight(span.first) + timedelta(hours=hour)
    since, until = (f"{at:%Y-%m-%dT%H:%M}" for at in map(timezone.localtime, (begin, begin + figures.HOUR)))
    key, label = f"{hour:02d}", f"{hour:02d}:00–{(hour + 1) % 24:02d}:00"
    cells = _gone_and_refused(span, shipped.get(key, 0), refused.get(key, 0), since=since, until=until)
    return Row(label, key, cells)


def _days(span: Span, read: Read) -> list[Row]:
    return [
        _day(span, span.first + timedelta(days=n), read) for n in range((span.last - span.first).days + 1)
    ]


def _day(span: Span, day: date, read: Read) -> Row:
    sums = Read(read.by_day.get(day, figures.Sums()), {}, True)
    gone, refused = sums.sum(figures.SHIPPED), sums.sum(figures.REFUSED)
    cells = _gone_and_refused(span, gone, refused, since=f"{day}", until=f"{day}")
    return Row(f"{day:%m-%d} {date_format(day, 'D')}", f"{day.day}", cells)


def _gone_and_refused(span: Span, gone: int, refused: int, **when: str) -> list[Cell]:
    both = ((gone, states.SHIPPED), (refused, states.REJECTED))
    return [Cell(f"{count:,}", span.url(status=status, **when), count) for count, status in both]


def took_chart(user: User, span: Span, read: Read) -> Chart:
    took = {int(key): count for key, count in read.of(figures.TOOK).items()}
    total, rows = sum(took.values()), []
    for begin, end in pairwise(CLASSES):
        count = sum(n for at, n in took.items() if at >= (begin or 0) and (end is None or at < end))
        url = span.url(status=states.SHIPPED, took=f"{begin}-{'' if end is None else end}")
        rows.append(
            Row(*_class_words(begin or 0, end), [Cell(f"{count:,}", url, count), _share(count, total)])
        )
    return Chart("took", _("付款到发货"), "columns", [_("包裹"), _("占比")], rows if total else [])


def _class_words(begin: int, end: int | None) -> tuple[str, str]:
    hours = begin // 60
    if end is None:
        return _("%d 小时以上") % hours, f"≥{hours}"
    return _("%(a)d–%(b)d 小时") % {"a": hours, "b": end // 60}, f"{hours}–{end // 60}"


def packer_chart(user: User, span: Span, read: Read) -> Chart:
    """By packages an hour, of the hours in which somebody shipped anything."""
    packages, hours = read.of(figures.PERSON), read.of(figures.PERSON_HOURS)
    people = User.objects.in_bulk([int(key) for key in packages])
    rows = []
    for key, count in packages.items():
        person, worked = people[int(key)], max(hours.get(key, 0), 1)
        url = span.url(status=states.SHIPPED, person=person.username)
        pace = Cell(f"{count / worked:.1f}", url, round(count / worked, 1))
        rows.append(Row(str(person), str(person), [pace, Cell(f"{count:,}"), Cell(f"{worked:,}")]))
    rows.sort(key=lambda row: -(row.cells[0].value or 0))
    heads = [_("每小时"), _("包裹"), _("小时数")]
    note = _("只算有包裹发出的小时。包裹有大有小、有难有易，这不是排名。")
    return Chart("packers", _("每人每小时发出的包裹"), "bars", heads, rows[:ROWS], note, len(rows[ROWS:]))


def courier_chart(user: User, span: Span, read: Read) -> Chart:
    found = sorted(read.of(figures.COURIER).items(), key=lambda pair: (-pair[1], pair[0]))
    names, total, rows = couriers_used(user), sum(count for _, count in found), []
    for key, count in found[:ROWS]:
        name = names.get(key, key) if key else _("不用快递（虚拟）")
        # What has no courier is not asked for by one.
        url = span.url(status=states.SHIPPED, **({"courier": key} if key else {"courier": "-"}))
        rows.append(Row(name, name, [Cell(f"{count:,}", url, count), _share(count, total)]))
    return Chart("couriers", _("快递公司"), "bars", [_("包裹"), _("占比")], rows, more=len(found) - len(rows))


def _share(count: int, total: int) -> Cell:
    return Cell(f"{100 * count / total:.1f}%" if total else "—")


CHARTS: Iterable[Callable[[User, Span, Read], Chart]] = (
    pace_chart,
    problem_chart,
    took_chart,
    packer_chart,
    courier_chart,
)
