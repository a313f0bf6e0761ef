"""The page behind the search in the header."""

from django.http import HttpResponse
from django.shortcuts import render
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from codes.search import search as find
from portal.access import MemberRequest, member


@require_safe
@never_cache
@member
def search(request: MemberRequest) -> HttpResponse:
    text = request.GET.get("q", "").strip()[:100]
    context = {"found": find(request.membership.workspace, text), "sought": text, "section": "search"}
    return render(request, "codes/search.html#results" if request.htmx else "codes/search.html", context)
