import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    """Whose trouble a package is and whether it was put right, as columns: nothing else is looked through any more."""

    dependencies = [
        ("shipping", "0021_code_texts"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.AddField(
            model_name="package",
            name="corrected_at",
            field=models.DateTimeField(null=True, verbose_name="更正时间"),
        ),
        migrations.AddField(
            model_name="package",
            name="sent_by",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="提交人",
            ),
        ),
    ]
