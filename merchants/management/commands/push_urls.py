"""The address of each store that WeChat's back office is to push events to."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from merchants.models import Credential, Mode


class Command(BaseCommand):
    help = (
        "List AppID and push URL of each active store that is not called through a third-party platform. "
        "Example: manage.py push_urls. Exit 0: listed."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Credential.objects.filter(merchant__is_active=True).exclude(mode=Mode.COMPONENT)
        for appid, key in rows.order_by("pk").values_list("merchant__appid", "event_key"):
            self.stdout.write(f"{appid} {settings.PUBLIC_URL}{reverse('store_events', args=[key])}")
