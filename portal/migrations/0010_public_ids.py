"""A membership's id in URLs is one that nobody guesses. The database draws it, for the rows that are there as well."""

from django.db import migrations, models

from portal.changes import CountChanges, StopCounting
from portal.random_id import RandomId

MEMBERSHIP = "SELECT {row}.workspace_id AS id"
USER = "SELECT m.workspace_id AS id FROM portal_membership m WHERE m.user_id = {row}.id"
SHOWN = ["name", "email"]


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0009_change_counts"),
    ]

    operations = [
        StopCounting("portal_user", USER, columns=SHOWN, on=["UPDATE"]),
        StopCounting("portal_membership", MEMBERSHIP),
        migrations.AddField(
            model_name="membership",
            name="public_id",
            field=models.UUIDField(db_default=RandomId(), editable=False, unique=True),
        ),
        CountChanges("portal_membership", MEMBERSHIP),
        CountChanges("portal_user", USER, columns=SHOWN, on=["UPDATE"]),
    ]
