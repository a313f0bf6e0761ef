"""Who gets where: every address of the portal × {signed out, another workspace's owner, a viewer, night staff}.

An address that has no row here fails: whoever adds a page decides who may see it.
"""

import re
from collections.abc import Iterator
from enum import Enum

import pytest
from allauth.account.models import EmailAddress, EmailConfirmationHMAC
from django.http import HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from codes.models import AccessCode
from devices.models import Device, Event, Pin
from portal import people
from portal.models import Invitation, Membership, User, Workspace
from portal.queue import beat
from tests import scene


class Answer(Enum):
    OPEN = "a page, or the deed is done"
    SIGN_IN = "sent to sign in"
    MISSING = "nothing there"
    REFUSED = "not with this role"


OPEN, SIGN_IN, MISSING, REFUSED = Answer
WHO = ["signed_out", "charlie", "vera", "nina"]
type Answers = tuple[Answer, Answer, Answer, Answer]

PUBLIC: Answers = (OPEN, OPEN, OPEN, OPEN)
ONES_OWN: Answers = (SIGN_IN, OPEN, OPEN, OPEN)  # what the person's own workspace holds, or the person itself
NOT_YET: Answers = (SIGN_IN, MISSING, MISSING, MISSING)  # nobody here has a second factor
LOOK: Answers = (SIGN_IN, MISSING, OPEN, OPEN)
HELP: Answers = (SIGN_IN, MISSING, REFUSED, OPEN)  # show a PIN, pull a backup, check a lock
CHANGE: Answers = (SIGN_IN, MISSING, REFUSED, REFUSED)
NOBODY: Answers = (MISSING, MISSING, MISSING, MISSING)  # machines only, and only if the settings say so
CHANGE_OWN: Answers = (SIGN_IN, OPEN, REFUSED, REFUSED)  # Charlie is the owner where he belongs
STAFF: Answers = (SIGN_IN, REFUSED, REFUSED, REFUSED)  # our own people: tests/staff

ROWS: dict[Answers, list[str]] = {
    PUBLIC: [
        *("healthz", "readyz", "favicon", "guest_page", "guest_not_working", "join"),
        *("account_login", "account_logout", "account_signup", "account_inactive"),
        *("account_reset_password", "account_reset_password_done", "account_reset_password_from_key"),
        *("account_reset_password_from_key_done", "account_email_verification_sent", "account_confirm_login_code"),
        *("mfa_authenticate", "account_confirm_email"),
    ],
    NOBODY: ["metrics"],
    NOT_YET: ["mfa_deactivate_totp", "mfa_view_recovery_codes", "mfa_download_recovery_codes"],
    ONES_OWN: [
        *("home", "home_live", "search", "device_list", "device_list_live", "warnings", "activity", "activity_export"),
        *("code_list", "code_list_live", "code_list_export", "property_list", "hub_list"),
        *(
            "account",
            "account_mails",
            "workspace_switch",
            "account_reauthenticate",
            "account_email",
            "account_change_password",
        ),
        *("account_set_password", "mfa_index", "mfa_reauthenticate", "mfa_activate_totp"),
        *("mfa_generate_recovery_codes",),
    ],
    LOOK: ["device", "device_live", "device_removed", "hub", "hub_live", "code", "code_live"],
    HELP: [
        *("device_check", "device_on_it", "pool_acknowledge"),
        *("code_on_it", "code_reveal", "code_backup", "code_settled"),
    ],
    CHANGE: [
        *(
            "property_edit",
            "property_zone",
            "device_edit",
            "device_remove",
            "device_mark_removed",
            "device_restore",
            "hub_edit",
            "hub_search",
            "hub_remove",
            "code_add",
            "code_edit",
            "code_pin",
            "code_retry",
            "code_link",
            "code_cancel",
        ),
        *("person_role", "person_remove", "invitation_resend", "invitation_revoke"),
    ],
    CHANGE_OWN: ["hub_add", "code_new", "property_add", "settings", "people", "person_invite"],
    STAFF: ["look_begin", "look_end"],
}
LAST = ["account_confirm_email", "account_logout"]  # after these nobody is signed in
EXPECTED = {name: answers for answers, names in ROWS.items() for name in names}


def addresses(patterns: list[URLPattern | URLResolver], space: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address that has a name, with its namespace."""
    for one in patterns:
        if isinstance(one, URLResolver):
            yield from addresses(one.url_patterns, f"{space}{one.namespace}:" if one.namespace else space)
        else:
            yield f"{space}{one.name}", one


NAMES = {name for name, _pattern in addresses(get_resolver().url_patterns)}
ADMIN = sorted(name for name in NAMES if name.startswith("admin:") and not name.endswith(":None"))
ALL = sorted((name for name in NAMES if not name.startswith("admin:")), key=lambda name: (name in LAST, name))


@pytest.fixture
def arguments(device: Device, alice: User, bob: User, workspace: Workspace) -> dict[str, list[object]]:
    """What each address that names something of Alice's is called with; others take nothing."""
    beat("tick")
    beat("worker")
    scene.lively(device)
    code = AccessCode.objects.get(name="Ben Okafor")
    person = Membership.objects.get(user=bob).public_id
    invitation, token = people.invite(workspace=workspace, email="new@example.org", role="viewer", actor=alice)
    unproven = EmailAddress.objects.create(user=bob, email="bob@lake.example")
    return {
        "device": [device.pk],
        "hub": [device.hub_id],
        "device_on_it": [device.pk, "offline"],
        "property": [device.property_id],
        "pool": [device.pk],
        "code": [code.pk],
        "code_add": [device.pk],
        "person": [person],
        "invitation": [invitation.pk],
        "guest": [code.guest_token],
        "join": [token],
        "look": [workspace.pk],
        "account_confirm_email": [EmailConfirmationHMAC(unproven).key],
        "account_reset_password_from_key": ["1", "made-up"],
    }


def address(name: str, arguments: dict[str, list[object]]) -> str:
    """By its own name, or by the thing it begins with: `code_cancel` is about a code."""
    takes = next(p for n, p in addresses(get_resolver().url_patterns) if n == name).pattern.regex.groups
    if not takes:
        return reverse(name)
    return reverse(name, args=arguments.get(name) or arguments[name.partition("_")[0]])


def answer_of(response: HttpResponse) -> Answer | None:
    """None: this method is not taken at all."""
    if response.status_code == 405:
        return None
    if response.status_code in (301, 302) and response["Location"].startswith("/accounts/login/?next="):
        return SIGN_IN
    assert response.status_code < 500
    return {403: REFUSED, 404: MISSING, 410: MISSING}.get(response.status_code, OPEN)


def kept() -> tuple[object, ...]:
    """What nobody without the right may have touched."""
    return (
        list(Membership.objects.order_by("pk").values_list("user", "role")),
        list(Invitation.objects.order_by("pk").values_list("revoked_at", "accepted_at")),
        list(Workspace.objects.order_by("pk").values_list("name", "mail_roles")),
        list(Device.objects.order_by("pk").values_list("removal", "version")),
        list(AccessCode.objects.order_by("pk").values_list("name", "guest_nonce", "ends_at", "ended_at")),
        list(Pin.objects.order_by("pk").values_list("wanted", "status")),
        Event.objects.count(),
    )


@pytest.fixture
def visitor(client: Client, request: pytest.FixtureRequest) -> Client:
    if request.param != "signed_out":
        client.force_login(request.getfixturevalue(request.param))
    return client


@pytest.mark.parametrize("name", ALL)
def test_every_address_has_a_row(name: str) -> None:
    assert name in EXPECTED, f"say in tests/test_isolation.py who may see {name}"


def parts(patterns: list[URLPattern | URLResolver], whole: str = "") -> Iterator[str]:
    """Every address as its parts are written in the URLconf."""
    for one in patterns:
        path = whole + str(one.pattern)
        if isinstance(one, URLResolver):
            yield from parts(one.url_patterns, path)
        else:
            yield path


def test_no_id_in_an_address_can_be_counted_up() -> None:
    """Ids are checked, and unguessable besides. Staff know each other's in the admin; allauth has its own rules."""
    ours = [path for path in parts(get_resolver().url_patterns) if not path.startswith(("admin/", "accounts/"))]
    taken = {kind for path in ours for kind in re.findall(r"<([^:>]+):", path)}
    assert taken == {"uuid", "str"}
    assert {path for path in ours if "<str:" in path} == {
        "join/<str:token>/",  # a secret, its digest kept
        "g/<str:token>/",  # a secret, sealed
        "g/<str:token>/not-working/",
        "codes/locks/<uuid:device_id>/<str:about>/on-it/",  # of a few words
    }


@pytest.mark.parametrize("visitor", WHO, indirect=True, ids=WHO)
def test_everybody_gets_where_they_may_and_nowhere_else(
    visitor: Client, arguments: dict[str, list[object]], request: pytest.FixtureRequest
) -> None:
    place = WHO.index(request.node.callspec.params["visitor"])
    wrong = []
    for name in ALL:
        expected, before = EXPECTED[name][place], kept()
        url = address(name, arguments)
        given = {answer_of(getattr(visitor, method)(url)) for method in ("get", "post")} - {None}
        if given != {expected}:
            wrong.append(f"{name}: {given}, not {expected}")
        if expected != OPEN and kept() != before:
            wrong.append(f"{name}: changed something")
    assert not wrong, "\n".join(wrong)


def test_nothing_of_alices_is_on_a_page_of_charlies(
    client: Client, charlie: User, arguments: dict[str, list[object]]
) -> None:
    client.force_login(charlie)
    for name in (*ROWS[ONES_OWN], *ROWS[CHANGE_OWN]):
        if name not in ALL:
            continue
        page = client.get(f"{reverse(name)}?q=a").getvalue().decode()
        found = [
            word
            for word in ("Lakeview Cottage", "Lakeview Stays", "Okafor", "Front door", "new@example.org")
            if word in page
        ]
        assert not found, f"{name} shows Charlie {found}"


@pytest.mark.parametrize("visitor", WHO, indirect=True, ids=WHO)
def test_the_admin_is_for_staff_alone(visitor: Client, arguments: dict[str, list[object]]) -> None:
    for name in ADMIN:
        pattern = next(p for n, p in addresses(get_resolver().url_patterns) if n == name)
        takes = pattern.pattern.regex.groups
        if takes > 1:
            continue
        argument = {"admin:app_list": "portal"}.get(name, "1")
        url = reverse(name, args=[argument] * takes)
        answer = visitor.get(url)
        assert answer.status_code in (302, 403, 404), f"{name}: {answer.status_code}"
        if answer.status_code == 302:
            assert answer["Location"].startswith(("/accounts/login/", "/admin/")), f"{name}: {answer['Location']}"
