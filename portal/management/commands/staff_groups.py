"""The usual two kinds of staff, as groups."""

from typing import Any

from django.contrib import admin
from django.contrib.auth import get_permission_codename
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.base import BaseCommand, CommandParser
from django.db import models, transaction

from portal.staff import KeptAdmin, LookingAdmin

LOOK, ACT = "Staff who look", "Staff who act"


class Command(BaseCommand):
    help = (
        f"Writes two groups of staff: “{LOOK}” may see everything in the admin, “{ACT}” may also do there what it "
        "offers (check a lock, refill a pool, replace a spare, see a workspace's portal…). Put people who are marked "
        "as staff into one of them. Run it after each upgrade: what a new version offers is added. Safe to run twice."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="say what the groups would hold, change nothing")

    def handle(self, *args: Any, dry_run: bool, **options: Any) -> None:
        looking, acting = looks(), acts()
        with transaction.atomic():
            for name, wanted in ((LOOK, looking), (ACT, looking | acting)):
                if not dry_run:
                    group, _new = Group.objects.get_or_create(name=name)
                    group.permissions.set(wanted)
                self.stdout.write(f"{name}: {len(wanted)} permissions")


def looks() -> set[Permission]:
    """To see what the admin shows."""
    return {permission for model in admin.site._registry for permission in _of(model, "view")}


def acts() -> set[Permission]:
    """To do what its actions offer, and to add what staff may add."""
    found: set[Permission] = set()
    for model, page in admin.site._registry.items():
        if (isinstance(page, LookingAdmin) and page.actions) or isinstance(page, KeptAdmin):
            found |= _of(model, "change")
        if isinstance(page, KeptAdmin):
            found |= _of(model, "add")
    return found


def _of(model: type[models.Model], deed: str) -> set[Permission]:
    kind = ContentType.objects.get_for_model(model, for_concrete_model=False)
    return set(Permission.objects.filter(content_type=kind, codename=get_permission_codename(deed, model._meta)))
