from django.db import migrations, models

from merchants.models.people import new_badge


def give_badges(apps, schema_editor):
    """A badge of their own for everybody who was here before."""
    User = apps.get_model("merchants", "User")
    for pk in User.objects.filter(badge=None).values_list("pk", flat=True):
        User.objects.filter(pk=pk).update(badge=new_badge())


class Migration(migrations.Migration):

    dependencies = [("merchants", "0006_push")]

    operations = [
        migrations.AddField(
            model_name="user",
            name="badge",
            field=models.CharField(default=None, editable=False, max_length=16, null=True, unique=True),
        ),
        migrations.RunPython(give_badges, migrations.RunPython.noop),
        migrations.AlterField(
            model_name="user",
            name="badge",
            field=models.CharField(default=new_badge, editable=False, max_length=16, unique=True),
        ),
    ]
