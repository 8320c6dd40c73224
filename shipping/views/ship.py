"""The ship page: one form, rules at their fields, one submission, and on to the next order."""

from dataclasses import replace

from django.contrib import messages
from django.http import HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from shipping import lists, services
from shipping.drafts import Draft, Problem
from shipping.forms import in_words
from shipping.models import Order
from shipping.queries import order_for
from shipping.views import MemberRequest
from shipping.views.shipform import Desk, open_desk, page, presence_of, read_desk, summary_of

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
    fields = {name: str(value) for name, value in desk.request.POST.items() if name not in NOT_KEPT}
    services.save_typed(order=desk.order, user=desk.user, fields=fields, has_waybill=desk.form.has_waybill)
    return render(desk.request, "shipping/_summary.html", summary_of(desk))


NOT_KEPT = ("csrfmiddlewaretoken", "preview", "review", "seen")


def _submit(desk: Desk) -> HttpResponse:
    """A repeated form is answered with its first shipment, before a rule counts that one as taken."""
    if services.shipment_with_key(order=desk.order, form_key=desk.form.form_key):
        return _done(desk, is_first=False)
    draft, problems = services.rehearse(order=desk.order, draft=desk.draft())
    siblings = _siblings(desk, draft)
    problems_there = [(o, p) for o, d in siblings for p in services.rehearse(order=o, draft=d)[1]]
    everything = [*problems, *(problem for _, problem in problems_there)]
    is_stopped = any(problem.stops and problem.slug not in CONFIRMABLE for problem in everything)
    needs_yes = bool(everything) or "review" in desk.request.POST
    if is_stopped or (needs_yes and not desk.is_confirmed):
        return _show(desk, problems, problems_there, needs_yes=not is_stopped)
    return _queue(desk, draft, siblings)


def _show(
    desk: Desk, problems: list[Problem], there: list[tuple[Order, Problem]], *, needs_yes: bool
) -> HttpResponse:
    desk.form.show(problems)
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
    return [(order, Draft(order.order_id, (whole,))) for order in chosen]


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
    return _done(desk, is_first=True)


def _done(desk: Desk, *, is_first: bool) -> HttpResponse:
    services.forget_typed(order=desk.order, user=desk.user)
    services.leave_order(order=desk.order, user=desk.user)
    if "next" in (*desk.request.POST, desk.request.POST.get("confirm")):
        return _next(desk)
    saved = _("已保存，系统正在提交；结果显示在下面，不用等在这里。")
    messages.info(desk.request, saved if is_first else _("这张表单已经提交过，没有再次提交。"))
    return redirect("order_detail", order_id=desk.order.order_id)


def _next(desk: Desk) -> HttpResponse:
    """On to the next due order of the list one came from, or back to that list when it is done."""
    came_from = desk.came_from
    query = QueryDict(came_from)
    tab = query.get("tab", "")
    asked = {"kind": query.get("kind", ""), "merchant": str(desk.request.session.get("merchant", ""))}
    order = lists.next_to_ship(desk.user, tab if tab in lists.TABS else "todo", asked, desk.order)
    messages.info(desk.request, _("%s 已保存，系统正在提交。") % desk.order.order_id)
    if order is None:
        return redirect(f"{reverse('order_list')}?{came_from}")
    there = QueryDict(mutable=True)
    there["from"] = came_from
    return redirect(f"{reverse('order_ship', args=[order.order_id])}?{there.urlencode()}")
