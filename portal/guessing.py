"""Slowing down whoever tries out secret links: after many wrong ones from one address, none of its are looked up.

Only different wrong links count, so a page that refreshes itself on a link that was taken back harms nobody beside it.
"""

from collections.abc import Callable
from functools import wraps
from hashlib import sha256
from typing import Any, cast

from allauth.account.adapter import get_adapter
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured, PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render

MOST = 50  # different wrong links from one address within
WITHIN = 600  # seconds


def slow_to_guess[**P](view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """For views of `(request, token)`: counts their 404 and 410, and answers 429 once there were too many."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        request, token = cast(HttpRequest, args[0]), str(kwargs.get("token", args[-1]))
        visitor = _key("guesses", _address(request))
        if cache.get(visitor, 0) >= MOST:
            return render(request, "429.html", status=429)
        try:
            response = view(*args, **kwargs)
        except Http404:
            _count(visitor, token)
            raise
        if response.status_code == 410:
            _count(visitor, token)
        return response

    return guarded


def _count(visitor: str, token: str) -> None:
    if cache.add(_key("guess", f"{visitor} {token}"), 1, WITHIN) and not cache.add(visitor, 1, WITHIN):
        cache.incr(visitor)


def _address(request: HttpRequest) -> str:
    """Where the request comes from: before our own proxies, as sign-in throttling counts too.

    A guest is not turned away because a proxy does not say.
    """
    try:
        address: str = cast(Any, get_adapter)(request).get_client_ip(request)
    except (PermissionDenied, ImproperlyConfigured):
        return "unknown"
    return address


def _key(kind: str, value: str) -> str:
    return f"{kind}:{sha256(value.encode()).hexdigest()}"
