"""Which rows of a file a yes was for; of a file that is just being saved it was for all that are green."""

from typing import Any

from django.db import migrations, models
from django.db.models import OuterRef, Subquery


def fill(apps: Any, schema_editor: Any) -> None:
    batch, row = (apps.get_model("shipping", name) for name in ("Batch", "BatchOrder"))
    said = batch.objects.filter(pk=OuterRef("batch")).values("confirmed_at")
    green = row.objects.filter(batch__stage="queueing", verdict="ready")
    green.update(confirmed_at=Subquery(said[:1]))


class Migration(migrations.Migration):

    dependencies = [("shipping", "0027_codes_of_any_size")]

    operations = [
        migrations.AddField(
            model_name="batchorder", name="confirmed_at", field=models.DateTimeField(null=True)
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
