"""How sign-in behaves: nobody signs up by themselves, and two-factor secrets are stored encrypted."""

from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from allauth.mfa.adapter import DefaultMFAAdapter
from django.http import HttpRequest, HttpResponse

from portal.models import User
from portal.people import vouch_for
from portal.secret import Secret


class AccountAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False

    def pre_login(self, request: HttpRequest, user: User, **kwargs: Any) -> HttpResponse | None:
        vouch_for(user)
        response: HttpResponse | None = super().pre_login(request, user, **kwargs)
        return response


class MFAAdapter(DefaultMFAAdapter):  # type: ignore[misc]
    def encrypt(self, text: str) -> str:
        return Secret(text).seal()

    def decrypt(self, encrypted_text: str) -> str:
        return Secret.sealed(encrypted_text).reveal()
