"""Both columns for what was there before, in small steps; run again it goes on where it was stopped."""

from typing import Any

from django.db import migrations
from django.db.models import Exists, Max, OuterRef, Subquery
from django.utils import timezone

STEP = 5000


def fill(apps: Any, schema_editor: Any) -> None:
    package, shipment = (apps.get_model("shipping", name) for name in ("Package", "Shipment"))
    later = shipment.objects.filter(corrects=OuterRef("shipment"), created_at__gte=OuterRef("status_at"))
    refused = package.objects.filter(Exists(later), in_trouble=True, status="rejected", corrected_at=None)
    refused.update(corrected_at=timezone.now())
    creator = shipment.objects.filter(pk=OuterRef("shipment")).values("created_by")
    last = package.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, STEP):
        rows = package.objects.filter(pk__gte=first, pk__lt=first + STEP, sent_by=None)
        rows.update(sent_by=Subquery(creator[:1]))


class Migration(migrations.Migration):
    # Each statement by itself, so that nobody waits long for the database.
    atomic = False

    dependencies = [("shipping", "0022_needs_hands")]

    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
