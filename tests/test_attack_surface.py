"""What a browser, a proxy or a stranger may send, at every address of the portal: headers, hosts, forms, sessions."""

import re
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from devices.models import Device
from portal import settings as production
from portal.models import User
from tests.test_isolation import ALL, LAST, address, arguments, kept

__all__ = ["arguments"]  # the fixture

EVIL = ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)", "https:evil.example"]
LOGIN = "/accounts/login/"
ONLY_BY_ADDRESS = {"guest_not_working"}  # whoever knows the address may press it: no session stands behind it


def sign_in(client: Client, email: str, password: str = "") -> HttpResponse:
    """With the right password unless another one is given."""
    return client.post(LOGIN, {"login": email, "password": password or "correct horse"})


def assert_guarded(response: HttpResponse, name: str) -> None:
    policy = response.headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy and "frame-ancestors 'none'" in policy, name
    assert "unsafe" not in policy and "*" not in policy and "http" not in policy, name
    assert response.headers["X-Frame-Options"] == "DENY", name
    assert response.headers["X-Content-Type-Options"] == "nosniff", name
    assert response.headers["Referrer-Policy"] in ("same-origin", "no-referrer"), name
    assert response.headers["Cross-Origin-Opener-Policy"] == "same-origin", name


def test_every_answer_is_guarded_by_its_headers(signed_in: Client, arguments: dict[str, list[object]]) -> None:
    for name in ALL:
        for answer in (signed_in.get(address(name, arguments)), signed_in.delete(address(name, arguments))):
            assert_guarded(answer, name)


def test_so_are_refusals(client: Client, db: None) -> None:
    assert_guarded(client.get("/nothing/"), "not found")
    assert_guarded(client.get("/"), "sign in first")
    assert_guarded(client.post(LOGIN, {"login": "x" * 600_000}), "too large")


def test_cookies_of_a_server(client: Client, alice: User) -> None:
    assert production.SESSION_COOKIE_SECURE and production.CSRF_COOKIE_SECURE
    assert production.SECURE_HSTS_SECONDS > 0 and production.SECURE_SSL_REDIRECT is not None
    sign_in(client, alice.email)
    session = client.cookies[production.SESSION_COOKIE_NAME]
    assert session["httponly"] and session["samesite"] == "Lax"


def test_no_deed_without_the_forms_own_token(alice: User, arguments: dict[str, list[object]]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(alice)
    for name in ALL:
        before = kept()
        status = client.post(address(name, arguments)).status_code
        if name not in ONLY_BY_ADDRESS:
            assert status in (403, 405), f"{name}: {status}"
            assert kept() == before, name


def test_another_host_than_ours_is_refused_everywhere(signed_in: Client, arguments: dict[str, list[object]]) -> None:
    for name in ALL:
        for host in ("evil.example", "testserver.evil.example", "evil.example:80", "test_server"):
            answer = signed_in.get(address(name, arguments), HTTP_HOST=host)
            assert answer.status_code == 400, f"{name} as {host}: {answer.status_code}"


def test_a_forwarded_host_changes_no_link(client: Client, alice: User) -> None:
    EmailAddress.objects.create(user=alice, email=alice.email, verified=True, primary=True)
    client.post("/accounts/password/reset/", {"email": alice.email}, headers={"x-forwarded-host": "evil.example"})
    assert mail.outbox and "evil.example" not in mail.outbox[0].body


def test_nobody_is_sent_away(alice: User, arguments: dict[str, list[object]]) -> None:
    """Wherever an answer leads, it leads into the portal: whatever `next`, referrer and htmx say."""
    for evil in EVIL:
        client = Client(headers={"referer": evil, "hx-request": "true", "hx-current-url": evil})
        for name in sorted(ALL, key=lambda name: (name in LAST, name)):
            client.force_login(alice)
            url = address(name, arguments)
            for answer in (client.get(url, {"next": evil}), client.post(f"{url}?next={evil}", {"next": evil})):
                for header in ("Location", "HX-Redirect", "HX-Location", "HX-Replace-Url", "HX-Push-Url"):
                    where = answer.headers.get(header, "")
                    assert not urlsplit(where).netloc or where.startswith("http://testserver/"), f"{name}: {where}"
                    assert not where.startswith(("//", "/\\", "javascript:")), f"{name}: {where}"


@pytest.mark.parametrize("evil", EVIL)
def test_signing_in_leads_nowhere_else(client: Client, alice: User, evil: str) -> None:
    answer = client.post(f"{LOGIN}?next={evil}", {"login": alice.email, "password": "correct horse", "next": evil})
    assert (answer.status_code, answer["Location"]) == (302, "/")


def test_a_session_from_before_signing_in_is_not_the_one_after(client: Client, alice: User) -> None:
    client.get(LOGIN)
    session = client.session
    session["planted"] = "by somebody else"
    session.save()
    client.cookies[production.SESSION_COOKIE_NAME] = session.session_key
    sign_in(client, alice.email)
    assert client.get("/").status_code == 200
    assert client.session.session_key != session.session_key
    assert (
        Client(headers={"cookie": f"{production.SESSION_COOKIE_NAME}={session.session_key}"}).get("/").status_code
        == 302
    )


def test_signing_out_ends_the_session_on_the_server(client: Client, alice: User) -> None:
    sign_in(client, alice.email)
    stolen = client.session.session_key
    client.post("/accounts/logout/")
    assert with_session(stolen).get("/").status_code == 302


def test_a_changed_password_ends_other_sessions(client: Client, alice: User) -> None:
    elsewhere = Client()
    sign_in(elsewhere, alice.email)
    assert elsewhere.get("/").status_code == 200
    sign_in(client, alice.email)
    new = "a longer battery staple"
    client.post("/accounts/password/change/", {"oldpassword": "correct horse", "password1": new, "password2": new})
    assert elsewhere.get("/").status_code == 302


def with_session(key: str | None) -> Client:
    """Another browser that comes with this session's cookie."""
    return Client(headers={"cookie": f"{production.SESSION_COOKIE_NAME}={key}"})


def page(answer: HttpResponse) -> str:
    """An answer without what differs each time: the form's token, and the address that was typed."""
    text = re.sub(r'(csrfmiddlewaretoken" value|X-CSRFToken": )[^>}]*', "", answer.content.decode())
    return re.sub(r"[\w.]+@[\w.]+", "", text)


def test_wrong_passwords_lock_out_known_and_unknown_alike(client: Client, alice: User) -> None:
    """What is said tells nobody who has an account."""
    for _ in range(6):
        known, unknown = (sign_in(client, email, "wrong") for email in (alice.email, "nobody@example.org"))
        assert (known.status_code, page(known)) == (unknown.status_code, page(unknown))
    locked = sign_in(client, alice.email)
    assert locked.status_code in (200, 429) and not client.session.get("_auth_user_id")


def test_a_lock_out_outlives_a_new_browser_and_a_new_address(client: Client, alice: User) -> None:
    for n in range(6):
        Client(REMOTE_ADDR=f"192.0.2.{n}").post(LOGIN, {"login": alice.email, "password": "wrong"})
    assert not sign_in(client, alice.email).wsgi_request.user.is_authenticated


def test_many_guesses_from_one_address_end(db: None) -> None:
    client = Client(REMOTE_ADDR="192.0.2.7")
    answers = [sign_in(client, f"nobody{n}@example.org", "wrong") for n in range(12)]
    assert "Too many" in answers[-1].content.decode() and "Too many" not in answers[0].content.decode()


def test_a_reset_says_the_same_to_everybody(client: Client, alice: User) -> None:
    known = client.post("/accounts/password/reset/", {"email": alice.email})
    unknown = client.post("/accounts/password/reset/", {"email": "nobody@example.org"})
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])


@pytest.mark.parametrize("signed", [False, True], ids=["signed out", "signed in"])
def test_a_file_is_refused_before_it_is_kept(alice: User, device: Device, signed: bool) -> None:
    client = Client()
    if signed:
        client.force_login(alice)
    for url in (LOGIN, reverse("code_add", args=[device.pk])):
        bomb = BytesIO(b"0" * 1_000_000)
        bomb.name = "photo.jpg"
        answer = client.post(url, {"name": "Ben", "file": bomb})
        assert answer.status_code == (400 if signed or url == LOGIN else 302), url
        if answer.status_code == 400:
            assert "carries a file" in answer.content.decode()


@pytest.mark.parametrize(
    "body", [{"name": "x" * 600_000}, {f"field{n}": "x" for n in range(600)}], ids=["long", "many fields"]
)
def test_a_body_too_large_is_refused_and_says_so(signed_in: Client, device: Device, body: dict[str, str]) -> None:
    answer = signed_in.post(reverse("code_add", args=[device.pk]), body)
    assert answer.status_code == 400
    assert "too large" in answer.content.decode()


@pytest.mark.parametrize("name", ["device", "code", "guest_page", "join", "property_edit"])
@pytest.mark.parametrize("word", ["%00", "..%2f..%2fetc", "%F0%9F%92%A3", "a" * 5000, "' OR 1=1 --", "{{7*7}}"])
def test_an_address_made_up_is_not_found(signed_in: Client, device: Device, name: str, word: str) -> None:
    known = {"property_edit": device.property_id}.get(name, "11111111-1111-4111-8111-111111111111")
    url = reverse(name, args=[known]).replace(str(known), word)
    assert signed_in.get(url).status_code in ((400,) if word == "%00" else (404, 410))


def test_an_address_that_nobody_can_read_says_so(signed_in: Client) -> None:
    page = signed_in.get("/activity/?q=%00").content.decode()
    assert "That could not be read" in page and "Nothing was changed" in page
