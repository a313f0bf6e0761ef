"""The library `i18n` as Django has it, but a text that is always the same is translated and escaped once a language.

A page has dozens of `{% translate "Home" %}`. Settings give this library Django's name.
"""

from typing import Any

from django import template
from django.template.base import Parser, Token
from django.templatetags import i18n as djangos
from django.utils.translation import get_language

register = template.Library()
register.tags.update(djangos.register.tags)
register.filters.update(djangos.register.filters)


@register.tag("translate")
@register.tag("trans")
def do_translate(parser: Parser, token: Token) -> "TextNode":
    node: Any = djangos.do_translate(parser, token)
    return TextNode(node.filter_expression, node.noop, node.asvar, node.message_context)


class TextNode(djangos.TranslateNode):
    def __init__(self, *args: Any) -> None:
        super().__init__(*args)
        node: Any = self
        expression = node.filter_expression
        self._same = expression.var.literal is not None and not expression.filters
        self._same = self._same and node.message_context is None and node.asvar is None
        self._kept: dict[tuple[str | None, bool], str] = {}

    def render(self, context: template.Context) -> str:
        if not self._same:
            return super().render(context)
        about = get_language(), context.autoescape
        found = self._kept.get(about)
        if found is None:
            found = self._kept[about] = super().render(context)
        return found
