"""What all admin pages stand on: rows to look at, links between them, and actions that ask first.

Staff may look at what they have Django's `view` permission for; they may act on what they have `change` permission for.
Neither changes a field by hand: what must hold is held by services, so actions call those.
"""

from collections.abc import Callable, Sequence
from functools import reduce, wraps
from typing import Any, ClassVar, NamedTuple, cast

from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.options import ActionLocation
from django.contrib.admin.utils import quote
from django.core.exceptions import ValidationError
from django.db import models
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django_stubs_ext import StrOrPromise

from portal.models import User

MOST = 100  # rows one action takes on: what a person can read before saying yes


type Words = StrOrPromise


class SeeAlso(NamedTuple):
    """A list of rows that belong to one: `pins` of a lock is `SeeAlso(_("PINs"), "devices_pin", "device")`."""

    words: Words
    model: str  # as in the admin's addresses
    field: str  # of those rows, whose value is this row's key


class LookingAdmin(admin.ModelAdmin[Any]):
    """Rows to look at: what services and the engine write, nobody changes by hand, and nothing is deleted."""

    list_per_page = 50
    show_full_result_count = False
    see_also: ClassVar[Sequence[SeeAlso]] = []
    followed: ClassVar[frozenset[str]] = frozenset()  # filters that links from other pages use

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_act_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"{self.opts.app_label}.change_{self.opts.model_name}"))

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        """Only filters that a page offers: `?guest_nonce__startswith=a` would tell a secret letter by letter."""
        filters: list[Any] = [item[0] if isinstance(item, tuple) else item for item in self.get_list_filter(request)]
        offered = [name for name in (*filters, self.date_hierarchy, *self.followed) if isinstance(name, str)]
        return any(lookup == name or lookup.startswith(f"{name}__") for name in offered)

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fields = super().get_fields(request, obj)
        return ["related", *fields] if obj and self.see_also and "related" not in fields else fields

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        readonly = super().get_readonly_fields(request, obj)
        return [*readonly, "related"] if obj and self.see_also else readonly

    @admin.display(description=gettext_lazy("see also"))
    def related(self, row: models.Model) -> str:
        links = ((_list_of(also, row), also.words) for also in self.see_also)
        return format_html_join(" · ", '<a href="{}">{}</a>', links)


class KeptAdmin(LookingAdmin):
    """Rows that staff may add and edit through a service, and nobody deletes."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.has_perm(f"{self.opts.app_label}.add_{self.opts.model_name}"))

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self.has_act_permission(request)


def person(request: HttpRequest) -> User:
    """The staff person behind a request to the admin."""
    return cast(User, request.user)


def page_of(row: models.Model) -> str:
    """The address of a row's own page in the admin."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[quote(row.pk)])


def link_to(path: str, words: Words) -> Callable[[Any], str]:
    """A column that leads to the row behind a foreign key: `link_to("pool__device", _("lock"))`.

    Name the path in `list_select_related` too.
    """

    @admin.display(description=words, ordering=path)
    def column(row: models.Model) -> str:
        target = reduce(lambda at, name: getattr(at, name, None), path.split("__"), cast(Any, row))
        return format_html('<a href="{}">{}</a>', page_of(target), target) if target else "-"

    column.__name__ = path
    return column


def asks[A: LookingAdmin](
    title: Words,
    *,
    will: Words,
    foresee: Callable[[Any], Words] | None = None,
    danger: bool = False,
) -> Callable[[Callable[[A, HttpRequest, Any], None]], Callable[[A, HttpRequest, Any], HttpResponse | None]]:
    """Make an admin action of what is done to one row. It asks first, and works on a list and on a row's own page.

    `will` says what happens, `foresee` what that means for one row. The work raises ValidationError to refuse a row:
    the others are done all the same. Each row done is written into the row's history with the person's name.
    """

    def decorate(work: Callable[[A, HttpRequest, Any], None]) -> Callable[[A, HttpRequest, Any], HttpResponse | None]:
        @admin.action(
            description=title,
            permissions=["act"],
            location=[ActionLocation.CHANGE_LIST, ActionLocation.CHANGE_FORM],
        )
        @wraps(work)
        def action(self: A, request: HttpRequest, chosen: models.QuerySet[Any]) -> HttpResponse | None:
            related = self.list_select_related
            rows = list((chosen.select_related(*related) if isinstance(related, list) else chosen)[: MOST + 1])
            if len(rows) > MOST:
                told = _("Choose %(most)d rows at most: you are asked about each of them.")
                self.message_user(request, told % {"most": MOST}, messages.ERROR)
                return None
            if "yes" in request.POST:
                _work_through(self, request, rows, lambda row: work(self, request, row), title)
                return None
            asked = [(row, foresee(row) if foresee else "") for row in rows]
            return _question(self, request, asked, {"title": title, "will": will, "danger": danger})

        return action

    return decorate


def _question(
    self: LookingAdmin, request: HttpRequest, asked: Sequence[tuple[models.Model, Words]], told: dict[str, Any]
) -> HttpResponse:
    name = next(name for name in request.POST if name.endswith("action"))  # a row's own page has a prefix there
    index = request.POST.get("index", "0")
    actions = request.POST.getlist(name)
    context = {
        **self.admin_site.each_context(request),
        **told,
        "opts": self.opts,
        "asked": asked,
        "name": name,
        "chosen": actions[int(index) if index.isdecimal() and int(index) < len(actions) else 0],
        "checkbox": ACTION_CHECKBOX_NAME,
        "back": request.get_full_path(),
    }
    return TemplateResponse(request, "admin/ask.html", context)


def _work_through(
    self: LookingAdmin, request: HttpRequest, rows: Sequence[Any], work: Callable[[Any], None], title: Words
) -> None:
    done = 0
    for row in rows:
        words = str(row)
        try:
            work(row)
        except ValidationError as refusal:
            self.message_user(request, f"{words}: {' '.join(refusal.messages)}", messages.ERROR)
        else:
            self.log_change(request, row, str(title))
            done += 1
    if done:
        told = ngettext("%(title)s: done for %(count)d row.", "%(title)s: done for %(count)d rows.", done)
        self.message_user(request, told % {"title": title, "count": done}, messages.SUCCESS)


def _list_of(also: SeeAlso, row: models.Model) -> str:
    return f"{reverse(f'admin:{also.model}_changelist')}?{also.field}={row.pk}"
