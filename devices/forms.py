"""What people type about hubs and locks."""

from django import forms
from django.utils.translation import gettext_lazy as _

from devices.models import Device, Hub, Property
from portal.models import Workspace


class HubForm(forms.Form):
    """A hub by its address, and the property its locks belong to."""

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


class NewHubForm(HubForm):
    provider = forms.ChoiceField(label=_("Kind of hub"), choices=Hub.Provider.choices)

    field_order = ["provider", "name", "address", "property"]


class LockForm(forms.Form):
    """A lock's name, and the property it is in."""

    name = forms.CharField(
        label=_("Name"), max_length=100, help_text=_("Guests read it on their page, above the PIN: “Front door”.")
    )
    property = forms.ModelChoiceField(Property.objects.none(), label=_("Property"))

    def __init__(self, *args: object, device: Device, **kwargs: object) -> None:
        super().__init__(*args, initial={"name": device.name, "property": device.property_id}, **kwargs)  # type: ignore[arg-type, misc]
        places = self.fields["property"]
        assert isinstance(places, forms.ModelChoiceField)  # noqa: S101  declared above
        places.queryset = Property.objects.filter(workspace=device.property.workspace_id).order_by("name")
