"""Where the pages about pools live."""

from django.urls import URLPattern, URLResolver, path

from backups import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("warnings/", views.warnings, name="warnings"),
    path("<uuid:device_id>/acknowledge/", views.acknowledge, name="pool_acknowledge"),
]
