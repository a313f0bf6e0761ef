"""What a group's module is told. Also runs one group in its own process: `python -m tests.bench.run NAME [--quick]`."""

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

import django

from tests.bench.figure import Figure
from tests.bench.groups import GROUPS


@dataclass(frozen=True, slots=True)
class Run:
    """`quick`: smaller sizes, where the ratio still says something."""

    quick: bool

    def choose[T](self, whole: T, quick: T) -> T:
        return quick if self.quick else whole


class Module(Protocol):
    def figures(self, run: Run) -> Iterator[Figure]: ...


def main() -> None:
    name, *flags = sys.argv[1:]
    django.setup()
    group = next(group for group in GROUPS if group.name == name)
    module = cast(Module, import_module(group.module))
    for figure in module.figures(Run(quick="--quick" in flags)):
        print(json.dumps(figure.to_json()), flush=True)  # noqa: T201  how the parent gets it


if __name__ == "__main__":
    main()
