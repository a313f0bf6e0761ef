"""Rows that are valid and belong together. A device comes with the simulated lock behind it."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from backups.models import BackupCode, BackupPool
from codes.models import AccessCode, CodePin
from devices.models import Device, Hub, Pin, Property, SimulatedLock
from devices.pin_rules import weak
from devices.providers.base import Addressing, Capabilities, PinRules, ReadBack
from portal.models import Membership, User, Workspace
from portal.secret import Secret, digest

MODERN = Capabilities(
    addressing=Addressing.SLOT,
    slots=30,
    pins=PinRules(lengths=(4, 5, 6)),
    label_length=30,
    native_schedules=True,
    read_back=ReadBack.FULL,
    listable=True,
    max_late=20,
    backup_pool=True,
)
PLAIN = replace(MODERN, native_schedules=False, listable=False, label_length=0)  # a Z-Wave lock: slots, no schedules
TINY = replace(PLAIN, slots=5)
CLOUD = replace(MODERN, addressing=Addressing.CODE_ID, slots=None)
UNREADABLE = replace(PLAIN, read_back=ReadBack.NONE, backup_pool=False)


class UserFactory(DjangoModelFactory[User]):
    class Meta:
        model = User
        skip_postgeneration_save = True

    name = factory.Sequence(lambda n: f"Person {n}")
    email = factory.LazyAttributeSequence(lambda o, n: f"{o.name.lower().replace(' ', '.')}{n}@example.org")
    password = factory.django.Password("correct horse")


class WorkspaceFactory(DjangoModelFactory[Workspace]):
    class Meta:
        model = Workspace

    name = factory.Sequence(lambda n: f"Workspace {n}")


class MembershipFactory(DjangoModelFactory[Membership]):
    class Meta:
        model = Membership

    user = factory.SubFactory(UserFactory)
    workspace = factory.SubFactory(WorkspaceFactory)
    role = Membership.Role.OWNER


class PropertyFactory(DjangoModelFactory[Property]):
    class Meta:
        model = Property

    workspace = factory.SubFactory(WorkspaceFactory)
    name = factory.Sequence(lambda n: f"Property {n}")
    address = "1 Lake Road"
    time_zone = "Europe/Lisbon"


class HubFactory(DjangoModelFactory[Hub]):
    class Meta:
        model = Hub

    workspace = factory.SubFactory(WorkspaceFactory)
    provider = Hub.Provider.SIMULATOR
    name = "Simulated locks"
    address = factory.Sequence(lambda n: f"simulator-{n}")


class DeviceFactory(DjangoModelFactory[Device]):
    """`caps=` takes Capabilities (MODERN by default)."""

    class Meta:
        model = Device
        exclude = ["caps"]
        skip_postgeneration_save = True

    caps = MODERN
    property = factory.SubFactory(PropertyFactory)
    hub = factory.SubFactory(HubFactory, workspace=factory.SelfAttribute("..property.workspace"))
    lock_ref = factory.Sequence(lambda n: f"lock-{n}")
    name = factory.Sequence(lambda n: f"Door {n}")
    make = "Schlage"
    model = "Encode"
    capabilities = factory.LazyAttribute(lambda o: o.caps.to_json())
    online = Device.Online.YES
    online_since = factory.LazyFunction(timezone.now)
    battery = 80
    read_wanted = False
    read_at = factory.LazyFunction(timezone.now)

    @factory.post_generation
    def truth(self: Device, create: bool, extracted: Any, **fields: Any) -> None:
        if create and self.hub.provider == Hub.Provider.SIMULATOR:
            SimulatedLock.objects.create(
                hub=self.hub,
                lock_ref=self.lock_ref,
                name=self.name,
                make=self.make,
                model=self.model,
                capabilities=self.capabilities,
                battery=self.battery,
                **fields,
            )


GOOD_PINS = [pin for n in range(1000) if not weak(pin := f"3{7919 * n % 1000:03}")]  # tests write none with a 3 first


class PinFactory(DjangoModelFactory[Pin]):
    """`digits=` gives the PIN in clear."""

    class Meta:
        model = Pin
        exclude = ["digits"]

    digits = factory.Sequence(lambda n: GOOD_PINS[n % len(GOOD_PINS)])
    device = factory.SubFactory(DeviceFactory)
    secret = factory.LazyAttribute(lambda o: Secret(o.digits))
    digest = factory.LazyAttribute(lambda o: digest(str(o.device.pk), o.digits))
    label = factory.Sequence(lambda n: f"Guest {n:04X}")


class BackupPoolFactory(DjangoModelFactory[BackupPool]):
    class Meta:
        model = BackupPool

    device = factory.SubFactory(DeviceFactory)
    activated_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=30))
    filled_at = factory.LazyFunction(lambda: timezone.now() - timedelta(days=30))


class BackupCodeFactory(DjangoModelFactory[BackupCode]):
    """A ready spare; `pin__status=` and friends make it something else."""

    class Meta:
        model = BackupCode

    pool = factory.SubFactory(BackupPoolFactory)
    code_id = factory.Sequence(lambda n: f"{(n * 40503 + 0x7F3A) % 65536:04X}")
    position = factory.Sequence(lambda n: n % 5 + 1)
    pin = factory.SubFactory(
        PinFactory,
        device=factory.SelfAttribute("..pool.device"),
        label=factory.LazyAttributeSequence(lambda o, n: f"Backup {n:04X} (Seam)"),
        priority=Pin.Priority.SPARE,
        status=Pin.Status.SET,
        slot=factory.Sequence(lambda n: 100 + n),
        confirmed_at=factory.LazyFunction(timezone.now),
    )


class AccessCodeFactory(DjangoModelFactory[AccessCode]):
    """A guest's stay that begins in two hours and lasts two days, without a PIN: see CodePinFactory."""

    class Meta:
        model = AccessCode

    device = factory.SubFactory(DeviceFactory)
    name = factory.Sequence(lambda n: f"Guest {n}")
    kind = AccessCode.Kind.TIME_BOUND
    starts_at = factory.LazyFunction(lambda: timezone.now() + timedelta(hours=2))
    ends_at = factory.LazyAttribute(lambda o: o.starts_at and o.starts_at + timedelta(days=2))
    changed_at = factory.LazyFunction(timezone.now)

    class Params:
        ongoing = factory.Trait(kind=AccessCode.Kind.ONGOING, starts_at=None, ends_at=None)


class CodePinFactory(DjangoModelFactory[CodePin]):
    class Meta:
        model = CodePin

    code = factory.SubFactory(AccessCodeFactory)
    pin = factory.SubFactory(
        PinFactory,
        device=factory.SelfAttribute("..code.device"),
        wanted_from=factory.SelfAttribute("..code.starts_at"),
        wanted_until=factory.SelfAttribute("..code.ends_at"),
    )
    role = CodePin.Role.OWN
    given_at = factory.LazyFunction(timezone.now)
