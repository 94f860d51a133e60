"""Addresses of the API's methods on ingestion."""

from django.urls import path

from ingestion.api import deliveries, estimates, records, syncs

app_name = "ingestion-api"

CONNECTION = "connections/<apiid:connection_id>"

urlpatterns = [
    path(
        "connections.estimate/<apiid:pk>",
        estimates.ConnectionsEstimate.as_view(),
        name="connections.estimate",
    ),
    path(f"{CONNECTION}/syncs.start", syncs.Start.as_view(), name="syncs.start"),
    path(f"{CONNECTION}/syncs.list", syncs.List.as_view(), name="syncs.list"),
    path(f"{CONNECTION}/syncs.info/<apiid:pk>", syncs.Info.as_view(), name="syncs.info"),
    path(f"{CONNECTION}/syncs.cancel", syncs.Cancel.as_view(), name="syncs.cancel"),
    path(f"{CONNECTION}/syncs.retry", syncs.Retry.as_view(), name="syncs.retry"),
    path(
        f"{CONNECTION}/syncs.fetchMissing",
        syncs.FetchMissing.as_view(),
        name="syncs.fetchMissing",
    ),
    path(
        f"{CONNECTION}/repositories.list",
        records.RepositoriesList.as_view(),
        name="repositories.list",
    ),
    path(
        f"{CONNECTION}/repositories.select",
        records.RepositoriesSelect.as_view(),
        name="repositories.select",
    ),
    path(f"{CONNECTION}/records.list", records.RecordsList.as_view(), name="records.list"),
    path(f"{CONNECTION}/records.export", records.RecordsExport.as_view(), name="records.export"),
    path(f"{CONNECTION}/coverage.list", records.CoverageList.as_view(), name="coverage.list"),
    path(f"{CONNECTION}/deliveries.list", deliveries.List.as_view(), name="deliveries.list"),
    path(
        f"{CONNECTION}/deliveries.info/<apiid:pk>",
        deliveries.Info.as_view(),
        name="deliveries.info",
    ),
    path(f"{CONNECTION}/deliveries.replay", deliveries.Replay.as_view(), name="deliveries.replay"),
    path("quota.list", records.QuotaList.as_view(), name="quota.list"),
]
