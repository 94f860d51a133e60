"""Addresses of the tenants pages."""

from django.urls import include, path

from tenants.views import (
    access_keys,
    account,
    api_keys,
    audit_log,
    home,
    joining,
    members,
    organizations,
)

app_name = "tenants"

organization = [
    path("members/", members.Members.as_view(), name="members"),
    path("members/invite/", members.Invite.as_view(), name="invitation_create"),
    path(
        "members/invitations/<bigid:pk>/revoke/",
        members.RevokeInvitation.as_view(),
        name="invitation_revoke",
    ),
    path("members/<bigid:pk>/role/", members.ChangeRole.as_view(), name="member_role"),
    path("members/<bigid:pk>/remove/", members.Remove.as_view(), name="member_remove"),
    path("members/<bigid:pk>/leave/", members.Leave.as_view(), name="member_leave"),
    path("api-keys/", api_keys.ApiKeys.as_view(), name="api_keys"),
    path("api-keys/new/", api_keys.Create.as_view(), name="api_key_create"),
    path("api-keys/made/", api_keys.Made.as_view(), name="api_key_made"),
    path("api-keys/<bigid:pk>/revoke/", api_keys.Revoke.as_view(), name="api_key_revoke"),
    path("access-keys/new/", access_keys.Create.as_view(), name="access_key_create"),
    path("access-keys/made/", access_keys.Made.as_view(), name="access_key_made"),
    path("access-keys/<bigid:pk>/revoke/", access_keys.Revoke.as_view(), name="access_key_revoke"),
    path("audit-log/", audit_log.AuditLog.as_view(), name="audit_log"),
    path("settings/", organizations.Settings.as_view(), name="settings"),
]

urlpatterns = [
    path("", home.Home.as_view(), name="home"),
    path("organizations/new/", organizations.Create.as_view(), name="organization_create"),
    path("join/", joining.Join.as_view(), name="join"),
    path("join/<str:token>", joining.FollowLink.as_view(), name="invitation_accept"),
    path("account/", account.Account.as_view(), name="account"),
    path("o/<slug:organization>/", include(organization)),
]
