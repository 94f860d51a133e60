"""Addresses of the ingestion pages."""

from django.urls import path, re_path

from ingestion.views import connections, deliveries, hooks, overview, records, syncs, wizard

app_name = "ingestion"

ORGANIZATION = "o/<slug:organization>/"
CONNECTION = f"{ORGANIZATION}connections/<bigid:pk>/"
SYNC = f"{ORGANIZATION}syncs/<bigid:pk>/"
DELIVERY = f"{ORGANIZATION}webhooks/<bigid:pk>/"
RECORDS = f"{ORGANIZATION}records/"

urlpatterns = [
    # Whatever follows no redirect finds it, with a slash behind it or without.
    re_path(r"^webhooks/(?P<connector>[^/]+)/(?P<public_id>[^/]+)/?$", hooks.deliver, name="hooks"),
    path(ORGANIZATION, overview.Overview.as_view(), name="overview"),
    path(f"{ORGANIZATION}connections/", connections.ConnectionList.as_view(), name="connections"),
    path(
        f"{ORGANIZATION}connections/new/<uuid:draft>/what-to-sync/",
        wizard.ChooseWhatToSync.as_view(),
        name="wizard_choose",
    ),
    path(
        f"{ORGANIZATION}connections/new/<uuid:draft>/what-to-sync/estimate/",
        wizard.EstimateWhatToSync.as_view(),
        name="wizard_estimate",
    ),
    path(CONNECTION, connections.ConnectionPage.as_view(), name="connection"),
    path(
        f"{CONNECTION}repositories/",
        connections.ConnectionRepositories.as_view(),
        name="connection_repositories",
    ),
    path(
        f"{CONNECTION}repositories/by-name/",
        connections.ConnectionRepositoriesByName.as_view(),
        name="connection_repositories_by_name",
    ),
    path(
        f"{CONNECTION}repositories/undo/",
        connections.ConnectionRepositoriesUndo.as_view(),
        name="connection_repositories_undo",
    ),
    path(f"{CONNECTION}gone/", connections.ConnectionGone.as_view(), name="connection_gone"),
    path(f"{CONNECTION}syncs/", connections.ConnectionSyncs.as_view(), name="connection_syncs"),
    path(f"{CONNECTION}syncs/start/", syncs.SyncStart.as_view(), name="sync_start"),
    path(f"{CONNECTION}compare/", syncs.SyncCompare.as_view(), name="connection_compare"),
    path(
        f"{CONNECTION}fetch-missing/",
        syncs.SyncFetchMissing.as_view(),
        name="connection_fetch_missing",
    ),
    path(f"{ORGANIZATION}quota/", connections.QuotaPage.as_view(), name="quota"),
    path(f"{ORGANIZATION}syncs/", syncs.SyncList.as_view(), name="syncs"),
    path(f"{ORGANIZATION}webhooks/", deliveries.Inbox.as_view(), name="deliveries"),
    path(DELIVERY, deliveries.DeliveryPage.as_view(), name="delivery"),
    path(f"{DELIVERY}replay/", deliveries.DeliveryReplay.as_view(), name="delivery_replay"),
    path(SYNC, syncs.SyncPage.as_view(), name="sync"),
    path(f"{SYNC}live/", syncs.SyncLive.as_view(), name="sync_live"),
    path(f"{SYNC}retry/", syncs.SyncRetry.as_view(), name="sync_retry"),
    path(f"{SYNC}stop/", syncs.SyncCancel.as_view(), name="sync_cancel"),
    path(f"{RECORDS}repositories/", records.Repositories.as_view(), name="records_repositories"),
    path(f"{RECORDS}pull-requests/", records.PullRequests.as_view(), name="records_pull_requests"),
    path(
        f"{RECORDS}pull-requests/<bigid:pk>/",
        records.PullRequestPage.as_view(),
        name="pull_request",
    ),
    path(f"{RECORDS}pipelines/", records.Pipelines.as_view(), name="records_pipelines"),
    path(f"{RECORDS}pipelines/<bigid:pk>/", records.PipelinePage.as_view(), name="pipeline"),
    path(f"{RECORDS}deployments/", records.Deployments.as_view(), name="records_deployments"),
    path(f"{RECORDS}commits/", records.Commits.as_view(), name="records_commits"),
    path(f"{RECORDS}people/", records.People.as_view(), name="records_people"),
]
