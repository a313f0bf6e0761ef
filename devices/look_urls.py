"""Where staff begin and end a look at a workspace's portal."""

from django.urls import path

from devices import look_views

urlpatterns = [
    path("end/", look_views.look_end, name="look_end"),
    path("<uuid:pk>/", look_views.look_begin, name="look_begin"),
]
