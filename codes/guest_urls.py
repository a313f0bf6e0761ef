"""Where a guest's own page lives."""

from django.urls import path

from codes.guest_views import guest_not_working, guest_page

urlpatterns = [
    path("<str:token>/", guest_page, name="guest_page"),
    path("<str:token>/not-working/", guest_not_working, name="guest_not_working"),
]
