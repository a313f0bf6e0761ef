"""Properties, hubs, locks and what happened there, for staff. A PIN's digits are on no page."""

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from devices import history, properties, services
from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from portal.staff import KeptAdmin, LookingAdmin, SeeAlso, Words, asks, link_to, person

DETAILS = ["name", "address", "guest_phone", "if_nothing_works"]


class TroubleFilter(admin.SimpleListFilter):
    title = _("trouble")
    parameter_name = "trouble"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, Words]]:
        return [(trouble.value, trouble.label) for trouble in Pin.Trouble if trouble]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        return queryset.filter(trouble=self.value()) if self.value() else queryset


@admin.register(Property)
class PropertyAdmin(KeptAdmin):
    """A property stays in its workspace, and its zone moves stays: that has a page of its own in the portal."""

    list_display = ["name", link_to("workspace", _("workspace")), "address", "time_zone"]
    list_select_related = ["workspace"]
    list_filter = ["time_zone"]
    followed = frozenset({"workspace"})
    search_fields = ["name", "address", "workspace__name", "id__startswith"]
    ordering = ["name"]
    see_also = [
        SeeAlso(_("Locks"), "devices_device", "property"),
        SeeAlso(_("Codes"), "codes_accesscode", "device__property"),
    ]

    def get_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["related", "id", "workspace", "time_zone", *DETAILS] if obj else ["workspace", "time_zone", *DETAILS]

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ["related", "id", "workspace", "time_zone"] if obj else []

    def save_model(self, request: HttpRequest, obj: Property, form: forms.ModelForm[Property], change: bool) -> None:
        details = {name: form.cleaned_data[name] for name in DETAILS}
        if change:
            properties.change_property(obj, **details)
            return
        added = properties.add_property(obj.workspace, time_zone=obj.time_zone, **details)
        obj.pk, obj._state.adding = added.pk, False


@admin.register(Hub)
class HubAdmin(LookingAdmin):
    list_display = ["name", link_to("workspace", _("workspace")), "provider", "address", "calls_at_once", "down_since"]
    list_select_related = ["workspace"]
    list_filter = ["provider", ("down_since", admin.EmptyFieldListFilter)]
    followed = frozenset({"workspace"})
    search_fields = ["name", "address", "workspace__name", "id__startswith"]
    exclude = ["credentials"]
    see_also = [
        SeeAlso(_("Locks"), "devices_device", "hub"),
        SeeAlso(_("Simulated locks"), "devices_simulatedlock", "hub"),
    ]


@admin.register(Device)
class DeviceAdmin(LookingAdmin):
    list_display = [
        "name",
        link_to("property", _("property")),
        link_to("hub", _("hub")),
        "make",
        "model",
        "online",
        "battery",
        "trouble",
        "next_sync_at",
        "removal",
    ]
    list_select_related = ["property", "hub"]
    list_filter = ["online", "removal", TroubleFilter, "make"]
    followed = frozenset({"property", "hub"})
    search_fields = ["name", "property__name", "property__workspace__name", "lock_ref", "id__startswith"]
    date_hierarchy = "added_at"
    ordering = ["property__name", "name"]
    see_also = [
        SeeAlso(_("PINs"), "devices_pin", "device"),
        SeeAlso(_("Backup pool"), "backups_backuppool", "device"),
        SeeAlso(_("Spares"), "backups_backupcode", "pool__device"),
        SeeAlso(_("Codes"), "codes_accesscode", "device"),
        SeeAlso(_("Events"), "devices_event", "device"),
        SeeAlso(_("Warnings"), "codes_notice", "device"),
    ]
    fieldsets = [
        (None, {"fields": ["related", "id", "name", "property", "hub", "lock_ref", "make", "model", "added_at"]}),
        (_("As it is"), {"fields": ["online", "online_since", "battery", "read_at", "unmanaged", "capabilities"]}),
        (_("Trouble"), {"fields": ["trouble", "trouble_count", "trouble_since", "failures"]}),
        (_("Its turns"), {"fields": ["next_sync_at", "queued_until", "syncing_until", "read_wanted", "version"]}),
        (_("Removal"), {"fields": ["removal", "removed_at"]}),
    ]
    readonly_fields = ["id", "added_at"]
    actions = ["check_now", "mark_removed"]

    @asks(
        _("Check now"),
        will=_("The lock is read in full as soon as it answers, and what differs from the portal is put right."),
    )
    def check_now(self, request: HttpRequest, device: Device) -> None:
        services.check_lock(device, actor=person(request))

    @asks(
        _("Mark as removed"),
        will=_(
            "For a lock that is being removed and will never answer again. The portal stops trying to take its codes "
            "off: what is still on it opens the door until somebody resets the lock by hand."
        ),
        foresee=lambda device: _left_on(device),
        danger=True,
    )
    def mark_removed(self, request: HttpRequest, device: Device) -> None:
        services.mark_removed(device, actor=person(request))


@admin.register(Pin)
class PinAdmin(LookingAdmin):
    list_display = [
        "label",
        link_to("device", _("lock")),
        "status",
        "wanted",
        "slot",
        "confirmed_at",
        "trouble",
        "attempts",
        "next_attempt_at",
    ]
    list_select_related = ["device"]
    list_filter = ["status", "wanted", TroubleFilter, "priority"]
    followed = frozenset({"device"})
    search_fields = ["label", "code_id", "device__name", "device__id__startswith"]
    exclude = ["secret", "digest"]
    date_hierarchy = "created_at"
    see_also = [
        SeeAlso(_("Code it was given to"), "codes_codepin", "pin"),
        SeeAlso(_("Spare it is of"), "backups_backupcode", "pin"),
    ]


@admin.register(Event)
class EventAdmin(LookingAdmin):
    list_display = [
        "at",
        "type",
        "sentence",
        link_to("device", _("lock")),
        link_to("workspace", _("workspace")),
        link_to("actor", _("by")),
    ]
    list_select_related = ["device", "workspace", "actor"]
    list_filter = ["type"]
    followed = frozenset({"device", "workspace", "subject", "actor"})
    search_fields = [
        "device__name",
        "workspace__name",
        "actor__name",
        "data__name",
        "data__backup",
        "subject__startswith",
    ]
    date_hierarchy = "at"
    ordering = ["-pk"]  # as they were written, by the one index that covers all workspaces

    @admin.display(description=_("what happened"))
    def sentence(self, event: Event) -> str:
        """Leads to the code it is about."""
        words = history.entry_of(event).sentence
        if event.subject is None:
            return words
        return format_html('<a href="{}">{}</a>', reverse("admin:codes_accesscode_change", args=[event.subject]), words)


@admin.register(SimulatedLock)
class SimulatedLockAdmin(LookingAdmin):
    """The simulator's own truth. Only its provider and `manage.py simulate_lock` touch it."""

    list_display = [
        "name",
        link_to("hub", _("hub")),
        "make",
        "model",
        "fault",
        "on_it",
        "latency_ms",
        "writes",
        "reads",
    ]
    list_select_related = ["hub"]
    list_filter = ["fault"]
    followed = frozenset({"hub"})
    search_fields = ["name", "lock_ref", "hub__name"]
    exclude = ["codes", "pending"]
    readonly_fields = ["on_it"]

    @admin.display(description=_("codes on it"))
    def on_it(self, lock: SimulatedLock) -> int:
        return len(lock.codes)


def _left_on(device: Device) -> Words:
    if device.removal != Device.Removal.REMOVING:
        return _("Is not being removed, and stays as it is.")
    left = [pin.label for pin in Pin.objects.filter(device=device).maybe_on_lock()]
    told = ngettext(
        "%(count)d code may still be on it: %(labels)s.", "%(count)d codes may still be on it: %(labels)s.", len(left)
    )
    return told % {"count": len(left), "labels": ", ".join(left)} if left else _("Nothing of ours is left on it.")
