"""`{% url %}` as Django has it, but an address made once is remembered: a page has dozens, the same at each rendering.

Only of views without a namespace, and of ids: what is secret in an address, as in a guest's link, is kept nowhere.
"""

from functools import lru_cache
from typing import Any
from uuid import UUID

from django import template
from django.template.base import Parser, Token
from django.template.defaulttags import URLNode
from django.template.defaulttags import url as djangos
from django.urls import NoReverseMatch, get_script_prefix, get_urlconf, reverse
from django.utils.html import conditional_escape

register = template.Library()

IDS = (UUID, int)


@register.tag("url")
def do_url(parser: Parser, token: Token) -> "AddressNode":
    node: Any = djangos(parser, token)
    return AddressNode(node.view_name, node.args, node.kwargs, node.asvar)


class AddressNode(URLNode):
    def render(self, context: template.Context) -> str:
        node: Any = self
        name, args = node.view_name.resolve(context), tuple(arg.resolve(context) for arg in node.args)
        plain = isinstance(name, str) and ":" not in name and not node.kwargs
        if not plain or not all(type(arg) in IDS for arg in args):
            return super().render(context)
        try:
            found = address(name, args, get_urlconf(), get_script_prefix())
        except NoReverseMatch:
            return super().render(context)  # which says so, or does not
        if node.asvar:
            context[node.asvar] = found
            return ""
        return conditional_escape(found) if context.autoescape else found


@lru_cache(maxsize=4096)
def address(name: str, args: tuple[UUID | int, ...], urlconf: str | None, prefix: str) -> str:
    """Raises NoReverseMatch. `urlconf` and `prefix`: by which it is made, as the thread has them."""
    return reverse(name, urlconf, args)
