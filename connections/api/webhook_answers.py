"""What the methods webhooks.* answer, for the description of the API."""

from connections.models import WebhookSubscription
from connections.services.webhook_status import Standing
from tenants.api.shapes import (
    Answer,
    Identifier,
    ListOfWords,
    Moment,
    Number,
    Row,
    Words,
)

URL = "https://tributary.example.com/webhooks/bitbucket_cloud/3a8c1f52-7a55-4f0e-9a30-6a4f3c1a9b10"
EVENTS = ("repo:push", "pullrequest:created", "pullrequest:approved")


def scopes() -> list[str]:
    return list(WebhookSubscription.Scope.values)


class HookRow(Row):
    """One webhook at Bitbucket, as it was when it was last looked at."""

    id = Identifier(4)
    scope = Words("workspace", scopes)
    name = Words("acme", help_text="The workspace, or the repository.")
    uuid = Words("{d5c1a9f0-2f0b-4b0e-8a62-0f3f5a1f0b11}", help_text="Bitbucket's own id of it.")
    state = Words("active", lambda: list(WebhookSubscription.State.values))
    events = ListOfWords(*EVENTS)
    missing_events = ListOfWords(help_text="What it should hear of, and does not.")
    seen_at = Moment(help_text="When it was last looked at.")
    created_at = Moment()


class CommandRow(Row):
    """What a person may run who has the rights at Bitbucket."""

    scope = Words("workspace", scopes)
    name = Words("acme")
    command = Words(
        "curl --request POST https://api.bitbucket.org/2.0/workspaces/acme/hooks …",
        help_text="Takes the webhooks' secret out of $SECRET, and the person's own sign-in out of "
        "$ATLASSIAN_EMAIL and $ATLASSIAN_API_TOKEN.",
    )


class WebhooksRow(Row):
    """How the webhooks of a connection stand."""

    state = Words("active", lambda: [one.value for one in Standing])
    url = Words(URL, help_text="Where they deliver to.")
    events = ListOfWords(*EVENTS, help_text="What they are to hear of.")
    hooks = HookRow(many=True)
    left = ListOfWords(help_text="Repositories without one, where the workspace has none.")
    left_count = Number(0)
    commands = CommandRow(many=True)
    secret_made_at = Moment(allow_null=True)
    old_secret_until = Moment(
        None, allow_null=True, help_text="Until when the secret before it is believed too."
    )


class HookProblem(Row):
    """Why not everything could be done."""

    code = Words("invalid_permissions")
    message = Words("The secret lacks the scope webhook.")
    missing_scopes = ListOfWords("webhook")


class WebhooksAnswer(Answer):
    """How they stand; after a look at Bitbucket, also what stood in its way."""

    webhooks = WebhooksRow()
    problem = HookProblem(allow_null=True)


class RegisteredWebhooksAnswer(WebhooksAnswer):
    """What was done, and how they stand."""

    secret = Words(
        "4mT0s7o8U1r2Zk3vQy9bXw5cJh6dLf8gNe2pAa1iOqE",
        required=False,
        help_text="There only where it was made or rotated by this call. Told this once.",
    )
    created = ListOfWords("acme")
    mended = ListOfWords()
    removed = ListOfWords()


class RemovedWebhooksAnswer(WebhooksAnswer):
    """What was removed; what could not be is still among the hooks."""

    removed = ListOfWords("acme")
