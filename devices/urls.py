"""Where the pages about locks live."""

from django.urls import URLPattern, URLResolver, path

from devices import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", views.device_list, name="device_list"),
    path("live/", views.device_list_live, name="device_list_live"),
    path("add/", views.hub_add, name="hub_add"),
    path("<uuid:pk>/", views.device, name="device"),
    path("<uuid:pk>/live/", views.device_live, name="device_live"),
    path("<uuid:pk>/check/", views.device_check, name="device_check"),
    path("<uuid:pk>/remove/", views.device_remove, name="device_remove"),
]
