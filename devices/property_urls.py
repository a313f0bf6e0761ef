"""Where the pages about properties live."""

from django.urls import path

from devices import property_views

urlpatterns = [
    path("", property_views.property_list, name="property_list"),
    path("add/", property_views.property_add, name="property_add"),
    path("<uuid:pk>/", property_views.property_edit, name="property_edit"),
]
