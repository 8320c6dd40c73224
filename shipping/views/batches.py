"""Files of tracking numbers: uploaded or pasted, rehearsed, mended, shipped, followed."""

from collections.abc import Callable
from io import BytesIO
from pathlib import PurePath
from urllib.parse import urlencode

from django.contrib import messages
from django.http import FileResponse, Http404, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.http import content_disposition_header
from django.utils.translation import gettext as _
from django.views.decorators.http import require_GET, require_POST
from django_htmx.http import HttpResponseClientRefresh

from merchants.queries import merchants_for
from shipping import filewords
from shipping.asked import whole
from shipping.batches import controls, fixes, reads
from shipping.batches.reading import open_questions, samples
from shipping.batches.rehearsal import Verdict
from shipping.batches.returning import rows_to_mend
from shipping.batches.template import template_notes, template_rows
from shipping.batches.words import FIELD_WORDS, why_refused
from shipping.models import Batch, BatchFile, BatchRow, Courier
from shipping.tables.columns import IGNORED
from shipping.tables.hostile import WEB
from shipping.tables.writing import csv_stream, write_xlsx
from shipping.views import MemberRequest
from shipping.views.batchcards import ASK_FROM, SMALL, TABS, cards, cause_cards, progress

BYTES = "application/octet-stream"
XLSX = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
LONGEST_NAME = 200


@require_GET
def batch_list(request: MemberRequest) -> HttpResponse:
    """The upload form, and what was uploaded before."""
    return _list(request)


def _list(request: MemberRequest, pasted: str = "") -> HttpResponse:
    before = whole(request.GET.get("before", ""))
    batches = reads.batch_page(request.user, before, reads.PAGE + 1)
    shown = batches[: reads.PAGE]
    context = {
        "batches": [(batch, reads.tally(request.user, batch)) for batch in shown],
        "next": shown[-1].pk if len(batches) > reads.PAGE else None,
        "pasted": pasted,
        "most_mb": WEB.size // 1_000_000,
        "most_rows": WEB.rows,
        "has_stores": merchants_for(request.user).exists(),
    }
    return render(request, "shipping/batch_list.html", context)


@require_GET
def batch_template(request: MemberRequest, kind: str) -> HttpResponseBase:
    """An empty file to fill in, with an example row that ships nothing, and notes beside it."""
    name = _("发货模板")
    if kind == "csv":
        rows = csv_stream(template_rows())
        return StreamingHttpResponse(
            rows, content_type="text/csv; charset=utf-8", headers=_attachment(f"{name}.csv")
        )
    if kind != "xlsx":
        raise Http404
    made = BytesIO()
    write_xlsx(made, {name: template_rows(), _("说明"): template_notes()})
    made.seek(0)
    return FileResponse(made, as_attachment=True, filename=f"{name}.xlsx", content_type=XLSX)


def _attachment(name: str) -> dict[str, str]:
    return {"Content-Disposition": content_disposition_header(True, name) or ""}


@require_POST
def batch_upload(request: MemberRequest) -> HttpResponse:
    """Keep a file, or rows that were pasted; the worker reads them."""
    uploaded, pasted = request.FILES.get("file"), request.POST.get("pasted", "").replace("\x00", "")
    if uploaded is None and not pasted.strip():
        messages.error(request, _("还没有选文件，也没有粘贴内容。"))
        return redirect("batch_list")
    size = uploaded.size if uploaded is not None else len(pasted.encode())
    if (size or 0) > WEB.size:
        megabytes: dict[str, str | int] = {"size": f"{(size or 0) / 1e6:.1f}", "most": WEB.size // 1_000_000}
        messages.error(request, filewords.sentence("file_too_big", **megabytes))
        return _list(request, pasted)
    name = PurePath(str(uploaded.name)).name[-LONGEST_NAME:] if uploaded is not None else ""
    content = uploaded.read() if uploaded is not None else pasted.encode()
    batch = controls.upload(user=request.user, filename=name, content=content)
    return redirect("batch_detail", pk=batch.pk)


@require_GET
def batch_detail(request: MemberRequest, pk: int) -> HttpResponse:
    """A batch where it stands: being read, asking about columns, rehearsed, under way."""
    batch = reads.batch_for(request.user, pk)
    context = progress(request.user, batch) | {"may_steer": reads.may_steer(request.user, batch)}
    context["has_file"] = context["may_steer"] and BatchFile.objects.filter(batch=batch).exists()
    if batch.stage == Batch.Stage.REFUSED:
        context["refused"] = why_refused(batch)
    elif batch.stage == Batch.Stage.COLUMNS:
        context |= _columns(batch)
    elif batch.stage != Batch.Stage.READING:
        context |= _rehearsed(request, batch, bool(context["may_steer"]))
    return render(request, "shipping/batch_detail.html", context)


def _columns(batch: Batch) -> dict[str, object]:
    asked = [_column(batch, number) for number in open_questions(batch) if number < len(batch.columns)]
    return {"asked_columns": asked, "fields": [*FIELD_WORDS.items()], "ignored": IGNORED}


def _column(batch: Batch, number: int) -> dict[str, object]:
    return {
        "number": number,
        "name": batch.columns[number],
        "samples": samples(batch, number),
        "answer": batch.answers.get(str(number), ""),
    }


def _rehearsed(request: MemberRequest, batch: Batch, may_steer: bool) -> dict[str, object]:
    user, may_edit = request.user, may_steer and batch.stage == Batch.Stage.OPEN
    tally = reads.tally(user, batch)
    shown, cause = _shown(request, sum(tally.verdicts.values())), request.GET.get("cause", "")
    after = whole(request.GET.get("after", "")) or 0
    verdicts = TABS.get(shown) or (tuple(Verdict.values) if shown == "all" else ())
    rows = reads.orders_for(user, batch)
    rows = reads.with_trouble(rows) if shown == "failed" else rows
    orders = reads.order_page(rows, verdicts, cause, after) if verdicts else []
    page = orders[: reads.ORDERS]
    query = urlencode({"show": shown, **({"cause": cause} if cause else {})})
    stores = reads.ready_by_store(user, batch)
    return {
        "causes": cause_cards(user, batch),
        "may_edit": may_edit,
        "shown": shown,
        "cause": cause,
        "cards": cards(user, batch, page, may_edit),
        "next": f"?{query}&after={page[-1].first_row}" if len(orders) > reads.ORDERS else "",
        "stores": stores,
        "must_ask": sum(store.packages for store in stores) > ASK_FROM,
        "earlier": reads.earlier_upload(user, batch),
    }


def _shown(request: MemberRequest, orders: int) -> str:
    """The page opens on causes and counts; a small file shows its orders as well."""
    asked = request.GET.get("show", "")
    return asked or ("all" if orders <= SMALL else "")


@require_GET
def batch_progress(request: MemberRequest, pk: int) -> HttpResponse:
    """The progress alone; a batch that has come further than the page knows is shown anew."""
    batch = reads.batch_for(request.user, pk)
    if request.GET.get("stage") != batch.stage:
        return HttpResponseClientRefresh()
    known = {"may_steer": reads.may_steer(request.user, batch), "is_poll": True}
    context = progress(request.user, batch) | known
    return render(request, "shipping/_batch_progress.html", context)


def _steered(request: MemberRequest, pk: int) -> Batch:
    """The batch, for who may act on the whole of it; others get the 404 of a stranger."""
    batch = reads.batch_for(request.user, pk)
    if not reads.may_steer(request.user, batch):
        raise Http404
    return batch


@require_POST
def batch_columns(request: MemberRequest, pk: int) -> HttpResponse:
    """What a person says the unknown columns are."""
    batch = _steered(request, pk)
    picked = {n: request.POST.get(f"column-{n}", "") for n in range(len(batch.columns))}
    answers = {n: field for n, field in picked.items() if field in FIELD_WORDS}
    _try(request, lambda: controls.answer_columns(batch=batch, answers=answers))
    return redirect("batch_detail", pk=pk)


@require_POST
def batch_courier(request: MemberRequest, pk: int) -> HttpResponse:
    """One answer for all rows of a cause: which courier they mean."""
    batch = _steered(request, pk)
    merchant = get_object_or_404(merchants_for(request.user), appid=request.POST.get("merchant", ""))
    courier = Courier.objects.filter(
        merchant=merchant, is_listed=True, delivery_id=request.POST.get("courier", "")
    ).first()
    if courier is None:
        messages.error(request, _("请先选一家快递公司。"))
    else:
        named = courier
        _try(request, lambda: _name_courier(request, batch, named))
    return redirect("batch_detail", pk=pk)


def _name_courier(request: MemberRequest, batch: Batch, courier: Courier) -> None:
    cause = request.POST.get("cause", "")
    rows = fixes.name_courier(batch, cause, courier.merchant, courier.delivery_id, request.user)
    words = _("%(n)d 行改用%(courier)s，正在重新检查。")
    messages.info(request, words % {"n": rows, "courier": courier.delivery_name})


@require_POST
def batch_row(request: MemberRequest, pk: int, number: int) -> HttpResponse:
    """A row mended in place; its order is checked at once, and answered as it stands now."""
    batch = _steered(request, pk)
    row = get_object_or_404(BatchRow, batch=batch, number=number)
    key, said = row.key, ""
    try:
        key = fixes.edit_row(batch, number, {name: str(text) for name, text in request.POST.items()})
    except controls.Busy:
        said = _("系统正在处理这一批，请等它停下来再点一次。")
    except fixes.AlreadySent:
        said = _("这个订单在这一批里已经提交过，这一行没有改动。")
    if request.headers.get("HX-Request"):
        return _card_again(request, batch, key, said)
    if said:
        messages.error(request, said)
    return redirect("batch_detail", pk=pk)


def _card_again(request: MemberRequest, batch: Batch, key: str, said: str) -> HttpResponse:
    orders = reads.orders_for(request.user, batch).filter(key=key).select_related("merchant", "order")
    again = cards(request.user, batch, list(orders), may_edit=True)
    context = {"batch": batch, "may_edit": True, "cards": again, "said": said}
    return render(request, "shipping/_batch_cards.html", context)


@require_POST
def batch_ship(request: MemberRequest, pk: int) -> HttpResponse:
    """Ship what is green; what is red waits."""
    batch = _steered(request, pk)
    _try(request, lambda: controls.confirm(batch=batch, user=request.user))
    return redirect("batch_detail", pk=pk)


@require_POST
def batch_pause(request: MemberRequest, pk: int) -> HttpResponse:
    batch = _steered(request, pk)
    controls.pause(batch=batch, user=request.user)
    return redirect("batch_detail", pk=pk)


@require_POST
def batch_resume(request: MemberRequest, pk: int) -> HttpResponse:
    controls.resume(batch=_steered(request, pk))
    return redirect("batch_detail", pk=pk)


@require_POST
def batch_cancel(request: MemberRequest, pk: int) -> HttpResponse:
    """Withdraw what has not left."""
    batch = _steered(request, pk)
    _try(request, lambda: controls.cancel(batch=batch, user=request.user))
    return redirect("batch_detail", pk=pk)


@require_POST
def batch_retry(request: MemberRequest, pk: int) -> HttpResponse:
    """Hand over again what was refused for a reason that may have passed."""
    batch = _steered(request, pk)
    _try(request, lambda: controls.retry(batch=batch, user=request.user))
    return redirect("batch_detail", pk=pk)


def _try(request: MemberRequest, act: Callable[[], object]) -> None:
    try:
        act()
    except controls.Busy:
        messages.info(request, _("系统正在处理这一批，请等它停下来再点一次。"))


@require_GET
def batch_file(request: MemberRequest, pk: int) -> HttpResponseBase:
    """The upload as it came, for who may act on the whole of it: it may name orders of any store."""
    batch = _steered(request, pk)
    kept = BatchFile.objects.filter(batch=batch).first()
    if kept is None:
        raise Http404
    name = batch.filename or _("粘贴的行") + ".txt"
    return FileResponse(BytesIO(kept.content), as_attachment=True, filename=name, content_type=BYTES)


@require_GET
def batch_rows(request: MemberRequest, pk: int) -> HttpResponseBase:
    """What did not leave, in the uploader's own columns, with reason and remedy."""
    batch = reads.batch_for(request.user, pk)
    made = BytesIO()
    write_xlsx(made, {_("没发出的行"): rows_to_mend(request.user, batch)})
    made.seek(0)
    stem = PurePath(batch.filename).stem or _("粘贴的行")
    name = _("%s-没发出.xlsx") % stem
    return FileResponse(made, as_attachment=True, filename=name, content_type=XLSX)
