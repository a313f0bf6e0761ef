"""Where each page lives. The apps' own paths stand in their urls.py."""

from django.contrib import admin
from django.urls import include, path

from portal import join_views, monitor_views, views

handler500 = "portal.error_views.server_error"

urlpatterns = [
    # What is asked most often stands first: guests' pages, and the polls of those that people leave open.
    path("g/", include("codes.guest_urls")),
    path("", views.home, name="home"),
    path("live/", views.home_live, name="home_live"),
    path("devices/", include("devices.urls")),
    path("codes/", include("codes.urls")),
    path("healthz", monitor_views.healthz, name="healthz"),
    path("readyz", monitor_views.readyz, name="readyz"),
    path("metrics", monitor_views.metrics, name="metrics"),
    path("favicon.ico", views.favicon, name="favicon"),
    path("accounts/", include("allauth.urls")),
    path("admin/look/", include("devices.look_urls")),
    path("admin/", admin.site.urls),
    path("settings/", include("portal.settings_urls")),
    path("join/<str:token>/", join_views.join, name="join"),
    path("properties/", include("devices.property_urls")),
    path("properties/", include("codes.property_urls")),
    path("backups/", include("backups.urls")),
    path("activity/", include("devices.activity_urls")),
    path("search/", include("codes.search_urls")),
]
