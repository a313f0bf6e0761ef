"""Pages that refresh themselves: their live parts are sent again only when they changed.

A template marks its parts with `{% live "name" %}…{% endlive %}`. Each carries a digest of itself in a hidden field,
which the page's poll sends back; a poll that changed nothing answers 204. The time of the answer travels
in a header, for the page's "Updated 14:32".
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.template.loader import render_to_string
from django.utils.html import strip_tags

from portal.clock import now
from portal.moments import clock

SOON, LATER = 4, 20  # seconds between polls: while something is pending, and otherwise


@dataclass
class Live:
    """One rendering: what the page has seen already (None: it is the first), and which parts are sent."""

    seen: Mapping[str, str] | None = None
    sent: list[str] = field(default_factory=list)

    def wanted(self, name: str, digest: str) -> bool:
        """Whether this part is to be sent; remembers that it was."""
        if self.seen is not None and self.seen.get(f"seen-{name}") == digest:
            return False
        self.sent.append(name)
        return True


def digest(html: str) -> str:
    return hashlib.blake2b(html.encode(), digest_size=6).hexdigest()


def changed_parts(request: HttpRequest, template: str, context: dict[str, Any], *, zone: str) -> HttpResponse:
    """The live parts of `template` that differ from those the page has; 204 when none does."""
    live = Live(seen=request.GET)
    html = render_to_string(template, {**context, "live": live}, request)
    response = HttpResponse(html) if live.sent else HttpResponse(status=204)
    instant = now()
    told = {"at": instant.isoformat(timespec="seconds"), "words": strip_tags(clock(instant, zone))}
    response["HX-Trigger"] = json.dumps({"refreshed": told})
    response["Cache-Control"] = "no-store"
    return response
