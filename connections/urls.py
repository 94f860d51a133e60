"""Addresses of the connections pages."""

from django.urls import path, register_converter

from connections.views import (
    authorizations,
    connect,
    connect_checks,
    connection,
    consent,
    consumers,
    credentials,
    deleted,
    how,
    links,
    parents,
    secret_forms,
    verify,
    webhooks,
    wizard,
)


class KeyConverter:
    """The key of a connector or a method. It has no hyphen, so that no UUID is taken for one."""

    regex = "[a-z][a-z0-9_]{1,39}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KeyConverter, "connector_key")

app_name = "connections"

ORGANIZATION = "o/<slug:organization>/"
LIST = f"{ORGANIZATION}connections/"
NEW = f"{LIST}new/"
KIND = f"{NEW}<connector_key:connector>/"
DRAFT = f"{NEW}<uuid:draft>/"
ONE = f"{LIST}<bigid:pk>/"
CREDENTIAL = f"{ONE}credentials/<bigid:credential>/"

urlpatterns = [
    path(NEW, wizard.What.as_view(), name="wizard_what"),
    path(KIND, how.How.as_view(), name="wizard_how"),
    path(f"{KIND}beneath/", parents.ChooseParent.as_view(), name="wizard_parent"),
    path(f"{KIND}consent/", consent.ConsentBegin.as_view(), name="consent_begin"),
    path(f"{KIND}consent/use/<bigid:grant>/", consent.ConsentUse.as_view(), name="consent_use"),
    path(f"{KIND}<connector_key:method>/", wizard.Enter.as_view(), name="wizard_enter"),
    path(f"{DRAFT}how/", how.How.as_view(), name="wizard_how"),
    path(f"{DRAFT}consent/", consent.ConsentBegin.as_view(), name="consent_begin"),
    path(f"{DRAFT}consent/use/<bigid:grant>/", consent.ConsentUse.as_view(), name="consent_use"),
    path(f"{DRAFT}workspace/", consent.ChooseWorkspace.as_view(), name="wizard_workspace"),
    path(f"{DRAFT}ask/", consent.AskAdministrator.as_view(), name="wizard_ask"),
    path(f"{DRAFT}enter/<connector_key:method>/", wizard.Enter.as_view(), name="wizard_enter"),
    path(f"{DRAFT}verify/", verify.Verify.as_view(), name="wizard_verify"),
    path(f"{DRAFT}verify/live/", verify.VerifyLive.as_view(), name="wizard_verify_live"),
    path(f"{DRAFT}leave-out/", verify.LeaveOut.as_view(), name="wizard_leave_out"),
    path(f"{DRAFT}discard/", wizard.Discard.as_view(), name="wizard_discard"),
    path(
        "consent/<connector_key:provider>/",
        consent.ConsentCallback.as_view(),
        name="consent_callback",
    ),
    path(
        f"{ORGANIZATION}authorizations/",
        authorizations.Authorizations.as_view(),
        name="authorizations",
    ),
    path(
        f"{ORGANIZATION}authorizations/<bigid:grant>/revoke/",
        authorizations.RevokeAuthorization.as_view(),
        name="authorization_revoke",
    ),
    path(
        f"{ORGANIZATION}settings/consumer/",
        consumers.OwnConsumers.as_view(),
        name="own_consumers",
    ),
    path(
        f"{ORGANIZATION}settings/consumer/<connector_key:connector>/",
        consumers.OwnConsumer.as_view(),
        name="own_consumer",
    ),
    path(
        f"{ORGANIZATION}settings/consumer/<connector_key:connector>/remove/",
        consumers.RemoveConsumer.as_view(),
        name="own_consumer_remove",
    ),
    path("connect/", connect.Connect.as_view(), name="connect"),
    path("connect/consent/", connect.ConnectConsent.as_view(), name="connect_consent"),
    path("connect/workspace/", connect.ConnectWorkspace.as_view(), name="connect_workspace"),
    path("connect/verify/", connect_checks.ConnectVerify.as_view(), name="connect_verify"),
    path(
        "connect/verify/live/",
        connect_checks.ConnectVerifyLive.as_view(),
        name="connect_verify_live",
    ),
    path("connect/done/", connect_checks.ConnectDone.as_view(), name="connect_done"),
    path(
        "connect/enter/<connector_key:method>/",
        connect.ConnectEnter.as_view(),
        name="connect_enter",
    ),
    path("connect/<str:token>", connect.FollowLink.as_view(), name="connect_follow"),
    path(f"{ONE}links/new/", links.MakeLink.as_view(), name="link_create"),
    path(f"{ONE}links/made/", links.LinkMade.as_view(), name="link_made"),
    path(f"{ONE}links/<bigid:link>/revoke/", links.RevokeLink.as_view(), name="link_revoke"),
    path(f"{ONE}finish/", wizard.Finish.as_view(), name="connection_finish"),
    path(f"{ONE}verify/", connection.VerifyNow.as_view(), name="connection_verify"),
    path(f"{ONE}consent/", consent.ConsentRenew.as_view(), name="consent_renew"),
    path(f"{ONE}settings/", connection.Settings.as_view(), name="connection_settings"),
    path(f"{ONE}webhooks/", webhooks.Webhooks.as_view(), name="connection_webhooks"),
    path(
        f"{ONE}webhooks/register/",
        webhooks.RegisterWebhooks.as_view(),
        name="connection_webhooks_register",
    ),
    path(
        f"{ONE}webhooks/secret/",
        webhooks.WebhookSecretMade.as_view(),
        name="connection_webhooks_secret",
    ),
    path(
        f"{ONE}webhooks/look/", webhooks.LookAtWebhooks.as_view(), name="connection_webhooks_look"
    ),
    path(
        f"{ONE}webhooks/remove/",
        webhooks.RemoveWebhooks.as_view(),
        name="connection_webhooks_remove",
    ),
    path(f"{ONE}pause/", connection.Pause.as_view(), name="connection_pause"),
    path(f"{ONE}resume/", connection.Resume.as_view(), name="connection_resume"),
    path(f"{ONE}delete/", connection.Delete.as_view(), name="connection_delete"),
    path(f"{ONE}renamed/", connection.RenameRead.as_view(), name="connection_renamed"),
    path(f"{LIST}deleted/", deleted.DeletedConnections.as_view(), name="deleted"),
    path(
        f"{LIST}deleted/<bigid:pk>/restore/", deleted.Restore.as_view(), name="connection_restore"
    ),
    path(f"{DRAFT}join/", deleted.Join.as_view(), name="wizard_join"),
    path(f"{ONE}credentials/", credentials.CredentialList.as_view(), name="credentials"),
    path(
        f"{ONE}credentials/add/",
        secret_forms.CredentialAdd.as_view(http_method_names=["get", "head"]),
        name="credential_add",
    ),
    path(
        f"{ONE}credentials/add/<connector_key:method>/",
        secret_forms.CredentialAdd.as_view(),
        name="credential_add",
    ),
    path(f"{CREDENTIAL}test/", credentials.CredentialTest.as_view(), name="credential_test"),
    path(
        f"{CREDENTIAL}test/live/",
        credentials.CredentialTestLive.as_view(),
        name="credential_test_live",
    ),
    path(f"{CREDENTIAL}rotate/", secret_forms.CredentialRotate.as_view(), name="credential_rotate"),
    path(
        f"{CREDENTIAL}rotate/<uuid:rotation>/",
        secret_forms.CredentialCompare.as_view(),
        name="credential_compare",
    ),
    path(
        f"{CREDENTIAL}rotate/<uuid:rotation>/forget/",
        secret_forms.CredentialForget.as_view(),
        name="credential_forget",
    ),
    path(
        f"{CREDENTIAL}disable/", credentials.CredentialDisable.as_view(), name="credential_disable"
    ),
    path(f"{CREDENTIAL}enable/", credentials.CredentialEnable.as_view(), name="credential_enable"),
    path(f"{CREDENTIAL}delete/", credentials.CredentialDelete.as_view(), name="credential_delete"),
]
