#!/usr/bin/env python
"""Django's command line. The demo's own commands turn DEBUG on by themselves: they run on a fresh machine."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "portal.settings")
    if sys.argv[1:2] in (["demo"], ["simulate_lock"]):
        os.environ.setdefault("DEBUG", "true")
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
