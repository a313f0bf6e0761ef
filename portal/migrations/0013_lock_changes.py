"""Counts each lock's changes by themselves too, and those that concern no single lock; each app its own tables."""

from django.db import migrations, models

from portal.changes import CountChanges, StopCounting

OF_PERSON = "SELECT m.workspace_id AS id FROM portal_membership m WHERE m.user_id = {row}.id"
SHOWN, RIGHTS = ["name", "email"], ["password", "is_active", "is_staff", "is_superuser"]
COUNTED = [
    ("portal_workspace", "SELECT {row}.id AS id", {"on": ["INSERT", "UPDATE"]}),
    ("portal_membership", "SELECT {row}.workspace_id AS id", {}),
    ("portal_user", OF_PERSON, {"columns": [*SHOWN, *RIGHTS], "on": ["UPDATE"]}),
]


class Migration(migrations.Migration):
    dependencies = [("portal", "0012_counted_people")]

    operations = [
        migrations.CreateModel(
            name="LockChangeCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "subject", "part", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("subject", models.UUIDField()),
                ("part", models.PositiveSmallIntegerField()),
                ("number", models.PositiveBigIntegerField()),
            ],
        ),
        *(StopCounting(table, workspace, **options) for table, workspace, options in COUNTED),
        *(CountChanges(table, workspace, lock="NULL", **options) for table, workspace, options in COUNTED),
    ]
