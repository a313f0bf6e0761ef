"""What warnings by e-mail say: subjects, paragraphs, links. Plain text, times in the property's zone, never a PIN."""

from collections.abc import Sequence
from datetime import datetime
from html import unescape

from django.db.models import Q
from django.urls import reverse
from django.utils.formats import date_format
from django.utils.html import strip_tags
from django.utils.text import get_text_list
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from codes.models import AccessCode, CodePin, Notice
from codes.notice_findings import Finding
from devices import listing
from devices.models import Device, Pin
from portal.clock import now, wall_clock
from portal.models import MailKind, Workspace
from portal.people_mail import link_to

K = MailKind


def subject_of(finding: Finding) -> str:
    """The subject of a mail about this cause alone."""
    guest = finding.code.name if finding.code else ""
    told = {"guest": guest, "door": _door(finding.device), "when": _check_in(finding), "count": finding.count}
    subjects = {
        K.UNCOVERED: _("Act now: no working code for %(guest)s, %(door)s, %(when)s"),
        K.REPORTED: _("Act now: %(guest)s says that the PIN does not work, %(door)s"),
        K.PIN_CHANGED: _("PIN changed after %(guest)s saw it: %(door)s"),
        K.EXHAUSTED: _("Backup pool exhausted: %(door)s"),
        K.OFFLINE: _("Lock offline, guest arrives %(when)s: %(door)s"),
        K.OVERDUE: _("Removal overdue, old code may still open: %(door)s"),
        K.SEVERAL: _("%(count)d backup codes pulled in 7 days: %(door)s"),
    }
    return subjects[finding.kind] % told


def subject_for(notices: Sequence[Notice]) -> str:
    """One mail's subject: the gravest cause, and how many more like it."""
    first, *others = notices
    more = sum(one.kind == first.kind for one in others)
    if not more:
        return first.subject
    if first.kind == K.UNCOVERED:
        told = ngettext("and %(more)d more guest", "and %(more)d more guests", more)
    else:
        told = ngettext("and %(more)d more lock", "and %(more)d more locks", more)
    return f"{first.subject} ({told % {'more': more}})"


def resolved_subject(notices: Sequence[Notice]) -> str:
    urgent = _("Act now: ")
    return _("Resolved: %(subject)s") % {"subject": subject_for(notices).removeprefix(urgent)}


def body_of(told: Sequence[tuple[Notice, Finding]]) -> str:
    """One mail about these causes, the gravest first; the likely cause of one lock's trouble once."""
    parts, causes = [], set()
    for _notice, finding in told:
        lines = [_what(finding)]
        cause = _cause(finding)
        if cause and (finding.device.pk, cause) not in causes:
            causes.add((finding.device.pk, cause))
            lines.append(_("Likely cause: %(cause)s.") % {"cause": cause})
        lines.append(_to_do(finding))
        parts.append("\n".join([*filter(None, lines), _link(finding.device, finding.code, finding.kind)]))
    return "\n\n".join([*parts, _foot(told[0][0].workspace)])


def resolved_body(notices: Sequence[Notice]) -> str:
    parts = ["\n".join([_how_it_ended(one), _link(one.device, one.code, K(one.kind))]) for one in notices]
    return "\n\n".join([*parts, _foot(notices[0].workspace)])


def _what(finding: Finding) -> str:
    device, code = finding.device, finding.code
    told = {
        "guest": code.name if code else "",
        "door": _at(device),
        "when": _moment(code.starts_at, device) if code and code.starts_at else "",
        "since": _moment(finding.since, device) if finding.since else _("a while ago"),
        "count": finding.count,
    }
    sentences = {
        K.UNCOVERED: _("%(guest)s has no working code for %(door)s, and no backup code is ready. Check-in: %(when)s."),
        K.REPORTED: _("%(guest)s said at %(since)s that the PIN for %(door)s does not work. %(given)s"),
        K.PIN_CHANGED: _(
            "%(guest)s’s PIN for %(door)s changed at %(since)s, after somebody had seen the earlier one. "
            "The guest’s link shows the new one."
        ),
        K.EXHAUSTED: _(
            "No backup codes are ready on %(door)s, since %(since)s. Codes already set still work. "
            "If another guest code fails, no backup is available until the pool refills."
        ),
        K.OFFLINE: _("%(door)s cannot be reached, since %(since)s. %(guest)s arrives %(when)s: %(state)s."),
        K.OVERDUE: _(
            "%(guest)s’s code should have left %(door)s at %(since)s. "
            "The lock has not confirmed it: the code may still open the door."
        ),
        K.SEVERAL: _(
            "%(count)d backup codes were pulled on %(door)s in the last 7 days. "
            "We have had trouble programming codes onto this lock. %(covered)s"
        ),
    }
    if finding.kind == K.REPORTED:
        told["given"] = _given_instead(code)
    if finding.kind == K.OFFLINE:
        told["state"] = _state(code)
    if finding.kind == K.SEVERAL:
        told["covered"] = _covered(device)
    return (sentences[finding.kind] % told).strip()


def _to_do(finding: Finding) -> str:
    return {
        K.UNCOVERED: _(
            "Check that the lock is online and connected. If it does not come back in time, let the guest in another "
            "way: “If nothing works” on the page below says how."
        ),
        K.REPORTED: _("Call the guest. When the door is open, press “The guest is in” on the page below."),
        K.PIN_CHANGED: _("Ask the guest to open the link again, or show the new PIN on the page below."),
        K.EXHAUSTED: _("Check that the lock is online and connected, or contact support from the page below."),
        K.OFFLINE: _("Check the lock’s power and network."),
        K.OVERDUE: _("Check that the lock is online, or remove the code in the lock’s own app."),
        K.SEVERAL: _("Check that the lock is online and connected. If this continues, contact support."),
    }[finding.kind]


def _how_it_ended(notice: Notice) -> str:
    device, code = notice.device, notice.code
    told = {"guest": code.name if code else "", "door": _at(device)}
    if notice.kind == K.UNCOVERED and code and code.ended_at is not None:
        return _("%(guest)s’s stay at %(door)s is over or cancelled.") % told
    sentences = {
        K.UNCOVERED: _("%(guest)s has a working code for %(door)s now."),
        K.REPORTED: _("%(guest)s is in at %(door)s, as your team said, or the stay is over."),
        K.PIN_CHANGED: _("%(guest)s’s new PIN for %(door)s has been seen, or the stay is over."),
        K.EXHAUSTED: _("Backup codes are ready again on %(door)s."),
        K.OFFLINE: _("%(door)s is online again."),
        K.OVERDUE: _("No old code is left on %(door)s."),
        K.SEVERAL: _("Fewer than two backup codes were pulled on %(door)s in the last 7 days."),
    }
    if device.removal != Device.Removal.KEPT:
        return _("%(door)s is out of the portal.") % told
    return sentences[K(notice.kind)] % told


def _cause(finding: Finding) -> str:
    if finding.kind in (K.PIN_CHANGED, K.OFFLINE):
        return ""
    used = Pin.objects.filter(device=finding.device).maybe_on_lock().count()
    return unescape(strip_tags(str(listing.likely_cause(finding.device, used))))


def _state(code: AccessCode | None) -> str:
    given = CodePin.objects.filter(code=code, ended_at=None).select_related("pin")
    on_lock = any(one.pin.confirmed or (one.role == CodePin.Role.BACKUP and one.pin.maybe_on_lock) for one in given)
    return _("the code is on the lock and works without a connection") if on_lock else _("not on lock yet")


def _given_instead(code: AccessCode | None) -> str:
    held = CodePin.objects.filter(code=code, role=CodePin.Role.BACKUP, ended_at=None)
    if held.exists():
        return _("Another PIN was given at once, on the guest’s own page.")
    return _("No other PIN could be given.")


def _covered(device: Device) -> str:
    held = Q(role=CodePin.Role.BACKUP, ended_at=None, code__ended_at=None)
    names = sorted(set(CodePin.objects.filter(held, code__device=device).values_list("code__name", flat=True)))
    if not names:
        return ""
    told = {"people": get_text_list(names, _("and"))}
    return ngettext("%(people)s is covered.", "%(people)s are covered.", len(names)) % told


def _link(device: Device, code: AccessCode | None, kind: MailKind) -> str:
    if code and kind in (K.UNCOVERED, K.REPORTED, K.PIN_CHANGED):
        return link_to(reverse("code", args=[code.pk]))
    return link_to(reverse("device", args=[device.pk]))


def _foot(workspace: Workspace) -> str:
    told = {
        "workspace": workspace,
        "settings": link_to(reverse("settings")),
        "account": link_to(f"{reverse('account')}#mails"),
    }
    return (
        "-- \n" + _("Warnings of %(workspace)s. Which of them you get: %(account)s\nWho gets them: %(settings)s") % told
    )


def _door(device: Device) -> str:
    """`Lakeview Cottage Front door`, as subjects have it."""
    return f"{device.property} {device}"


def _at(device: Device) -> str:
    return _("%(door)s, %(place)s") % {"door": device, "place": device.property}


def _check_in(finding: Finding) -> str:
    """`15:00 WET`, `tomorrow 15:00`, `Sat 28 Nov 15:00 WET`; `staying now` for whom it is too late to arrive."""
    code = finding.code
    if code is None or code.starts_at is None:
        return ""
    if code.starts_at <= now():
        return _("staying now")
    local, today = wall_clock(code.starts_at, _zone(finding)), wall_clock(now(), _zone(finding))
    days = (local.date() - today.date()).days
    hour = date_format(local, "H:i")
    if finding.kind == K.OFFLINE:
        return _("today %(hour)s") % {"hour": hour} if not days else _("tomorrow %(hour)s") % {"hour": hour}
    name = _zone_name(local)
    if not days:
        return f"{hour} {name}"
    return f"{_('tomorrow')} {hour} {name}" if days == 1 else f"{date_format(local, 'D j M H:i')} {name}"


def _zone(finding: Finding) -> str:
    return finding.device.property.time_zone


def _zone_name(local: datetime) -> str:
    """`WET`; zones without letters by their distance: `UTC+03`."""
    name = local.tzname() or "UTC"
    return f"UTC{name}" if name[0] in "+-" else name


def _moment(instant: datetime, device: Device) -> str:
    local = wall_clock(instant, device.property.time_zone)
    return f"{date_format(local, 'D j M H:i')} {_zone_name(local)}"
