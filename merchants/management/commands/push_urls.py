"""The address of each store that WeChat's back office is to push events to."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.urls import reverse

from merchants.models import Credential


class Command(BaseCommand):
    help = "List each active store's AppID and push URL, one a line."

    def handle(self, *args: Any, **options: Any) -> None:
        rows = Credential.objects.filter(merchant__is_active=True).order_by("merchant__appid")
        for appid, key in rows.values_list("merchant__appid", "event_key"):
            self.stdout.write(f"{appid} {settings.PUBLIC_URL}{reverse('store_events', args=[key])}")
