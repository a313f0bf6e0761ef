"""What every page uses: times, live parts and the poll that refreshes them."""

from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django import template
from django.template.base import FilterExpression, NodeList, Parser, Token
from django.template.context import RequestContext
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from portal import live as live_parts
from portal import moments
from portal.clock import now

register = template.Library()


@register.filter
def moment(instant: datetime, zone: str) -> SafeString:
    """`23 Nov 15:00`"""
    return moments.moment(instant, zone)


@register.filter
def clock(instant: datetime, zone: str) -> SafeString:
    """`14:40`, with the date when it is not today."""
    return moments.clock(instant, zone)


@register.filter
def soon(instant: datetime, zone: str) -> SafeString:
    """`Sat 15:00` within the next days, else with its date."""
    return moments.soon(instant, zone)


@register.filter
def zone_name(zone: str) -> str:
    """`Lisbon time`"""
    return moments.zone_name(zone)


@register.simple_tag
def right_now() -> datetime:
    return now()


@register.simple_tag(takes_context=True)
def query(context: RequestContext, **changes: Any) -> str:
    """The page's own query string with some fields changed; None or "" drops one."""
    here = {k: v for k, v in context["request"].GET.items() if not k.startswith("seen-")}
    fields = {name: str(value) for name, value in sorted({**here, **changes}.items()) if value not in (None, "")}
    return f"?{urlencode(fields)}"


@register.simple_tag
def poll_seconds(*pending: bool) -> int:
    """How often to look again, given what is pending."""
    return live_parts.SOON if any(pending) else live_parts.LATER


@register.simple_tag(takes_context=True)
def page_mark(context: RequestContext, zone: str) -> str:
    """`{% page_mark zone %}`: the hidden field by which the page's polls tell what they were drawn from."""
    live: live_parts.Live = context["live"]
    if live.seen is not None:
        return ""  # a poll's answer carries it in a header
    found = context.get("mark") or live_parts.member_mark(
        context["request"], zone, context.get("until"), context.get("of_lock")
    )
    field = '<input class="seen" type="hidden" name="{}" value="{}" autocomplete="off">'
    return format_html(field, live_parts.MARK, found)


@register.tag("live")
def do_live(parser: Parser, token: Token) -> "LiveNode":
    """`{% live "name" %}…{% endlive %}`: a part that is sent again when it changed. Must hold no inputs."""
    try:
        _, name = token.split_contents()
    except ValueError:
        raise template.TemplateSyntaxError('write {% live "name" %}') from None
    nodes = parser.parse(("endlive",))
    parser.delete_first_token()
    return LiveNode(parser.compile_filter(name), nodes)


class LiveNode(template.Node):
    def __init__(self, name: FilterExpression, nodelist: NodeList) -> None:
        self.name, self.nodelist = name, nodelist

    def render(self, context: template.Context) -> SafeString:
        name, html = self.name.resolve(context), self.nodelist.render(context).strip()
        live: live_parts.Live = context.get("live") or live_parts.Live()
        digest = live_parts.digest(html)
        if not live.wanted(name, digest):
            return mark_safe("")
        swap = "" if live.seen is None else SafeString(' hx-swap-oob="true"')
        return format_html(
            '<div class="live" id="live-{}"{}>{}'
            '<input class="seen" type="hidden" name="seen-{}" value="{}" autocomplete="off"></div>',
            name,
            swap,
            mark_safe(html),  # noqa: S308  rendered by the template engine just now
            name,
            digest,
        )
