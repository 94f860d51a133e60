"""Addresses of the API's methods on connections."""

from django.urls import path

from connections.api import connections, connectors, credentials, states, webhooks

app_name = "connections-api"
OF_CONNECTION = "connections/<apiid:connection_id>/credentials"
WEBHOOKS = "connections/<apiid:connection_id>/webhooks"

urlpatterns = [
    path("connectors.list", connectors.ConnectorsList.as_view(), name="connectors.list"),
    path("connectors.info/<str:type>", connectors.ConnectorsInfo.as_view(), name="connectors.info"),
    path("connections.list", connections.ConnectionsList.as_view(), name="connections.list"),
    path(
        "connections.info/<apiid:pk>",
        connections.ConnectionsInfo.as_view(),
        name="connections.info",
    ),
    path("connections.create", connections.ConnectionsCreate.as_view(), name="connections.create"),
    path("connections.update", connections.ConnectionsUpdate.as_view(), name="connections.update"),
    path("connections.verify", states.ConnectionsVerify.as_view(), name="connections.verify"),
    path("connections.link", connections.ConnectionsLink.as_view(), name="connections.link"),
    path("connections.disable", states.ConnectionsDisable.as_view(), name="connections.disable"),
    path("connections.enable", states.ConnectionsEnable.as_view(), name="connections.enable"),
    path("connections.delete", connections.ConnectionsDelete.as_view(), name="connections.delete"),
    path(
        f"{OF_CONNECTION}.create",
        credentials.CredentialsCreate.as_view(),
        name="credentials.create",
    ),
    path(
        f"{OF_CONNECTION}.update",
        credentials.CredentialsUpdate.as_view(),
        name="credentials.update",
    ),
    path(
        f"{OF_CONNECTION}.info/<apiid:pk>",
        credentials.CredentialsInfo.as_view(),
        name="credentials.info",
    ),
    path(f"{OF_CONNECTION}.list", credentials.CredentialsList.as_view(), name="credentials.list"),
    path(
        f"{OF_CONNECTION}.delete",
        credentials.CredentialsDelete.as_view(),
        name="credentials.delete",
    ),
    path(
        f"{OF_CONNECTION}.verify",
        credentials.CredentialsVerify.as_view(),
        name="credentials.verify",
    ),
    path(
        f"{OF_CONNECTION}.disable",
        credentials.CredentialsDisable.as_view(),
        name="credentials.disable",
    ),
    path(
        f"{OF_CONNECTION}.enable",
        credentials.CredentialsEnable.as_view(),
        name="credentials.enable",
    ),
    path(f"{WEBHOOKS}.status", webhooks.WebhooksStatus.as_view(), name="webhooks.status"),
    path(f"{WEBHOOKS}.register", webhooks.WebhooksRegister.as_view(), name="webhooks.register"),
    path(f"{WEBHOOKS}.remove", webhooks.WebhooksRemove.as_view(), name="webhooks.remove"),
]
