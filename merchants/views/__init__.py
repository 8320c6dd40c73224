"""Function views about people, and the login."""

from django.http import HttpRequest

from merchants.models import User


class MemberRequest(HttpRequest):
    """A request behind the login, as the middleware guarantees it."""

    user: User
