"""The ground floor. Django's generic classes take their types at run time from here on, before any is used."""

import django_stubs_ext

django_stubs_ext.monkeypatch()
