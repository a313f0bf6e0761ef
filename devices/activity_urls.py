"""Where the activity page lives."""

from django.urls import URLPattern, URLResolver, path

from devices import activity_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", activity_views.activity, name="activity"),
    path("export.csv", activity_views.activity_export, name="activity_export"),
]
