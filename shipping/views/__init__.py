"""Function views: load through a query that knows the user, one service call, render."""

from django.http import HttpRequest

from merchants.models import User


class MemberRequest(HttpRequest):
    """A request behind the login, as the middleware guarantees it."""

    user: User
