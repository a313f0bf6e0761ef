"""Counts what ends a person's right to a page too, so that polls hear of it at once."""

from django.db import migrations

from portal.changes import CountChanges

OF_PERSON = "SELECT m.workspace_id AS id FROM portal_membership m WHERE m.user_id = {row}.id"
SHOWN, RIGHTS = ["name", "email"], ["password", "is_active", "is_staff", "is_superuser"]


class Migration(migrations.Migration):
    dependencies = [("portal", "0011_unwanted_mails")]

    operations = [CountChanges("portal_user", OF_PERSON, columns=[*SHOWN, *RIGHTS], on=["UPDATE"])]
