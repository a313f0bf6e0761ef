"""Keeps to whom a warning was mailed, so that "Resolved" goes to them alone."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("codes", "0011_few_codes"),
    ]

    operations = [
        migrations.AddField(
            model_name="notice",
            name="told_to",
            field=models.JSONField(blank=True, null=True),
        ),
    ]
