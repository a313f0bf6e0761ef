"""`manage.py staff_groups`: two kinds of staff, by what the admin holds."""

from io import StringIO

from django.contrib import admin
from django.contrib.auth.models import Group
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from portal.models import User


def test_it_writes_two_groups_and_may_run_twice(db: None) -> None:
    for _ in range(2):
        call_command("staff_groups", stdout=StringIO())
    look, act = Group.objects.order_by("-name")
    assert (look.name, act.name) == ("Staff who look", "Staff who act")
    assert look.permissions.count() == len(admin.site._registry)
    assert {p.codename.partition("_")[0] for p in look.permissions.all()} == {"view"}
    assert set(look.permissions.all()) < set(act.permissions.all())
    assert not act.permissions.filter(codename__startswith="delete_").exists()


def test_it_takes_back_what_does_not_belong_there(db: None) -> None:
    call_command("staff_groups", stdout=StringIO())
    look, act = Group.objects.order_by("-name")
    look.permissions.set(act.permissions.all())
    call_command("staff_groups", stdout=StringIO())
    assert look.permissions.count() == len(admin.site._registry)


def test_a_dry_run_changes_nothing(db: None) -> None:
    told = StringIO()
    call_command("staff_groups", "--dry-run", stdout=told)
    assert "Staff who act" in told.getvalue()
    assert not Group.objects.exists()


def test_staff_without_a_group_see_nothing(client: Client, alice: User) -> None:
    User.objects.filter(pk=alice.pk).update(is_staff=True)
    client.force_login(User.objects.get(pk=alice.pk))
    assert client.get(reverse("admin:index")).status_code == 200
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
        assert client.get(reverse(name)).status_code == 403
