""" "I'm on it", for what home, a code's page and a lock's page warn of. A pool's is among the pages about pools."""

from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from codes.models import AccessCode, TakenOn
from codes.taken_on import take_on_guest, take_on_lock
from devices.models import Device
from portal.access import MemberRequest, may_reveal

LOCKS = (TakenOn.About.OFFLINE, TakenOn.About.OVERDUE)


@require_POST
@may_reveal
def code_on_it(request: MemberRequest, pk: UUID) -> HttpResponse:
    mine = AccessCode.objects.of(request.membership.workspace).select_related("device__property")
    code = get_object_or_404(mine, pk=pk)
    take_on_guest(code, actor=request.user)
    return _back(request, "code", code.pk)


@require_POST
@may_reveal
def device_on_it(request: MemberRequest, device_id: UUID, about: str) -> HttpResponse:
    """`about`: `offline` or `overdue`."""
    mine = Device.objects.of(request.membership.workspace).select_related("property", "hub")
    device = get_object_or_404(mine, pk=device_id)
    if about not in LOCKS:
        raise Http404
    take_on_lock(device, TakenOn.About(about), actor=request.user)
    return _back(request, "device", device.pk)


def _back(request: MemberRequest, page: str, pk: UUID) -> HttpResponse:
    messages.success(request, _("You are on it. The warning is quiet until something new happens."))
    return redirect("home") if request.POST.get("back") == "home" else redirect(page, pk)
