"""What an owner types about a workspace: its leads, when guests see a PIN, and whom warnings go to."""

from datetime import timedelta
from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from portal.durations import DAY, HOUR, MINUTE, HoursField, words
from portal.models import MailKind, Membership, Workspace
from portal.workspaces import DURATIONS

NATIVE = ("programming_lead_native", "cover_lead_native")
OTHER = ("programming_lead", "cover_lead")
ROLES = [
    (Membership.Role.OWNER, gettext_lazy("Owners")),
    (Membership.Role.MANAGER, gettext_lazy("Managers")),
    (Membership.Role.NIGHT, gettext_lazy("Night")),
    (Membership.Role.VIEWER, gettext_lazy("Viewers")),
]
LABELS = {
    "programming_lead_native": gettext_lazy("Set the code before check-in"),
    "cover_lead_native": gettext_lazy("Pull a backup before check-in"),
    "programming_lead": gettext_lazy("Set the code before check-in"),
    "cover_lead": gettext_lazy("Pull a backup before check-in"),
    "reveal_lead": gettext_lazy("Show the PIN before check-in"),
    "early_access": gettext_lazy("Early access"),
    "late_access": gettext_lazy("Late access"),
}
HELP = {
    "programming_lead_native": gettext_lazy("The code waits on the lock and opens it from check-in on."),
    "cover_lead_native": gettext_lazy("A code that is not on the lock by then is covered by a backup."),
    "programming_lead": gettext_lazy("The code opens the lock from that moment on."),
    "cover_lead": gettext_lazy("A code that is not on the lock by then is covered by a backup."),
    "reveal_lead": gettext_lazy("A guest’s link shows the PIN from that moment on, if it works by then."),
    "early_access": gettext_lazy("A backup works at once. Guests see it at check-in, or so much earlier."),
    "late_access": gettext_lazy("A guest’s PIN works until checkout, and so much longer. It is removed after that."),
}
LIMITS: dict[str, tuple[timedelta, timedelta]] = {
    "programming_lead_native": (HOUR, 14 * DAY),
    "cover_lead_native": (10 * MINUTE, 7 * DAY),
    "programming_lead": (10 * MINUTE, DAY),
    "cover_lead": (5 * MINUTE, 12 * HOUR),
    "reveal_lead": (timedelta(0), 30 * DAY),
    "early_access": (timedelta(0), DAY),
    "late_access": (timedelta(0), DAY),
}


class SettingsForm(forms.Form):
    """A workspace's settings. `values()` are the keyword arguments of `portal.workspaces.change_settings`."""

    name = forms.CharField(label=gettext_lazy("Name of the workspace"), max_length=100)

    def __init__(self, *args: Any, workspace: Workspace, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["name"].initial = workspace.name
        for field in DURATIONS:
            least, most = LIMITS[field]
            self.fields[field] = HoursField(
                label=LABELS[field],
                help_text=HELP[field],
                least=least,
                most=most,
                initial=getattr(workspace, field),
            )
        for kind in MailKind:
            self.fields[f"mail_{kind}"] = forms.MultipleChoiceField(
                label=kind.label,
                choices=ROLES,
                required=False,
                widget=forms.CheckboxSelectMultiple,
                initial=workspace.mail_roles_of(kind),
            )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for programming, cover in (NATIVE, OTHER):
            self._check_order(cleaned, programming, cover)
        if not cleaned.get(f"mail_{MailKind.UNCOVERED}"):
            self.add_error(f"mail_{MailKind.UNCOVERED}", _("Somebody must hear of this one: choose at least one role."))
        return cleaned

    def native(self) -> list[forms.BoundField]:
        return [self[name] for name in NATIVE]

    def other(self) -> list[forms.BoundField]:
        return [self[name] for name in OTHER]

    def guests(self) -> list[forms.BoundField]:
        return [self["reveal_lead"], self["early_access"], self["late_access"]]

    def mails(self) -> list[forms.BoundField]:
        return [self[f"mail_{kind}"] for kind in MailKind]

    def values(self) -> dict[str, Any]:
        return {
            "name": self.cleaned_data["name"],
            "durations": {field: self.cleaned_data[field] for field in DURATIONS},
            "mail_roles": {kind: self.cleaned_data[f"mail_{kind}"] for kind in MailKind},
        }

    def _check_order(self, cleaned: dict[str, Any], programming: str, cover: str) -> None:
        """A backup is pulled for a code that was tried and failed: trying comes first."""
        begins, gives_up = cleaned.get(programming), cleaned.get(cover)
        if begins is not None and gives_up is not None and gives_up >= begins:
            told = {"programming": words(begins)}
            self.add_error(cover, _("Choose less than %(programming)s: the code is set first.") % told)
