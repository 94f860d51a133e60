"""Consents inside an installation: `python -m tests.benchmarks.consents connect|renew <id>`.

`connect <organization>` connects acme by an authorization of Ada, and prints the connection's id;
`renew <connection>` lets her consent again.
"""

import sys

import django

SESSION = "the-browser-session"


def connect(slug: str) -> int:
    from connections.services.drafts import choose_workspace, finish_draft, start_draft
    from connections.services.granting import tick
    from connections.services.verification import begin_draft_verification, verify_draft
    from tenants.actor import Actor
    from tenants.models import Organization
    from tests.factories import MembershipFactory

    organization = Organization.objects.get(slug=slug)
    user = MembershipFactory.create(organization=organization).user
    actor = Actor.for_user(user)
    draft = start_draft(
        organization=organization, connector="bitbucket_cloud", by=user, actor=actor
    )
    consent(user, draft=draft)
    draft.refresh_from_db()
    assert draft.grant is not None
    tick(grant=draft.grant, workspaces=["acme"], user=user, by=actor)
    draft.refresh_from_db()
    choose_workspace(draft=draft, workspace="acme", actor=actor)
    verify_draft(begin_draft_verification(draft=draft, send=False))
    draft.refresh_from_db()
    return int(finish_draft(draft=draft, actor=actor).pk)


def renew(pk: int) -> None:
    from connections.models import Connection

    connection = Connection.objects.get(pk=pk)
    user = connection.created_by
    assert user is not None
    consent(user, connection=connection)


def consent(user: object, **purpose: object) -> None:
    """Ada allows it at Bitbucket, and comes back."""
    from connections.services.consent import begin_consent, complete_consent
    from tests.connections.consenting import consent_at

    given: dict[str, object] = {"user": user, "session_key": SESSION}
    address = begin_consent(return_path="/o/", **given, **purpose)  # type: ignore[arg-type]
    back = consent_at(address, "ada")
    complete_consent(state=back["state"], code=back["code"], **given)  # type: ignore[arg-type]


if __name__ == "__main__":
    django.setup()
    if sys.argv[1] == "connect":
        print(connect(sys.argv[2]))
    else:
        renew(int(sys.argv[2]))
