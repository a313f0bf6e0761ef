"""Every page of the admin, by its registry: no secret, no query for each row, nothing to edit that services keep."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import Model
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django_q.models import OrmQ

from backups.models import BackupCode
from codes.models import AccessCode
from devices.models import Device, Event, Pin, Property
from portal.models import Invitation, User, Workspace
from portal.staff import LookingAdmin, page_of
from tests.staff.rows import MODELS, NAMES, SECRET_DIGITS, grow, pages

MOST = 15  # queries of any page

every_model = pytest.mark.parametrize("model", MODELS, ids=NAMES)


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def queries_of(client: Client, url: str) -> int:
    with CaptureQueriesContext(connection) as asked:
        response = client.get(url)
    assert response.status_code == 200, url
    return len(asked)


@every_model
def test_pages_ask_as_much_for_many_rows_as_for_few(staff: Client, workspace: Workspace, model: type[Model]) -> None:
    grow(workspace)
    assert pages(model).exists(), f"tests/staff/rows.py makes no rows of {model._meta.label}: add some to grow()"
    urls = [list_of(model), page_of(pages(model).first())]
    for url in urls:  # what is read once and kept for the process
        staff.get(url)
    few = [queries_of(staff, url) for url in urls]
    grow(workspace, 2)
    many = [queries_of(staff, url) for url in urls]
    assert few == many
    assert max(many) <= MOST


def test_pages_show_no_secret(staff: Client, workspace: Workspace) -> None:
    grow(workspace, 2)
    secrets = [*SECRET_DIGITS.values(), "sealed-secret", *(code.guest_token for code in AccessCode.objects.all())]
    secrets += [secret for pin in Pin.objects.all() for secret in (pin.secret.seal(), pin.digest)]
    secrets += Invitation.objects.values_list("token_digest", flat=True)
    secrets += [password for password in User.objects.values_list("password", flat=True) if password]
    secrets += AccessCode.objects.values_list("guest_nonce", flat=True)
    secrets += OrmQ.objects.values_list("payload", flat=True)
    for model in MODELS:
        for url in [list_of(model), *map(page_of, pages(model)[:2])]:
            html = staff.get(url).content.decode()
            assert not [secret for secret in secrets if secret in html], url


def test_every_list_finds_and_filters(staff: Client, workspace: Workspace) -> None:
    grow(workspace)
    for model in MODELS:
        page = admin.site._registry[model]
        queries = [{"q": "7f3a"}, {"q": f"{workspace.pk} “nothing”"}]
        queries += [{also: str(workspace.pk)} for also in getattr(page, "followed", ()) if "workspace" in also]
        queries += [{f"{page.date_hierarchy}__year": "2026"}] if page.date_hierarchy else []
        for query in queries:
            assert staff.get(list_of(model), query).status_code == 200, (model, query)


def test_links_to_related_rows_lead_to_their_lists(staff: Client, workspace: Workspace) -> None:
    grow(workspace)
    followed = 0
    for model in MODELS:
        html = staff.get(page_of(pages(model).first())).content.decode()
        for also in getattr(admin.site._registry[model], "see_also", ()):
            url = f"{reverse(f'admin:{also.model}_changelist')}?{also.field}="
            [link] = re.findall(rf'href="({re.escape(url)}[^"]+)"', html)
            response = staff.get(link)
            assert response.status_code == 200, link
            assert also.field in response.context["cl"].params, link
            followed += 1
    assert followed > 25


def test_a_locks_links_show_its_own_rows_alone(staff: Client, workspace: Workspace) -> None:
    grow(workspace, 2)
    device = Device.objects.order_by("pk").first()
    for model, field in ((Pin, "device"), (AccessCode, "device"), (Event, "device"), (BackupCode, "pool__device")):
        found = staff.get(list_of(model), {field: str(device.pk)}).context["cl"].queryset
        assert set(found) == set(model.objects.filter(**{field: device})) and found


def test_nothing_is_deleted_or_edited_but_by_services(staff: Client, workspace: Workspace) -> None:
    grow(workspace)
    for model in MODELS:
        if model is Group:
            continue
        assert isinstance(admin.site._registry[model], LookingAdmin), model
        row, before = pages(model).first(), list(pages(model).values_list("pk"))
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        assert staff.post(reverse(f"admin:{name}_delete", args=[row.pk]), {"post": "yes"}).status_code == 403
        chosen = {"action": "delete_selected", "_selected_action": [str(row.pk)], "post": "yes"}
        staff.post(list_of(model), chosen)
        assert list(pages(model).values_list("pk")) == before
        if model not in (Property, User):
            assert staff.post(page_of(row), {"_save": "Save"}).status_code == 403, model


@pytest.mark.parametrize(
    ("model", "field"),
    [(AccessCode, "guest_nonce"), (Pin, "digest"), (Pin, "secret"), (User, "password"), (Invitation, "token_digest")],
)
def test_a_secret_cannot_be_guessed_by_filtering(
    staff: Client, workspace: Workspace, model: type[Model], field: str
) -> None:
    grow(workspace)
    response = staff.get(list_of(model), {f"{field}__startswith": "a"})
    assert response.status_code in (302, 400)


def test_an_event_leads_to_its_code_lock_workspace_and_person(staff: Client, workspace: Workspace) -> None:
    grow(workspace)
    event = Event.objects.get(subject__isnull=False)
    html = staff.get(list_of(Event)).content.decode()
    for row in (AccessCode.objects.get(), event.device, workspace, event.actor):
        assert f'href="{page_of(row)}"' in html


def test_a_short_id_finds_its_rows(staff: Client, workspace: Workspace) -> None:
    grow(workspace, 2)
    spare, code, device = BackupCode.objects.first(), AccessCode.objects.first(), Device.objects.first()
    assert spare and code and device
    for model, words, row in [
        (BackupCode, spare.code_id, spare),
        (Pin, spare.pin.label, spare.pin),
        (AccessCode, str(code.pk)[:8], code),
        (Device, str(device.pk)[:8], device),
        (Device, device.lock_ref, device),
        (Event, str(code.pk)[:8], Event.objects.get(subject=code.pk)),
    ]:
        found = list(staff.get(list_of(model), {"q": words}).context["cl"].queryset)
        assert row in found and len(found) < model.objects.count(), (model, words)


def test_a_manager_is_no_staff(signed_in: Client) -> None:
    assert signed_in.get(reverse("admin:index")).status_code in (302, 403)


def test_a_person_signed_out_is_sent_to_sign_in(client: Client, db: None) -> None:
    response = client.get(reverse("admin:index"), follow=True)
    assert response.redirect_chain[-1][0].startswith("/accounts/login/")
