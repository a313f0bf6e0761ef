"""Which addresses a hub may have: those in the networks that staff allow, and no others.

A manager types the address, the portal's host connects to it: without a limit that would lead into whatever else the
host can reach. An address is looked at twice: when it is typed, and, whatever its name means by then, when it is used.
"""

import socket
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _


def allowed(ip: str) -> bool:
    """Whether an IP address lies in one of `HUB_NETWORKS`. Anything that is no IP address does not."""
    try:
        address = ip_address(ip)
    except ValueError:
        return False
    return any(address in network for network in settings.HUB_NETWORKS)


def check(address: str) -> None:
    """Raises ValidationError, saying what to do, for an address that is none or is not allowed. Asks no network."""
    example = _("Write the server's address like ws://192.0.2.7:3000.")
    try:
        parts = urlsplit(address)
        host, _port = parts.hostname, parts.port
    except ValueError:
        raise ValidationError({"address": example}) from None
    if parts.scheme not in ("ws", "wss") or not host:
        raise ValidationError({"address": example})
    if parts.username is not None or parts.password is not None:
        raise ValidationError({"address": _("Leave out the name and password before the @.")})
    if _is_ip(host) and not allowed(host):
        raise ValidationError(
            {"address": _("The portal is not allowed to connect to this address. Ask its staff to allow it.")}
        )


def open_socket(info: tuple[Any, ...]) -> socket.socket:
    """A socket for one resolved address (as getaddrinfo gives it). Raises OSError where that is not allowed.

    What aiohttp's connector makes its sockets with: names, redirects and addresses in other spellings end here too.
    """
    family, kind, protocol, _name, target = info
    if not allowed(str(target[0])):
        raise PermissionError("The address is in none of HUB_NETWORKS.")
    return socket.socket(family, kind, protocol)


def _is_ip(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
