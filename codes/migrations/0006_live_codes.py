"""Finds the live codes of a lock, while the portal goes on working."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("codes", "0005_taken_on"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="accesscode",
            index=models.Index(
                condition=models.Q(("ended_at__isnull", True)),
                fields=["device", "starts_at"],
                name="codes_accesscode_live",
            ),
        ),
    ]
