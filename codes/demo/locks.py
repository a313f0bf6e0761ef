"""The demo's places and locks, as data: makes that differ in how codes are addressed, ruled, kept and read back."""

from dataclasses import dataclass, replace

from devices.models import SimulatedLock
from devices.providers.base import Addressing, Capabilities, PinRules, ReadBack

OFFLINE = SimulatedLock.Fault.UNREACHABLE

# A lock with Wi-Fi: its maker's system lists all codes, and the lock keeps their schedules.
WIFI = Capabilities(
    slots=30,
    pins=PinRules(lengths=(4, 5, 6, 7, 8), one_length=True),
    label_length=30,
    native_schedules=True,
    listable=True,
    max_late=20,
    backup_pool=True,
)
# A lock on a gateway: numbered places, no labels, no schedules.
RADIO = Capabilities(slots=30, pins=PinRules(lengths=(4, 5, 6)), max_late=20, backup_pool=True)
BY_ID = replace(WIFI, addressing=Addressing.CODE_ID, slots=None, pins=PinRules(lengths=(4, 5, 6)))


@dataclass(frozen=True)
class Place:
    name: str
    address: str
    time_zone: str
    guest_phone: str
    if_nothing_works: str


@dataclass(frozen=True)
class Lock:
    name: str
    make: str
    model: str
    caps: Capabilities
    latency_ms: int
    battery: int
    fault: str = ""

    @property
    def ref(self) -> str:
        return f"{self.make} {self.name}".lower().replace(" ", "-")


COTTAGE = Place(
    "Lakeview Cottage",
    "4 Mere Lane, London",
    "Europe/London",
    "+44 20 7946 0018",
    "Key safe left of the garage, ask Priya for its number.",
)
TERRACE = Place(
    "Alfama Terrace",
    "Rua dos Remédios 57, Lisboa",
    "Europe/Lisbon",
    "+351 21 000 0142",
    "Dona Rosa on the ground floor has a key.",
)
LOFT = Place(
    "Hudson Loft", "212 Greene Street, New York", "America/New_York", "+1 212 555 0144", "The doorman lets guests up."
)
HARBOUR = Place(
    "Harbour Rooms", "7 Quay Street, Sydney", "Australia/Sydney", "+61 2 5550 0168", "Reception is open until 22:00."
)

FRONT_DOOR = Lock("Front door", "Schlage", "Encode", WIFI, 350, 84)
BACK_DOOR = Lock("Back door", "Yale", "Assure Lock 2", RADIO, 250, 71)
GARDEN_GATE = Lock(
    "Garden gate",
    "Kwikset",
    "SmartCode 914",
    replace(RADIO, pins=PinRules(lengths=(4, 5, 6), paired_buttons=True)),
    300,
    9,
)
MAIN_ENTRANCE = Lock("Main entrance", "August", "Wi-Fi Smart Lock", replace(BY_ID, label_length=40), 150, 66)
APARTMENT_1 = Lock(
    "Apartment 1",
    "Nuki",
    "Smart Lock 4 Pro",
    replace(
        BY_ID,
        slots=200,
        pins=PinRules(lengths=(6,), forbidden_digits="0", forbidden_starts=("12",)),
        label_length=20,
    ),
    300,
    90,
)
APARTMENT_2 = Lock("Apartment 2", "Yale", "Linus 2", WIFI, 300, 58, OFFLINE)
STOREROOM = Lock(
    "Storeroom",
    "igloohome",
    "Padlock 2",
    replace(BY_ID, read_back=ReadBack.NONE, listable=False, backup_pool=False),
    400,
    47,
)
STREET_DOOR = Lock("Street door", "Lockly", "Secure Pro", replace(WIFI, slots=50, read_back=ReadBack.MASKED), 250, 77)
LOFT_4A = Lock("Loft 4A", "Brinks", "Array", replace(RADIO, slots=5), 200, 62)
LOFT_4B = Lock("Loft 4B", "TTLock", "Smart Lever", replace(BY_ID, slots=100), 300, 95)
ROOM_7 = Lock("Room 7", "Schlage", "Connect", RADIO, 200, 80)

LAKEVIEW = {
    COTTAGE: [FRONT_DOOR, BACK_DOOR, GARDEN_GATE],
    TERRACE: [MAIN_ENTRANCE, APARTMENT_1, APARTMENT_2, STOREROOM],
    LOFT: [STREET_DOOR, LOFT_4A, LOFT_4B],
}
OTHER = {HARBOUR: [ROOM_7]}
