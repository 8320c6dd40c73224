from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    """A store's first due shipment along an index, however many wait behind it."""

    dependencies = [("shipping", "0024_needs_hands_found")]

    operations = [
        migrations.AddIndex(
            model_name="shipment",
            index=models.Index(
                condition=Q(("due_at__isnull", False)), fields=["merchant", "due_at"], name="shipment_due_of_store"
            ),
        ),
    ]
