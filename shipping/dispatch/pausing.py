"""A merchant without a token cannot ship: say why, once, where people look."""

from merchants import tokens
from merchants.models import Merchant
from merchants.services import pause_merchant
from wechat.errcodes import meaning

NO_SECRET = 41004


def pause_for_token(merchant: Merchant) -> None:
    """Pause when the platform refused the credentials; a token call that got no answer is only retried."""
    if not tokens.has_secret(merchant):
        pause_merchant(merchant=merchant, errcode=NO_SECRET)
        return
    row = tokens.last_failure(merchant)
    if row is None or row.failed_errcode is None:
        return
    if meaning(row.failed_errcode).then in ("pause_merchant", "renew_token"):
        pause_merchant(merchant=merchant, errcode=row.failed_errcode, errmsg=row.failed_reason)
