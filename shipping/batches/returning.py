"""The rows that did not leave, in the uploader's own columns, with the reason and what to do."""

from collections.abc import Iterator

from django.utils.translation import gettext as _

from merchants.models import User
from shipping import filewords, states
from shipping.models import Batch, BatchOrder, BatchRow, Package
from shipping.tables.columns import Mapping
from wechat.errcodes import meaning

from .discreet import problems_for
from .reads import orders_for
from .rehearsal import Verdict
from .shapes import Placed
from .words import column_word, language, remedy_of, text_of

CHUNK = 500


def rows_to_mend(user: User, batch: Batch) -> Iterator[list[str]]:
    """A header, then each row of an order that a rule stops or WeChat refused; cells as edited."""
    yield [*batch.columns, _("原因"), _("怎么办")]
    for rows in _chunks(_to_mend(user, batch)):
        told = problems_for(user, rows)
        reasons = {order.key: _reasons(batch, order, told[order.pk]) for order in rows}
        lines = BatchRow.objects.filter(batch=batch, key__in=reasons).order_by("number")
        for line in lines:
            yield [*_cells(batch, line), *_reason_for(line, reasons[line.key])]


def _to_mend(user: User, batch: Batch) -> list[BatchOrder]:
    rows = orders_for(user, batch).order_by("first_row")
    stopped = list(rows.filter(verdict=Verdict.STOPPED))
    refused = rows.filter(
        verdict=Verdict.QUEUED, shipment__packages__status=states.REJECTED, shipment__corrections=None
    ).distinct()
    sent = list(refused.prefetch_related("shipment__packages"))
    return sorted((*stopped, *sent), key=lambda row: row.first_row)


def _chunks(rows: list[BatchOrder]) -> Iterator[list[BatchOrder]]:
    yield from (rows[first : first + CHUNK] for first in range(0, len(rows), CHUNK))


def _cells(batch: Batch, line: BatchRow) -> list[str]:
    cells = [*line.cells, *[""] * (len(batch.columns) - len(line.cells))]
    if line.is_edited or not line.cells:
        for field, column in Mapping.from_json(batch.mapping).fields.items():
            cells[column] = line.values.get(field, "")
    return cells


# (row, or None for the whole order; what is wrong; what to do)
Reason = tuple[int | None, str, str]


def _reasons(batch: Batch, order: BatchOrder, problems: list[Placed]) -> list[Reason]:
    if order.verdict == Verdict.STOPPED:
        return [_placed(batch, placed) for placed in problems if placed.problem.stops]
    packages = order.shipment.packages.all() if order.shipment else ()
    return [_refused(package) for package in packages if package.status == states.REJECTED]


def _placed(batch: Batch, placed: Placed) -> Reason:
    remedy = "" if placed.problem.slug in filewords.WORDS else remedy_of(placed.problem)
    words = _("%(column)s：%(text)s") % {
        "column": column_word(batch, placed.column),
        "text": text_of(placed.problem),
    }
    return placed.row, words, remedy


def _refused(package: Package) -> Reason:
    code = meaning(package.errcode, package.slug)
    number = "" if package.errcode is None else f"{package.errcode} "
    words = f"{number}{code.text('means', language())}"
    return None, words, code.text("do", language())


def _reason_for(line: BatchRow, reasons: list[Reason]) -> tuple[str, str]:
    """What is wrong in this row; a row of a stopped order without a fault of its own says which row it is."""
    own = [reason for reason in reasons if reason[0] in (None, line.number)]
    if not own and reasons:
        return _("同一订单的第 %d 行有问题") % (reasons[0][0] or line.number), ""
    return " ".join(reason[1] for reason in own), " ".join(dict.fromkeys(reason[2] for reason in own))
