"""Whose trouble a package is and whether it was put right, as columns: nothing else is looked through any more."""

from typing import Any

from django.conf import settings
from django.db import migrations, models
from django.db.models import Exists, Max, OuterRef, Q, Subquery

STEP = 5000
OPEN = Q(("in_trouble", True), ("is_corrected", False))


def fill(apps: Any, schema_editor: Any) -> None:
    """In small steps; what comes from now on is written with its columns."""
    package, shipment = (apps.get_model("shipping", name) for name in ("Package", "Shipment"))
    corrected = Exists(shipment.objects.filter(corrects=OuterRef("shipment")))
    package.objects.filter(corrected, in_trouble=True).update(is_corrected=True)
    creator = shipment.objects.filter(pk=OuterRef("shipment")).values("created_by")
    last = package.objects.aggregate(last=Max("pk"))["last"] or 0
    for first in range(0, last + 1, STEP):
        rows = package.objects.filter(pk__gte=first, pk__lt=first + STEP, sent_by=None)
        rows.update(sent_by=Subquery(creator[:1]))


class Migration(migrations.Migration):
    # A transaction each, so that nobody waits long for the database.
    atomic = False

    dependencies = [
        ("shipping", "0021_code_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="package",
            name="is_corrected",
            field=models.BooleanField(db_default=False, default=False, verbose_name="已更正"),
        ),
        migrations.AddField(
            model_name="package",
            name="sent_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=models.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="提交人",
            ),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
        migrations.AddIndex(
            model_name="package",
            index=models.Index(condition=OPEN, fields=["merchant", "status_at"], name="package_needs_hands"),
        ),
        migrations.AddIndex(
            model_name="package",
            index=models.Index(
                condition=OPEN, fields=["sent_by", "merchant", "status_at"], name="package_own_trouble"
            ),
        ),
    ]
