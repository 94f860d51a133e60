"""connectors.list and connectors.info."""

from rest_framework.request import Request
from rest_framework.response import Response

from connections import connectors
from connections.api.answers import ConnectorAnswer, ConnectorsAnswer
from connections.api.lookups import connector_of
from connections.api.rows import connector_row
from tenants.api import ApiView
from tenants.authentication import ANY


class ConnectorsList(ApiView):
    """Every kind of thing that can be connected."""

    scope = ANY
    gives = ConnectorsAnswer

    def get(self, request: Request) -> Response:
        self.read()
        rows = [connector_row(connector) for connector in connectors.connectors().values()]
        return Response({"connectors": rows})


class ConnectorsInfo(ApiView):
    """One of them."""

    scope = ANY
    gives = ConnectorAnswer
    refuses = ("unknown_connector_type",)

    def get(self, request: Request, type: str) -> Response:  # noqa: A002  # the name in the path
        self.read()
        return Response({"connector": connector_row(connector_of(type))})
