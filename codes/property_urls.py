"""Where a property's zone is changed: it moves stays."""

from django.urls import path

from codes.zone_views import property_zone

urlpatterns = [path("<uuid:pk>/zone/", property_zone, name="property_zone")]
