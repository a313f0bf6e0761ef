"""Pages about pools: all warnings, and taking one on."""

from uuid import UUID

from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_POST, require_safe

from backups import services
from backups.models import BackupPool
from backups.status import pools_of, warned, with_guests
from backups.warnings import by_cause
from devices.models import Device
from portal.access import MemberRequest, may_reveal, member


@require_safe
@member
def warnings(request: MemberRequest) -> HttpResponse:
    pools = warned(request.membership.workspace).select_related("device__property", "device__hub", "acknowledged_by")
    devices = [pool.device for pool in pools]
    statuses = with_guests(pools_of(devices))
    causes = by_cause([(device, statuses[device.pk]) for device in devices])
    return render(request, "backups/warnings.html", {"causes": causes, "section": "warnings"})


@require_POST
@may_reveal
def acknowledge(request: MemberRequest, device_id: UUID) -> HttpResponse:
    """ "I'm on it" """
    mine = Device.objects.of(request.membership.workspace)
    pool = get_object_or_404(BackupPool, device__in=mine, device=device_id)
    services.acknowledge(pool, actor=request.user)
    return redirect("warnings") if request.POST.get("back") == "warnings" else redirect("device", device_id)
