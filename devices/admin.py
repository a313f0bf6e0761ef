"""Properties, hubs, locks and what happened there, for staff. A PIN's digits are on no page."""

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from devices.models import Device, Event, Hub, Pin, Property, SimulatedLock
from devices.services import check_lock
from portal.admin import KeptAdmin, LookingAdmin
from portal.models import User


@admin.register(Property)
class PropertyAdmin(KeptAdmin):
    list_display = ["name", "workspace", "address", "time_zone"]
    list_select_related = ["workspace"]
    list_filter = ["time_zone"]
    search_fields = ["name", "address"]

    def get_readonly_fields(self, request: HttpRequest, obj: Property | None = None) -> list[str]:
        """A property stays in its workspace, and its zone moves stays: that has a service of its own."""
        return ["workspace", "time_zone"] if obj else []


@admin.register(Hub)
class HubAdmin(LookingAdmin):
    list_display = ["name", "workspace", "provider", "address", "calls_at_once", "down_since"]
    list_select_related = ["workspace"]
    list_filter = ["provider"]
    search_fields = ["name", "address"]
    exclude = ["credentials"]


@admin.register(Device)
class DeviceAdmin(LookingAdmin):
    list_display = ["name", "property", "make", "model", "online", "battery", "trouble", "next_sync_at", "removal"]
    list_select_related = ["property"]
    list_filter = ["online", "removal", "make"]
    search_fields = ["name", "property__name", "lock_ref"]
    actions = ["check_now"]

    @admin.action(description=_("Check the chosen locks now"), permissions=["view"])
    def check_now(self, request: HttpRequest, chosen: QuerySet[Device]) -> None:
        count = 0
        for device in chosen.select_related("property"):
            check_lock(device, actor=request.user if isinstance(request.user, User) else None)
            count += 1
        told = ngettext("%(count)d lock is being checked.", "%(count)d locks are being checked.", count)
        self.message_user(request, told % {"count": count}, messages.SUCCESS)


@admin.register(Pin)
class PinAdmin(LookingAdmin):
    list_display = ["label", "device", "status", "wanted", "slot", "confirmed_at", "trouble", "attempts"]
    list_select_related = ["device"]
    list_filter = ["status", "wanted", "trouble"]
    search_fields = ["label", "device__name"]
    exclude = ["secret", "digest"]


@admin.register(Event)
class EventAdmin(LookingAdmin):
    list_display = ["at", "type", "device", "workspace", "actor"]
    list_select_related = ["device", "workspace", "actor"]
    list_filter = ["type"]
    search_fields = ["device__name"]
    ordering = ["-at"]


@admin.register(SimulatedLock)
class SimulatedLockAdmin(LookingAdmin):
    list_display = ["name", "hub", "make", "model", "fault", "latency_ms", "two_writers"]
    list_select_related = ["hub"]
    list_filter = ["fault"]
    search_fields = ["name", "lock_ref"]
    exclude = ["codes", "pending"]
