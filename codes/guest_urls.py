"""Where a guest's own page lives."""

from django.urls import path

from codes.guest_views import guest_page

urlpatterns = [path("<str:token>/", guest_page, name="guest_page")]
