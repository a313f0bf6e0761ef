"""Values from the environment that need more than a type, each refused in words that say what to write."""

from ipaddress import IPv4Network, IPv6Network, ip_network
from urllib.parse import urlsplit

from environs import ValidationError

SHORTEST_TOKEN = 16


def network(value: str) -> IPv4Network | IPv6Network:
    """A network or one address. Raises ValidationError."""
    try:
        return ip_network(value.strip())
    except ValueError as error:
        raise ValidationError(f"Write networks like 10.0.0.0/8, comma separated: {error}.") from error


def read_by_a_machine(token: str) -> None:
    """A token that nobody guesses, or none. Raises ValidationError."""
    if token and (len(token) < SHORTEST_TOKEN or not token.isascii() or " " in token):
        raise ValidationError(
            f"A token has {SHORTEST_TOKEN} ASCII characters or more and no spaces: openssl rand -hex 32."
        )


def report_address(dsn: str) -> None:
    """A Sentry DSN, or none. Raises ValidationError, without repeating the key in it."""
    parts = urlsplit(dsn)
    complete = parts.scheme in ("http", "https") and parts.username and parts.hostname
    if dsn and not (complete and parts.path.rsplit("/", 1)[-1].isdecimal()):
        raise ValidationError("Write the DSN as Sentry shows it: https://<key>@<host>/<project number>.")
