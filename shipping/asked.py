"""What a URL or a form asks for, as a number, a day or a moment; None when it is none of these."""

from datetime import UTC, date, datetime

from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

LONGEST = 18  # digits that a database column of whole numbers surely holds


def whole(text: str) -> int | None:
    is_whole = text.isascii() and text.isdigit() and len(text) <= LONGEST
    return int(text) if is_whole else None


def day(text: str) -> date | None:
    try:
        return parse_date(text)
    except ValueError:
        return None


def moment(text: str) -> datetime | None:
    """A time without a zone is ours; at the ends of the calendar one cannot be told in another zone."""
    try:
        found = parse_datetime(text)
        if found is None:
            return None
        aware = timezone.make_aware(found) if timezone.is_naive(found) else found
        return timezone.localtime(aware.astimezone(UTC))
    except (ValueError, OverflowError):
        return None
