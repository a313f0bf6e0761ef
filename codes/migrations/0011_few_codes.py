"""Finds codes that were given another PIN by an index that SQLite takes too."""

from django.db import migrations, models

from portal.operations import AddIndexConcurrently, RemoveIndexConcurrently


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("codes", "0010_lock_changes"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="accesscode",
            index=models.Index(
                condition=models.Q(("another_pin__isnull", False), ("ended_at__isnull", True)),
                fields=["another_pin"],
                name="codes_accesscode_another",
            ),
        ),
        RemoveIndexConcurrently(model_name="accesscode", name="codes_accesscode_another_pin"),
    ]
