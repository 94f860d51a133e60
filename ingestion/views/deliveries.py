"""The inbox of webhooks: what was delivered, what became of it, and once more."""

from typing import Any

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render

from ingestion.forms.filters import DeliveryFilter
from ingestion.models import Delivery
from ingestion.selectors.deliveries import deliveries_of, filter_deliveries, missed_lately
from ingestion.services.deliveries import replay
from ingestion.services.syncs import ConnectionNotReady
from ingestion.views.paging import page_of
from ingestion.words.deliveries import described, pretty
from tenants.api_call import ApiCall
from tenants.formats import long_while
from tenants.roles import Permission, allows
from tenants.views.base import OrganizationView


class Inbox(OrganizationView):
    """All deliveries of the organization, the newest first."""

    def get(self, request: HttpRequest) -> HttpResponse:
        form = DeliveryFilter(self.organization, request.GET)
        found = filter_deliveries(deliveries_of(self.organization), form.values)
        page = page_of(request, found)
        context = {
            "nav": "webhooks",
            "filter": form,
            "page": page,
            "missed": missed_lately(self.organization),
            "kept": long_while(settings.DELIVERIES_KEPT),
            "deliveries": described(page.object_list),
        }
        return render(request, "ingestion/deliveries.html", context, status=form.status)


class OfDelivery(OrganizationView):
    """The base of what is about one delivery."""

    def delivery(self, pk: int) -> Delivery:
        """The delivery, of this organization, else 404."""
        return get_object_or_404(deliveries_of(self.organization), pk=pk)


class DeliveryPage(OfDelivery):
    """One delivery, with what it said for those who may see it."""

    def get(self, request: HttpRequest, pk: int) -> HttpResponse:
        delivery = self.delivery(pk)
        may_see = allows(self.membership.role, Permission.READ_WEBHOOKS)
        body, is_cut = pretty(delivery.body) if may_see else ("", False)
        context = {
            "nav": "webhooks",
            "item": described([delivery])[0],
            "delivery": delivery,
            "connection": delivery.connection,
            "body": body,
            "is_cut": is_cut,
        }
        return render(request, "ingestion/delivery.html", context)


class DeliveryReplay(OfDelivery):
    """Fetch once more what a delivery told of."""

    permission = Permission.SYNC
    http_method_names = ["post"]

    def api_call(self, **kwargs: Any) -> ApiCall:
        delivery = self.delivery(kwargs["pk"])
        method = f"connections/{delivery.connection_id}/deliveries.replay"
        return ApiCall(method=method, body={"id": delivery.pk})

    def post(self, request: HttpRequest, pk: int) -> HttpResponse:
        delivery = self.delivery(pk)
        try:
            replay(delivery=delivery, by=self.actor)
        except ConnectionNotReady as refused:
            messages.error(request, str(refused))
        else:
            messages.success(request, "It is fetched once more.")
        return redirect("ingestion:delivery", self.organization.slug, delivery.pk)
