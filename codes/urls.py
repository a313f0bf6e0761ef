"""Where the pages about access codes live."""

from django.urls import URLPattern, URLResolver, path

from codes import add_views, edit_views, list_views, taken_on_views, views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", list_views.code_list, name="code_list"),
    path("live/", list_views.code_list_live, name="code_list_live"),
    path("export.csv", list_views.code_list_export, name="code_list_export"),
    path("new/", add_views.code_new, name="code_new"),
    path("new/<uuid:device_id>/", add_views.code_add, name="code_add"),
    path("<uuid:pk>/", views.code, name="code"),
    path("<uuid:pk>/live/", views.code_live, name="code_live"),
    path("<uuid:pk>/reveal/", views.code_reveal, name="code_reveal"),
    path("<uuid:pk>/edit/", edit_views.code_edit, name="code_edit"),
    path("<uuid:pk>/pin/", edit_views.code_pin, name="code_pin"),
    path("<uuid:pk>/retry/", edit_views.code_retry, name="code_retry"),
    path("<uuid:pk>/link/", edit_views.code_link, name="code_link"),
    path("<uuid:pk>/backup/", views.code_backup, name="code_backup"),
    path("<uuid:pk>/settled/", views.code_settled, name="code_settled"),
    path("<uuid:pk>/on-it/", taken_on_views.code_on_it, name="code_on_it"),
    path("locks/<uuid:device_id>/<str:about>/on-it/", taken_on_views.device_on_it, name="device_on_it"),
    path("<uuid:pk>/cancel/", views.code_cancel, name="code_cancel"),
]
