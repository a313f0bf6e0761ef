"""`/settings/`: owners change the workspace, managers look at it, others do not see it."""

import re
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django_q.models import OrmQ

from portal.models import Membership, User, Workspace
from tests import factories

URL = "/settings/"


def typed(**changes: object) -> dict[str, object]:
    return {
        "name": "Lakeview Stays",
        "programming_lead_native": "72 h",
        "cover_lead_native": "36 h",
        "programming_lead": "60 min",
        "cover_lead": "30 min",
        "reveal_lead": "24 h",
        "early_access": "0",
        "late_access": "0",
        "mail_uncovered": ["owner", "manager", "night"],
        "mail_exhausted": ["owner"],
        **changes,
    }


def waiting() -> list[tuple[str, object]]:
    return [(task.task["func"], task.task["args"]) for task in OrmQ.objects.all()]


def test_it_shows_what_is_set(signed_in: Client) -> None:
    page = signed_in.get(reverse("settings")).content.decode()
    assert 'value="36 h"' in page and 'value="3 days"' in page and 'value="30 min"' in page
    assert re.search(r'name="mail_uncovered" value="night"[^>]*checked', page)
    assert not re.search(r'name="mail_exhausted" value="night"[^>]*checked', page)


def test_it_saves(signed_in: Client, workspace: Workspace) -> None:
    answer = signed_in.post(URL, typed(name="Lakeview", reveal_lead="2 days", early_access="1:30"))
    assert answer["Location"] == URL
    workspace.refresh_from_db()
    assert (workspace.name, workspace.reveal_lead) == ("Lakeview", timedelta(days=2))
    assert workspace.early_access == timedelta(minutes=90)
    assert workspace.mail_roles["exhausted"] == ["owner"]
    assert workspace.mail_roles["several"] == []


def test_a_changed_lead_has_coming_stays_planned_anew(signed_in: Client, workspace: Workspace) -> None:
    signed_in.post(URL, typed(cover_lead_native="12 h"))
    assert waiting() == [("codes.replan.replan_workspace", (str(workspace.pk),))]


def test_a_changed_late_access_is_saved_and_has_all_stays_planned_anew(signed_in: Client, workspace: Workspace) -> None:
    signed_in.post(URL, typed(late_access="45 min"))
    workspace.refresh_from_db()
    assert workspace.late_access == timedelta(minutes=45)
    assert waiting() == [("codes.replan.replan_workspace", (str(workspace.pk),))]


@pytest.mark.parametrize("wrong", ["2 days", "later", "-5 min"])
def test_a_late_access_that_makes_no_sense_is_refused_and_nothing_is_lost(
    signed_in: Client, workspace: Workspace, wrong: str
) -> None:
    page = signed_in.post(URL, typed(name="Typed", late_access=wrong)).content.decode()
    assert "Nothing has been saved" in page and 'value="Typed"' in page and f'value="{wrong}"' in page
    workspace.refresh_from_db()
    assert workspace.late_access == timedelta(0)


def test_leads_that_stay_plan_nothing_anew(signed_in: Client) -> None:
    signed_in.post(URL, typed(reveal_lead="0 min"))
    assert waiting() == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"cover_lead": "30"}, "Write hours or minutes, like 36 h, 30 min or 1 h 30 min."),
        ({"cover_lead": "13 h", "programming_lead": "24 h"}, "Choose between 5 min and 12 h."),
        ({"cover_lead": "60 min"}, "Choose less than 1 h: the code is set first."),
        ({"cover_lead_native": "4 days"}, "Choose less than 3 days: the code is set first."),
        ({"programming_lead_native": "15 days"}, "Choose between 1 h and 14 days."),
        ({"mail_uncovered": []}, "Somebody must hear of this one: choose at least one role."),
        ({"mail_offline": ["stranger"]}, "Select a valid choice."),
        ({"reveal_lead": ""}, "This field is required."),
    ],
)
def test_it_says_what_is_wrong_and_saves_nothing(
    signed_in: Client, workspace: Workspace, changes: dict[str, object], words: str
) -> None:
    page = signed_in.post(URL, typed(name="Changed", **changes)).content.decode()
    assert words in page
    assert "Nothing has been saved." in page and 'value="Changed"' in page
    workspace.refresh_from_db()
    assert workspace.name == "Lakeview Stays"


def test_managers_look_and_do_not_change(client: Client, bob: User, workspace: Workspace) -> None:
    client.force_login(bob)
    page = client.get(URL).content.decode()
    assert "An owner of the workspace can change them." in page
    assert "Save settings" not in page and "disabled" in page
    assert client.post(URL, typed(name="Bob’s")).status_code == 403
    workspace.refresh_from_db()
    assert workspace.name == "Lakeview Stays"


@pytest.mark.parametrize("role", [Membership.Role.NIGHT, Membership.Role.VIEWER])
def test_night_and_viewers_do_not_even_see_it(client: Client, workspace: Workspace, role: Membership.Role) -> None:
    client.force_login(factories.MembershipFactory(workspace=workspace, role=role).user)
    assert client.get(URL).status_code == 403
    assert b'href="/settings/"' not in client.get(reverse("device_list")).content


def test_another_workspace_keeps_its_own(client: Client, charlie: User, workspace: Workspace) -> None:
    client.force_login(charlie)
    client.post(URL, typed(name="Charlie’s"))
    workspace.refresh_from_db()
    assert workspace.name == "Lakeview Stays"
