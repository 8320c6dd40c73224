from django.db import migrations, models
from django.db.models import Q

OPEN = Q(("corrected_at", None), ("in_trouble", True))


class Migration(migrations.Migration):
    dependencies = [("shipping", "0023_needs_hands_filled")]

    operations = [
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
