"""Where the pages about locks and hubs live."""

from django.urls import URLPattern, URLResolver, path

from devices import hub_views, removal_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("<uuid:pk>/", views.device, name="device"),
    path("<uuid:pk>/live/", views.device_live, name="device_live"),
    path("", views.device_list, name="device_list"),
    path("live/", views.device_list_live, name="device_list_live"),
    path("add/", hub_views.hub_add, name="hub_add"),
    path("hubs/", hub_views.hub_list, name="hub_list"),
    path("hubs/<uuid:pk>/", hub_views.hub, name="hub"),
    path("hubs/<uuid:pk>/live/", hub_views.hub_live, name="hub_live"),
    path("hubs/<uuid:pk>/edit/", hub_views.hub_edit, name="hub_edit"),
    path("hubs/<uuid:pk>/search/", hub_views.hub_search, name="hub_search"),
    path("hubs/<uuid:pk>/remove/", hub_views.hub_remove, name="hub_remove"),
    path("<uuid:pk>/check/", views.device_check, name="device_check"),
    path("<uuid:pk>/edit/", views.device_edit, name="device_edit"),
    path("<uuid:pk>/remove/", removal_views.device_remove, name="device_remove"),
    path("<uuid:pk>/remove/force/", removal_views.device_mark_removed, name="device_mark_removed"),
    path("<uuid:pk>/removed/", removal_views.device_removed, name="device_removed"),
    path("<uuid:pk>/restore/", removal_views.device_restore, name="device_restore"),
]
