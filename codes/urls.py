"""Where the pages about access codes live."""

from django.urls import URLPattern, URLResolver, path

from codes import views

urlpatterns: list[URLPattern | URLResolver] = [
    path("new/<uuid:device_id>/", views.code_add, name="code_add"),
    path("<uuid:pk>/", views.code, name="code"),
    path("<uuid:pk>/live/", views.code_live, name="code_live"),
    path("<uuid:pk>/reveal/", views.code_reveal, name="code_reveal"),
    path("<uuid:pk>/backup/", views.code_backup, name="code_backup"),
    path("<uuid:pk>/cancel/", views.code_cancel, name="code_cancel"),
]
