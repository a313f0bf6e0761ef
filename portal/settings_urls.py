"""Where the pages about a workspace, its people and one's own account live."""

from django.urls import URLPattern, URLResolver, path

from portal import people_views, settings_views

urlpatterns: list[URLPattern | URLResolver] = [
    path("", settings_views.settings, name="settings"),
    path("people/", people_views.people_list, name="people"),
    path("people/invite/", people_views.person_invite, name="person_invite"),
    path("people/invitations/<uuid:pk>/resend/", people_views.invitation_resend, name="invitation_resend"),
    path("people/invitations/<uuid:pk>/revoke/", people_views.invitation_revoke, name="invitation_revoke"),
    path("people/<uuid:public_id>/role/", people_views.person_role, name="person_role"),
    path("people/<uuid:public_id>/remove/", people_views.person_remove, name="person_remove"),
    path("account/", people_views.account, name="account"),
    path("account/mails/", people_views.account_mails, name="account_mails"),
    path("workspace/", people_views.workspace_switch, name="workspace_switch"),
]
