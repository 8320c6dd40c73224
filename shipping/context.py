"""What every page of the desk needs: the demo bar, the pauses, the role."""

from django.conf import settings
from django.http import HttpRequest

from merchants.models import Role
from merchants.queries import has_role, pauses_for


def desk(request: HttpRequest) -> dict[str, object]:
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {"is_demo": settings.IS_DEMO}
    return {
        "is_demo": settings.IS_DEMO,
        "pauses": pauses_for(user),
        "is_manager": has_role(user, Role.MANAGER),
        "is_admin": user.is_staff,
    }
