"""The ship page: one form, rules at their fields, one submission, and on to the next order."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from shipping import lists, services
from shipping.drafts import Draft, Problem
from shipping.forms import Finding, in_words
from shipping.labels import noted_of
from shipping.models import Order
from shipping.queries import order_for
from shipping.views import MemberRequest
from shipping.views.shipform import Desk, open_desk, page, presence_of, read_desk, summary_of

OTHER_BUYER = "waybill_of_another_buyer"
# These stop the worker; a person who has looked may go on.
CONFIRMABLE = ("address_changed", "goods_changed")


@never_cache
@require_http_methods(["GET", "POST"])
def order_ship(request: MemberRequest, order_id: str) -> HttpResponse:
    """GET opens the form filled with what is left; POST checks, and queues when no rule stops it."""
    order = order_for(request.user, order_id)
    if request.method == "GET":
        services.note_visit(order=order, user=request.user, opens=True)
        return page(open_desk(request, order))
    if "forget" in request.POST:
        services.forget_typed(order=order, user=request.user)
        return redirect(request.get_full_path())
    desk = read_desk(request, order)
    if "preview" in request.POST:
        return _preview(desk)
    if "add" in request.POST or "remove" in request.POST:
        _keep(desk)
        return page(desk.with_one_more() if "add" in request.POST else desk)
    return _submit(desk)


@require_GET
def order_presence(request: MemberRequest, order_id: str) -> HttpResponse:
    """Who else has the order open, and what colleagues submitted meanwhile; keeps the own visit fresh."""
    order = order_for(request.user, order_id)
    services.note_visit(order=order, user=request.user, opens=False)
    return render(request, "shipping/_presence.html", presence_of(request, order))


def _preview(desk: Desk) -> HttpResponse:
    """What would be sent, while it is being typed; the form saves itself with it."""
    is_kept = _keep(desk)
    return render(desk.request, "shipping/_summary.html", summary_of(desk) | {"is_kept": is_kept})


def _keep(desk: Desk) -> bool:
    """Save what is typed; False when it was sent meanwhile."""
    fields: dict[str, object] = {k: str(v) for k, v in desk.request.POST.items() if k not in NOT_KEPT}
    fields["also"] = desk.form.also
    return services.save_typed(order=desk.order, user=desk.user, fields=fields, waybills=desk.form.waybills)


NOT_KEPT = ("csrfmiddlewaretoken", "preview", "review", "seen", "since", "add", "confirm", "go", "next")


def _submit(desk: Desk) -> HttpResponse:
    """A repeated form is answered with its first shipment, before a rule counts that one as taken."""
    if services.shipment_with_key(order=desk.order, form_key=desk.form.form_key):
        return _done(desk, is_first=False)
    draft, problems = desk.rehearse()
    siblings = _siblings(desk, draft)
    problems_there = [
        (o, p) for o, d in siblings for p in services.rehearse(order=o, draft=d, user=desk.user)[1]
    ]
    everything = [*problems, *(problem for _, problem in problems_there)]
    is_stopped = any(problem.stops and problem.slug not in CONFIRMABLE for problem in everything)
    needs_yes = bool(everything or desk.gone()) or "review" in desk.request.POST
    if is_stopped or (needs_yes and not desk.is_confirmed):
        return _show(desk, problems, problems_there, needs_yes=not is_stopped)
    return _queue(desk, draft, siblings)


def _show(
    desk: Desk, problems: list[Problem], there: list[tuple[Order, Problem]], *, needs_yes: bool
) -> HttpResponse:
    _keep(desk)
    desk.form.show(problems)
    desk.must_look = any(p.stops or p.slug == OTHER_BUYER for p in [*problems, *(p for _, p in there)])
    told = _("%s 不能一起发了：可能有同事刚发了它，或者订单变了。")
    desk.form.order_findings += [Finding(told % order_id, False, None) for order_id in desk.gone()]
    for order, problem in there:
        finding = in_words(problem)
        text = _("%(order_id)s：%(text)s") % {"order_id": order.order_id, "text": finding.text}
        desk.form.order_findings.append(replace(finding, text=text))
    return page(desk, needs_yes=needs_yes)


def _siblings(desk: Desk, draft: Draft) -> list[tuple[Order, Draft]]:
    """The chosen other orders of this buyer, each with all that is left of it, under the first number."""
    if not draft.packages:
        return []
    first = draft.packages[0]
    whole = replace(first, items=None, course=None, serial=None)
    chosen = [order for order in desk.same_buyer() if order.order_id in desk.form.also]
    return [(o, Draft(o.order_id, (whole,), noted_of(o) if desk.is_confirmed else None)) for o in chosen]


def _queue(desk: Desk, draft: Draft, siblings: list[tuple[Order, Draft]]) -> HttpResponse:
    try:
        if siblings:
            orders, drafts = zip((desk.order, draft), *siblings, strict=True)
            services.queue_together(
                orders=list(orders), drafts=list(drafts), user=desk.user, form_key=desk.form.form_key
            )
        else:
            services.queue_shipment(
                order=desk.order, draft=draft, user=desk.user, form_key=desk.form.form_key,
                corrects=desk.fix.shipment if desk.fix else None,
            )  # fmt: skip
    except services.Refused as refused:
        # The other click of a double click may have queued meanwhile.
        if services.shipment_with_key(order=desk.order, form_key=desk.form.form_key):
            return _done(desk, is_first=False)
        return _show(desk, refused.problems, [], needs_yes=False)
    return _done(desk, is_first=True, others=len(siblings))


def _done(desk: Desk, *, is_first: bool, others: int = 0) -> HttpResponse:
    services.forget_typed(order=desk.order, user=desk.user)
    services.leave_order(order=desk.order, user=desk.user)
    if "next" in (*desk.request.POST, desk.request.POST.get("confirm")):
        return _next(desk, others)
    saved = _("已保存；结果显示在下面，不用等在这里。")
    if others:
        saved = _("%d 个订单用同一个单号，都已保存，系统正在逐单提交。") % (others + 1)
    messages.info(desk.request, saved if is_first else _("这张表单已经提交过，没有再次提交。"))
    return redirect("order_detail", order_id=desk.order.order_id)


def _say_saved(desk: Desk, others: int) -> None:
    """The order just done stays one click away: its page shows the result and can still withdraw it."""
    undo = desk.order.merchant.undo_seconds
    words = _("已保存，%d 秒内可以撤回。") % undo if undo else _("已保存，系统正在提交。")
    more = _("同一包裹的另外 %d 单也已保存。") % others if others else ""
    page = reverse("order_detail", args=[desk.order.order_id])
    link = format_html('<a class="id" href="{}">{}</a> {} {}', page, desk.order.order_id, words, more)
    messages.info(desk.request, link)


def _next(desk: Desk, others: int) -> HttpResponse:
    """On to the next due order of the list one came from, or back to that list when it is done."""
    came_from = desk.came_from
    query = QueryDict(came_from)
    tab = query.get("tab", "")
    picked = str(desk.request.session.get("merchant", ""))
    asked = {"kind": query.get("kind", ""), "merchant": query.get("merchant", picked)}
    order = lists.next_to_ship(desk.user, tab if tab in lists.TABS else "todo", asked, desk.order)
    _say_saved(desk, others)
    if order is None:
        return redirect(f"{reverse('order_list')}?{came_from}")
    there = QueryDict(mutable=True)
    there["from"] = came_from
    return redirect(f"{reverse('order_ship', args=[order.order_id])}?{there.urlencode()}")
