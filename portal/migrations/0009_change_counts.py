"""Counts how often anything changed that a workspace's pages show: people and settings here, each app the rest."""

import django.db.models.deletion
from django.db import migrations, models

from portal.changes import CountChanges


class Migration(migrations.Migration):
    dependencies = [
        ("portal", "0008_late_access"),
    ]

    operations = [
        migrations.CreateModel(
            name="ChangeCount",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "workspace_id", "part", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("part", models.PositiveSmallIntegerField()),
                ("number", models.PositiveBigIntegerField()),
                (
                    "workspace",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="portal.workspace",
                    ),
                ),
            ],
        ),
        CountChanges("portal_workspace", "SELECT {row}.id AS id", on=["INSERT", "UPDATE"]),
        CountChanges("portal_membership", "SELECT {row}.workspace_id AS id"),
        CountChanges(
            "portal_user",
            "SELECT m.workspace_id AS id FROM portal_membership m WHERE m.user_id = {row}.id",
            columns=["name", "email"],
            on=["UPDATE"],
        ),
    ]
