"""Who packed each package, and the upload it came with, written beside it in small steps."""

from django.db import migrations
from django.db.models import Max, OuterRef, Subquery
from django.db.models.functions import Coalesce

STEP = 5000


def fill(apps, schema_editor):
    Package, Shipment, BatchOrder = (
        apps.get_model("shipping", name) for name in ("Package", "Shipment", "BatchOrder")
    )
    whose = Shipment.objects.filter(pk=OuterRef("shipment")).values(by=Coalesce("packer", "created_by"))
    upload = BatchOrder.objects.filter(shipment=OuterRef("shipment")).values("batch")
    last = Package.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, STEP):
        rows = Package.objects.filter(pk__gte=first, pk__lt=first + STEP, person=None)
        rows.update(person=Subquery(whose[:1]), batch=Subquery(upload[:1]))


class Migration(migrations.Migration):
    # A transaction each, so that nobody waits long for the database.
    atomic = False

    dependencies = [
        ('shipping', '0016_history'),
    ]

    operations = [
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
