from __future__ import annotations

from allauth.headless.account.views import LoginView, SessionView
from allauth.headless.constants import Client
from allauth.headless.mfa.views import AuthenticateView
from allauth.headless.tokens.views import RefreshTokenView
from django.urls import path

from accounts import entrance
from accounts.views import alerts, data, keys, people

# Of allauth's API for programs, under its own addresses, only what it takes to sign in for a person and out again.
TOKENS = "_allauth/app/v1/"

urlpatterns = [
    path(f"{TOKENS}auth/login", LoginView.as_api_view(client=Client.APP), name="token_login"),
    path(f"{TOKENS}auth/2fa/authenticate", AuthenticateView.as_api_view(client=Client.APP), name="token_factor"),
    path(f"{TOKENS}auth/session", SessionView.as_api_view(client=Client.APP), name="token_session"),
    path(f"{TOKENS}tokens/refresh", RefreshTokenView.as_api_view(client=Client.APP), name="token_refresh"),
    path("accounts/sign-up/<str:token>/", entrance.sign_up_confirmed, name="account_signup_confirmed"),
    path("accounts/sessions/<int:pk>/end/", entrance.end_session, name="usersessions_end"),
    path("impersonation/stop/", entrance.stop_impersonation, name="impersonation_stop"),
    path("w/<slug:slug>/api-keys/", keys.api_keys, name="api_keys"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/limits/", keys.api_key_limits, name="api_key_limits"),
    path("w/<slug:slug>/api-keys/<uuid:pk>/rotate/", keys.api_key_rotate, name="api_key_rotate"),
    path(
        "w/<slug:slug>/api-keys/<uuid:pk>/end-previous/",
        keys.api_key_end_previous,
        name="api_key_end_previous",
    ),
    path("w/<slug:slug>/api-keys/<uuid:pk>/revoke/", keys.api_key_revoke, name="api_key_revoke"),
    path("w/<slug:slug>/people/", people.people, name="people"),
    path("w/<slug:slug>/people/invite/", people.invite, name="people_invite"),
    path("w/<slug:slug>/people/leave/", people.people_leave, name="people_leave"),
    path("w/<slug:slug>/people/<uuid:pk>/role/", people.member_role, name="member_role"),
    path("w/<slug:slug>/people/<uuid:pk>/remove/", people.member_remove, name="member_remove"),
    path("w/<slug:slug>/people/<uuid:pk>/own/", people.member_own, name="member_own"),
    path("w/<slug:slug>/invitations/<uuid:pk>/resend/", people.invitation_resend, name="invitation_resend"),
    path("w/<slug:slug>/invitations/<uuid:pk>/revoke/", people.invitation_revoke, name="invitation_revoke"),
    path("workspaces/new/", people.workspace_new, name="workspace_new"),
    path("invitations/<str:token>/", people.invitation, name="invitation"),
    path("w/<slug:slug>/alerts/", alerts.alerts, name="alerts"),
    path("w/<slug:slug>/alerts/thresholds/", alerts.alert_thresholds, name="alert_thresholds"),
    path("w/<slug:slug>/alerts/<uuid:pk>/close/", alerts.alert_close, name="alert_close"),
    path("w/<slug:slug>/data/", data.archives, name="archives"),
    path("w/<slug:slug>/data/archives/<uuid:pk>/<str:token>/", data.archive_download, name="archive_download"),
    path("w/<slug:slug>/data/audit/", data.audit_log, name="audit_log"),
    path("w/<slug:slug>/data/audit.csv", data.audit_csv, name="audit_csv"),
    path("w/<slug:slug>/data/retention/", data.data_retention, name="data_retention"),
    path("w/<slug:slug>/data/delete/", data.workspace_delete, name="workspace_delete"),
    path("w/<slug:slug>/data/restore/", data.workspace_restore, name="workspace_restore"),
    path("delete-account/", data.delete_account, name="delete_account"),
    path("unsubscribe/<str:token>/", alerts.unsubscribe, name="unsubscribe"),
]
