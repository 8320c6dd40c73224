"""What `manage.py check` says of settings that would do harm or do nothing."""

from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, Warning, register

SHORTEST_TOKEN, SHORTEST_WAIT = 16, 60


@register(Tags.security)
def settings_make_sense(app_configs: Any, **more: Any) -> list[CheckMessage]:
    """A guessable METRICS_TOKEN, a worker that is late before it can be seen."""
    found: list[CheckMessage] = []
    if settings.METRICS_TOKEN and len(settings.METRICS_TOKEN) < SHORTEST_TOKEN:
        found.append(Error(f"METRICS_TOKEN has less than {SHORTEST_TOKEN} characters", id="fahuo.E001"))
    if settings.WORKER_SEEN_SECONDS < SHORTEST_WAIT:
        words = f"WORKER_SEEN_SECONDS is below {SHORTEST_WAIT}: workers show themselves every half minute"
        found.append(Error(words, id="fahuo.E002"))
    return found


@register(Tags.security, deploy=True)
def nothing_of_the_demo_is_left(app_configs: Any, **more: Any) -> list[CheckMessage]:
    """ALERT_HOSTS lets robots' messages go to hosts that are no robots."""
    if not settings.ALERT_HOSTS or settings.IS_DEMO:
        return []
    return [Warning("ALERT_HOSTS is for tests and the demo: what it names may be called", id="fahuo.W001")]
