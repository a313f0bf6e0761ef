"""Where the search lives."""

from django.urls import URLPattern, URLResolver, path

from codes import search_views

urlpatterns: list[URLPattern | URLResolver] = [path("", search_views.search, name="search")]
