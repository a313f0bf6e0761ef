"""A PIN that a lock would take, for a form to offer."""

from codes.services import suggest_pin
from devices.models import Device
from devices.pin_rules import NoPinLeft


def suggested(device: Device) -> str:
    """Digits in clear, for the person who asked; "" when all that keep the lock's rules are taken."""
    try:
        return suggest_pin(device).reveal()
    except NoPinLeft:
        return ""
