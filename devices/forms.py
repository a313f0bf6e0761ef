"""What people type about hubs and locks."""

from django import forms
from django.utils.translation import gettext_lazy as _

from devices.models import Hub, Property
from portal.models import Workspace


class HubForm(forms.Form):
    """A hub by its address, and the property its locks belong to."""

    provider = forms.ChoiceField(label=_("Kind of hub"), choices=Hub.Provider.choices)
    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("What your team calls it, like “Lakeview hub”.")
    )
    address = forms.CharField(
        label=_("Address"),
        max_length=200,
        help_text=_("For Z-Wave JS the server’s address, like ws://192.0.2.7:3000."),
    )
    property = forms.ModelChoiceField(
        Property.objects.none(), label=_("Property"), help_text=_("Its locks are added to this property.")
    )

    def __init__(self, *args: object, workspace: Workspace, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        places = self.fields["property"]
        assert isinstance(places, forms.ModelChoiceField)  # noqa: S101  declared above
        places.queryset = Property.objects.filter(workspace=workspace).order_by("name")
