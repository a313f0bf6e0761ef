"""Finds words in Python that a person reads and nobody can translate: text outside gettext's marks."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

MARKS = {"_", "gettext", "gettext_lazy", "ngettext", "ngettext_lazy", "pgettext", "pgettext_lazy", "npgettext"}
LOGS = {"debug", "info", "warning", "error", "exception", "critical"}  # `messages.error()` is none of a logger's
# Where a single word is one that people read, too.
SPOKEN_KEYWORDS = {
    "label",
    "help_text",
    "verbose_name",
    "verbose_name_plural",
    "description",
    "empty_label",
    "empty_value",
    "violation_error_message",
    "subject",
    "title",
    "message",
}
SPOKEN_NAMES = {
    "short_description",
    "empty_value_display",
    "site_header",
    "site_title",
    "index_title",
    *SPOKEN_KEYWORDS,
}
# Calls whose argument of this place is read.
SPOKEN_CALLS = {
    "ValidationError": 0,
    "PermissionDenied": 0,
    "add_error": 1,
    "Fact": 0,
    "Status": 0,
    "SeeAlso": 0,
    "format_html": 0,
    "message_user": 1,
}
# A capital and another word; a sentence's end; three words.
SENTENCE = re.compile(
    r"^\W*[A-Z]([a-zà-ÿ’]+)?[,;:]? [^\W\d_]{2,}|^\W*[^\W\d_]+ .*[^\W\d_]{2}[.!?]$|^[a-zà-ÿ’]+( [a-zà-ÿ’]+){2,}[.,]?$",
    re.S,
)
LETTERS = re.compile(r"[^\W\d_]{2,}")
PLACES = re.compile(r"%\(\w+\)\w|%\w|\{[^}]*\}|<[^>]*>|https?:\S+|&\w+;")


@dataclass(frozen=True, slots=True)
class Unmarked:
    line: int
    text: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.text!r}"


def unmarked(source: str) -> list[Unmarked]:
    """Each literal of a module that looks like words for people and stands in no mark, in the order of lines."""
    found = _Words()
    found.visit(ast.parse(source))
    return sorted(set(found.found), key=lambda one: (one.line, one.text))


class _Words(ast.NodeVisitor):
    def __init__(self) -> None:
        self.found: list[Unmarked] = []

    def visit_Expr(self, node: ast.Expr) -> None:
        if not isinstance(node.value, ast.Constant):  # a docstring
            self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        name = _name(node.func)
        if name in MARKS or _logs(node.func):
            return
        place = 1 if _tells(node.func) else SPOKEN_CALLS.get(name or "")
        if place is not None:
            self._spoken(*node.args[place : place + 1])
        for keyword in node.keywords:
            if keyword.arg in SPOKEN_KEYWORDS:
                self._spoken(keyword.value)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        if any(_name(target) in SPOKEN_NAMES for target in node.targets):
            self._spoken(node.value)
        self.generic_visit(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        """The label of a choice is its second part."""
        if any((_name(base) or "").endswith("Choices") for base in node.bases):
            for line in node.body:
                if isinstance(line, ast.Assign) and isinstance(line.value, ast.Tuple):
                    self._spoken(*line.value.elts[1:])
                elif isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant):
                    self.found.append(Unmarked(line.lineno, f"choice without a label: {line.value.value}"))
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        """What goes wrong inside is for those who mend it; what a form says goes by its own name."""
        if isinstance(node.exc, ast.Call) and _name(node.exc.func) not in SPOKEN_CALLS:
            return
        self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        """How a row is called stands on pages, whatever the words."""
        if node.name == "__str__":
            self._spoken(*(one.value for one in ast.walk(node) if isinstance(one, ast.Return) and one.value))
        self.generic_visit(node)

    def visit_Assert(self, node: ast.Assert) -> None:
        """For those who mend it."""

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, str) and SENTENCE.search(PLACES.sub("", node.value)):
            self.found.append(Unmarked(node.lineno, node.value))

    def _spoken(self, *nodes: ast.expr) -> None:
        for node in nodes:
            for text in _texts(node):
                if LETTERS.search(PLACES.sub("", text.value)):
                    self.found.append(Unmarked(text.lineno, text.value))


def _texts(node: ast.expr) -> Iterator[ast.Constant]:
    """What a value may be: itself, the parts of an f-string or a list, either branch, both sides of `%` and `+`."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node
    elif isinstance(node, ast.IfExp):
        yield from (*_texts(node.body), *_texts(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        for part in node.values:
            yield from _texts(part)
    elif isinstance(node, ast.BinOp):
        yield from _texts(node.left)
        yield from _texts(node.right) if isinstance(node.op, ast.Add) else ()
    elif isinstance(node, ast.BoolOp):
        for value in node.values:
            yield from _texts(value)
    elif isinstance(node, ast.List):
        for value in node.elts:
            yield from _texts(value)


def _name(node: ast.expr) -> str | None:
    """The last part of `a.b.c`."""
    if isinstance(node, ast.Attribute):
        return node.attr
    return node.id if isinstance(node, ast.Name) else None


def _tells(node: ast.expr) -> bool:
    """`messages.success()` and its like."""
    return isinstance(node, ast.Attribute) and _name(node.value) == "messages"


def _logs(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr in LOGS and _name(node.value) in ("logger", "log")
