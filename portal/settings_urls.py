"""Where the pages about a workspace and its people live."""

from django.urls import URLPattern, URLResolver, path

from portal import settings_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", settings_views.settings, name="settings"),
]
