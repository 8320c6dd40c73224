"""The members of a store: who works there, inviting, roles, removing, new passwords."""

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_POST

from merchants import people, services
from merchants.forms import InviteForm
from merchants.models import Membership, Merchant, Role
from merchants.queries import (
    can_change,
    can_reset,
    invitation_for,
    invitations_to,
    member_changes,
    member_for,
    members_of,
    merchants_for,
    role_at,
    roles_to_give,
)
from merchants.views import MemberRequest

CHANGES = 30


@never_cache
@require_GET
def member_list(request: MemberRequest) -> HttpResponse:
    """The members of the chosen store, open invitations, what was changed lately."""
    return _page(request, _chosen(request))


def _chosen(request: MemberRequest) -> Merchant:
    """The store in the address, else the one picked in the order list, else the first; 404 for others."""
    own = merchants_for(request.user, Role.MANAGER)
    if "merchant" in request.GET:
        return get_object_or_404(own, appid=request.GET["merchant"])
    found = own.filter(appid=request.session.get("merchant", "")).first() or own.first()
    if found is None:
        raise Http404
    return found


def _page(
    request: MemberRequest,
    merchant: Merchant,
    form: InviteForm | None = None,
    link: str = "",
    whose: str = "",
) -> HttpResponse:
    """`link` is shown this once: nobody can read it again."""
    context = {
        "merchant": merchant,
        "merchants": merchants_for(request.user, Role.MANAGER),
        "members": [_row(request, member) for member in members_of(merchant)],
        "roles": roles_to_give(request.user, merchant),
        "invitations": invitations_to(merchant),
        "changes": member_changes(merchant)[:CHANGES],
        "form": form or InviteForm(request.user, merchant),
        "link": link,
        "whose": whose,
    }
    return render(request, "merchants/member_list.html", context)


def _row(request: MemberRequest, member: Membership) -> dict[str, object]:
    may_change = can_change(request.user, member)
    return {
        "member": member,
        "may_change": may_change,
        "may_reset": may_change and can_reset(request.user, member.user),
        "may_forget_factor": may_change and _may_forget_factor(request, member),
    }


def _may_forget_factor(request: MemberRequest, member: Membership) -> bool:
    """Taking a second factor away weakens an account: an admin does it, where a new password may be set."""
    return role_at(request.user, member.merchant) == Role.ADMIN and can_reset(request.user, member.user)


@never_cache
@require_POST
def member_invite(request: MemberRequest) -> HttpResponse:
    """Make the link by which a person joins; it is shown once."""
    merchant = get_object_or_404(
        merchants_for(request.user, Role.MANAGER), appid=request.POST.get("merchant", "")
    )
    form = InviteForm(request.user, merchant, request.POST)
    if not form.is_valid():
        return _page(request, merchant, form)
    token = people.invite(merchant=merchant, by=request.user, **form.cleaned_data)
    link = request.build_absolute_uri(reverse("invitation_accept", args=[token]))
    return _page(request, merchant, link=link, whose=form.cleaned_data["name"])


@require_POST
def invitation_withdraw(request: MemberRequest, pk: int) -> HttpResponse:
    """The link stops working."""
    link = invitation_for(request.user, pk)
    people.withdraw_link(link=link, by=request.user)
    messages.info(request, _("邀请已撤销。"))
    return _back(link.merchant)


@require_POST
def member_role(request: MemberRequest, pk: int) -> HttpResponse:
    """Another role, none above one's own."""
    member = member_for(request.user, pk)
    role = request.POST.get("role", "")
    if role not in roles_to_give(request.user, member.merchant):
        raise Http404
    services.set_membership(user=member.user, merchant=member.merchant, role=role, by=request.user)
    messages.info(request, _("已保存。"))
    return _back(member.merchant)


@require_POST
def member_remove(request: MemberRequest, pk: int) -> HttpResponse:
    """The person leaves the store and is signed out everywhere."""
    member = member_for(request.user, pk)
    services.set_membership(
        user=member.user, merchant=member.merchant, role=member.role, is_active=False, by=request.user
    )
    messages.info(request, _("已移除 %s，对方的登录已退出。") % member.user)
    return _back(member.merchant)


@never_cache
@require_POST
def member_reset(request: MemberRequest, pk: int) -> HttpResponse:
    """Make the link by which the person sets a new password; it is shown once."""
    member = member_for(request.user, pk)
    if not can_reset(request.user, member.user):
        raise Http404
    token = people.reset_password(user=member.user, merchant=member.merchant, by=request.user)
    link = request.build_absolute_uri(reverse("password_reset", args=[token]))
    return _page(request, member.merchant, link=link, whose=str(member.user))


@require_POST
def member_forget_factor(request: MemberRequest, pk: int) -> HttpResponse:
    """The phone is lost: the next login asks for the password only."""
    member = member_for(request.user, pk)
    if not _may_forget_factor(request, member):
        raise Http404
    if people.remove_factor(user=member.user, by=request.user, merchant=member.merchant):
        messages.info(request, _("已关闭 %s 的两步验证。") % member.user)
    return _back(member.merchant)


def _back(merchant: Merchant) -> HttpResponse:
    return redirect(f"{reverse('member_list')}?merchant={merchant.appid}")
