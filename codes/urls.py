"""Where the pages about access codes live."""

from django.urls import URLPattern, URLResolver, path

from codes import add_views, edit_views, list_views, views

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
    path("<uuid:pk>/cancel/", views.code_cancel, name="code_cancel"),
]
