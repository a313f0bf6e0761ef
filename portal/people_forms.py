"""What people type about themselves and one another."""

from collections.abc import Sequence
from typing import Any

from django import forms
from django.contrib.auth.password_validation import password_validators_help_texts, validate_password
from django.utils.translation import gettext_lazy

from portal.models import MailKind, Membership, User, Workspace

ROLES = [
    (Membership.Role.OWNER, gettext_lazy("Owner: everything, settings and people too")),
    (Membership.Role.MANAGER, gettext_lazy("Manager: codes, locks and properties")),
    (Membership.Role.NIGHT, gettext_lazy("Night: shows PINs, pulls backups, checks locks")),
    (Membership.Role.VIEWER, gettext_lazy("Viewer: looks, without PINs")),
]


class InviteForm(forms.Form):
    email = forms.EmailField(label=gettext_lazy("E-mail"), max_length=254)
    role = forms.ChoiceField(
        label=gettext_lazy("Role"), choices=ROLES, initial=Membership.Role.MANAGER, widget=forms.RadioSelect
    )


class RoleForm(forms.Form):
    role = forms.ChoiceField(label=gettext_lazy("Role"), choices=ROLES, widget=forms.RadioSelect)


class NameForm(forms.Form):
    name = forms.CharField(
        label=gettext_lazy("Your name"), max_length=100, widget=forms.TextInput(attrs={"autocomplete": "name"})
    )


class JoinForm(NameForm):
    """A new person's name and password. `email`: the address they were invited by."""

    password = forms.CharField(
        label=gettext_lazy("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "new-password"}),
    )

    def __init__(self, *args: Any, email: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.email = email
        self.fields["password"].help_text = " ".join(password_validators_help_texts())

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if password := cleaned.get("password"):
            try:
                validate_password(password, User(email=self.email, name=cleaned.get("name", "")))
            except forms.ValidationError as error:
                self.add_error("password", error)
        return cleaned


class MailsForm(forms.Form):
    """Which of a workspace's warnings a person wants by e-mail. `kinds`: those that the role is to hear of."""

    wanted = forms.MultipleChoiceField(
        label=gettext_lazy("E-mail me when"), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, *args: Any, membership: Membership, kinds: Sequence[MailKind], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.kinds = kinds
        field = self.fields["wanted"]
        assert isinstance(field, forms.MultipleChoiceField)  # noqa: S101  declared above
        field.choices = [(kind.value, kind.label) for kind in kinds]
        field.initial = [kind.value for kind in kinds if membership.wants(kind)]


class SwitchForm(forms.Form):
    """Which of one's workspaces to work in."""

    workspace = forms.ModelChoiceField(Workspace.objects.none())

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        mine = Workspace.objects.filter(memberships__user=user)
        self.fields["workspace"].queryset = mine  # type: ignore[attr-defined]  # a model choice has one
