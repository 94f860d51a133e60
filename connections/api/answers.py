"""What the methods answer, for the description of the API."""

from connections.api.declared import all_schedules, all_selections
from connections.api.rows import STATES
from connections.connectors import connectors
from connections.models import Credential, Verification
from connections.services.tags import tags_schema
from tenants.api.shapes import (
    Answer,
    Date,
    Identifier,
    ListAnswer,
    ListOfWords,
    Moment,
    Named,
    Number,
    Row,
    Shape,
    Thing,
    Words,
    YesOrNo,
)

LIVE = {"repositories": {"mode": "all"}, "streams": ["repositories", "people"], "since": None}
SCHEMA_OF_TOKEN = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "properties": {"api_token": {"type": "string", "writeOnly": True}},
    "additionalProperties": False,
}


def types() -> list[str]:
    return list(connectors())


class ConnectionRow(Row):
    """A connection."""

    id = Identifier(7)
    public_id = Shape({"type": "string", "format": "uuid"}, "3a8c1f52-7a55-4f0e-9a30-6a4f3c1a9b10")
    type = Words("bitbucket_cloud", types)
    name = Words("Engineering")
    state = Words("verified", lambda: list(STATES.values()))
    state_code = Words(None, allow_null=True, help_text="Why it is in error.")
    state_message = Words(None, allow_null=True)
    settings = Thing({"workspace": "acme"}, help_text="What identifies the connected thing.")
    parent_id = Identifier(None, allow_null=True)
    schedule = Shape(all_schedules, {"kind": "every", "minutes": 30})
    selection = Shape(all_selections, LIVE)
    tags = Shape(tags_schema, {"env": "prod"})
    supports_multiple_credentials = YesOrNo()
    disabled_at = Moment(None, allow_null=True)
    last_synced_at = Moment(allow_null=True)
    next_sync_at = Moment("2026-11-26T08:44:03.512Z", allow_null=True)
    verified_at = Moment(allow_null=True)
    created_at = Moment()
    etag = Words('"7-1"', help_text="For If-Match; changes with edits by people and the API.")


class CredentialRow(Row):
    """A credential. Its secrets are never in any answer."""

    id = Identifier(12)
    type = Words("bitbucket_cloud", types, help_text="The connector.")
    label = Words("CI token")  # type: ignore[assignment]  # an attribute of all fields
    method = Words("access_token")
    settings = Thing({})
    created_at = Moment()
    disabled_at = Moment(None, allow_null=True)
    expiration_date = Date(allow_null=True, help_text="Valid through this date, UTC.")
    status = Words("active", lambda: Credential.Status.values)
    identity = Words(None, allow_null=True, help_text="Whom it acts as, where it is a person.")
    acts_as = Words(None, allow_null=True, help_text="The name of that person.")
    scopes = ListOfWords("repository", "pullrequest")
    last_used_at = Moment(allow_null=True)
    etag = Words('"12-1"')


class ReachRow(Row):
    """How many repositories a credential sees, and how many of its connection are chosen."""

    sees = Number(212, allow_null=True, help_text="Null before anything was listed with it.")
    chosen = Number(14)


class LeftRow(Row):
    """What the window of a credential holds."""

    limit = Number(1000)
    used = Number(120)
    left = Number(880)
    free_at = Moment(None, allow_null=True)


class StandingRow(CredentialRow):
    """A credential with what it sees and may still ask."""

    reach = ReachRow()
    quota = LeftRow(allow_null=True)
    shares_quota_with = Shape(
        {"type": "array", "items": {"type": "integer"}},
        [],
        help_text="Ids of the other credentials whose requests Bitbucket counts with these.",
    )


class CredentialWithEnd(StandingRow):
    """A credential that may have been deleted."""

    deleted_at = Moment(None, allow_null=True)


class CheckRow(Row):
    """One question to Bitbucket, for one need."""

    name = Words("repositories")
    method = Words("GET", allow_null=True)
    path = Words("/repositories/acme?pagelen=100&sort=-updated_on", allow_null=True)
    status = Number(200, allow_null=True, help_text="HTTP status; null where none came.")
    ms = Number(84, allow_null=True)
    outcome = Words("ok", allow_null=True, help_text="ok, an outcome, or empty: not asked.")
    missing_scopes = ListOfWords()
    message = Words("", allow_null=True)
    curl = Words(
        "curl --header 'Authorization: Bearer ATCTT•••4f1c' "
        "'https://api.bitbucket.org/2.0/repositories/acme?pagelen=100&sort=-updated_on'",
        allow_null=True,
        help_text="The same request as a command, its secret masked.",
    )


class VerificationRow(Row):
    """A proof: what each check found."""

    outcome = Words("ok", lambda: ["", *Verification.Outcome.values])
    checks = CheckRow(many=True)
    unneeded_scopes = ListOfWords(
        "webhook:write", help_text="Scopes of the secret that nothing here needs."
    )


class MethodRow(Row):
    """A way to enter a connector. Both schemas are what the server validates with."""

    method = Words("access_token")
    name = Words("Workspace access token")
    deprecated = YesOrNo(False)
    scopes = ListOfWords("repository", "account", "pullrequest", "pipeline")
    settings_schema = Thing({"type": "object", "properties": {}, "additionalProperties": False})
    secrets_schema = Thing(SCHEMA_OF_TOKEN)
    help_url = Words("https://support.atlassian.com/bitbucket-cloud/docs/workspace-access-tokens/")


class ConnectorRow(Row):
    """A kind of thing to connect."""

    type = Words("bitbucket_cloud", types)
    name = Words("Bitbucket Cloud")
    supports_multiple_credentials = YesOrNo()
    requires_parent = Words(None, allow_null=True, help_text="The type of its parent.")
    settings_schema = Thing({"type": "object", "properties": {"workspace": {"type": "string"}}})
    methods = MethodRow(many=True)
    streams = ListOfWords("repositories", "people", "pull_requests")


class ConnectorsAnswer(Answer):
    """Every connector."""

    connectors = ConnectorRow(many=True)


class ConnectorAnswer(Answer):
    """One connector."""

    connector = ConnectorRow()


class ConnectionsAnswer(ListAnswer):
    """A page of connections."""

    connections = ConnectionRow(many=True)


class ConnectionInfoAnswer(Answer):
    """One connection with what belongs to it."""

    connection = ConnectionRow()
    credentials = StandingRow(many=True)
    last_sync = Named("SyncRow", allow_null=True)


class ConnectionAnswer(Answer):
    """One connection."""

    connection = ConnectionRow()
    dry_run = YesOrNo(required=False, help_text="There where nothing was stored.")


class CreatedConnectionAnswer(Answer):
    """A new connection; after a dry run only its verification."""

    connection = ConnectionRow(required=False)
    credential = CredentialRow(required=False)
    verification = VerificationRow(required=False)
    complete_url = Words(
        "https://tributary.example.com/o/acme/connections/7/finish/",
        required=False,
        help_text="Where a member finishes a connection that was made without a credential.",
    )
    dry_run = YesOrNo(required=False, help_text="There where nothing was stored.")


class VerificationAnswer(Answer):
    """What the checks found."""

    verification = VerificationRow()


class CredentialsAnswer(ListAnswer):
    """A page of credentials."""

    credentials = CredentialRow(many=True)


class CredentialAnswer(Answer):
    """One credential."""

    credential = CredentialRow()


class CredentialInfoAnswer(Answer):
    """One credential, deleted or not."""

    credential = CredentialWithEnd()


class ProvedCredentialAnswer(Answer):
    """A credential with its verification; after a dry run the verification alone."""

    credential = CredentialRow(required=False)
    verification = VerificationRow()
    dry_run = YesOrNo(required=False, help_text="There where nothing was stored.")


class ComparisonRow(Row):
    """What new secrets see beside those that they replace. Of names, the first hundred."""

    sees = Number(209)
    saw = Number(212, allow_null=True, help_text="Null where that is not known.")
    fewer_count = Number(3)
    fewer = ListOfWords("acme/api", "acme/docs", "acme/web")
    more_count = Number(0)
    more = ListOfWords()


class ChangedCredentialAnswer(ProvedCredentialAnswer):
    """The same, compared with what it was before."""

    comparison = ComparisonRow(required=False, help_text="There where `secrets` were given.")


class LinkRow(Row):
    """A one-time link to enter one connection."""

    id = Identifier(3)
    connection_id = Identifier(7)
    url = Words(
        "https://tributary.example.com/connect/3yJ0Zs0cT1m4xq9d2b7w",
        help_text="For whoever has the rights at Bitbucket. Told this once.",
    )
    created_at = Moment()
    expires_at = Moment("2026-12-03T08:14:03.512Z", help_text="Seven days later.")


class LinkAnswer(Answer):
    """A link that was made."""

    link = LinkRow()
