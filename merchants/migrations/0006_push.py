"""A push address for each store, and whose order a pushed event is about."""

import django.db.models.deletion
from django.db import migrations, models

import merchants.fields
import merchants.models.calling

BATCH = 500


def give_keys(apps, schema_editor):
    """Each store its own name in the URL; a default would be made once and given to all."""
    rows = apps.get_model("merchants", "Credential").objects.filter(event_key=None)
    while some := list(rows[:BATCH]):
        for row in some:
            rows.filter(pk=row.pk).update(event_key=merchants.models.calling.new_event_key())


class Migration(migrations.Migration):
    dependencies = [("merchants", "0005_tests_of_lines")]

    operations = [
        migrations.AddField(
            "credential", "event_key", models.CharField(editable=False, max_length=43, null=True, default=None)
        ),
        migrations.AddField(
            "credential",
            "push_token",
            merchants.fields.EncryptedText(blank=True, default="", editable=False),
        ),
        migrations.AddField(
            "credential", "aes_key", merchants.fields.EncryptedText(blank=True, default="", editable=False)
        ),
        migrations.AddField("credential", "shown", models.JSONField(default=dict, editable=False)),
        migrations.RunPython(give_keys, migrations.RunPython.noop),
        migrations.AlterField(
            "credential",
            "event_key",
            models.CharField(
                default=merchants.models.calling.new_event_key, editable=False, max_length=43, unique=True
            ),
        ),
        migrations.AddField(
            "pushedevent",
            "merchant",
            models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="merchants.merchant",
                verbose_name="店铺",
            ),
        ),
        migrations.AddField(
            "pushedevent",
            "order_id",
            models.CharField(blank=True, default="", max_length=64, verbose_name="订单号"),
        ),
        migrations.AddField("pushedevent", "detail", models.IntegerField(null=True, verbose_name="类型")),
        migrations.RemoveConstraint("pushedevent", "one_row_per_pushed_event"),
        migrations.AddConstraint(
            "pushedevent",
            models.UniqueConstraint(
                fields=("source", "name", "create_time", "order_id", "body_hash"),
                name="one_row_per_pushed_event",
            ),
        ),
        migrations.AddIndex(
            "pushedevent",
            models.Index(fields=["merchant", "order_id"], name="pushed_event_of_order"),
        ),
    ]
