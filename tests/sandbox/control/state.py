"""The sandbox as JSON."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.sandbox.builds import Pipeline
from tests.sandbox.consent.consumers import CONSUMER, SIGNIN_CONSUMER
from tests.sandbox.people import Person
from tests.sandbox.site import Site
from tests.sandbox.world import Comment, PullRequest, Repository


def plain(value: Any) -> Any:
    """What a change returned, short enough to send."""
    if isinstance(value, PullRequest | Comment):
        return {"id": value.id, "updated_on": value.updated_on.isoformat()}
    if isinstance(value, Pipeline | Person | Repository):
        return {"uuid": value.uuid}
    return value.isoformat() if isinstance(value, datetime) else value


def describe(site: Site) -> dict[str, Any]:
    """Addresses, workspaces, credentials with their secrets, consumers, quota, faults, counts."""
    places = site.renderer.places
    return {
        "url": places.web,
        "api_url": places.api,
        "web_url": places.web,
        "control_url": f"{places.web}/control/",
        "now": site.clock.now().isoformat(),
        "seed": site.seed,
        "latency": site.latency,
        "workspaces": [_workspace(one) for one in site.world.workspaces.values()],
        "personas": [_persona(site, key) for key in ("ada", "ben", "olga")],
        "tokens": tokens(site),
        "consumers": _consumers(site),
        "quota": _quota(site),
        "faults": [_fault(one) for one in site.faults.active],
        "requests": _requests(site),
    }


def _workspace(workspace: Any) -> dict[str, Any]:
    return {
        "slug": workspace.slug,
        "name": workspace.name,
        "uuid": workspace.uuid,
        "members": len(workspace.members),
        "projects": list(workspace.projects),
        "repositories": [
            {
                "slug": repo.slug,
                "uuid": repo.uuid,
                "pull_requests": len(repo.pull_requests),
                "pipelines": len(repo.pipelines),
                "activity": len(repo.feed),
                "empty": not repo.branches,
                "refused_with": repo.refused_with,
            }
            for repo in workspace.repositories.values()
        ],
    }


def _persona(site: Site, key: str) -> dict[str, Any]:
    person = site.world.persona(key)
    return {
        "key": key,
        "name": person.display_name,
        "email": person.email,
        "uuid": person.uuid,
        "account_id": person.account_id,
    }


def tokens(site: Site) -> list[dict[str, Any]]:
    """The credentials, OAuth ones without their secrets."""
    return [
        {
            "label": token.label,
            "kind": token.kind,
            "secret": None if token.kind == "oauth" else token.secret,
            "email": token.person.email if token.kind in ("api_token", "app_password") else None,
            "workspace": token.workspace.slug if token.workspace else None,
            "scopes": token.scopes,
            "revoked": token.revoked,
            "left": site.quota.left(token.subject),
            "requests": site.journal.by_token[token.label],
        }
        for token in site.tokens.by_secret.values()
    ]


def _consumers(site: Site) -> list[dict[str, Any]]:
    roles = {CONSUMER[0]: "connect", SIGNIN_CONSUMER[0]: "sign_in"}
    return [
        {
            "key": one.key,
            "secret": one.secret,
            "callback_url": one.callback_url,
            "scopes": one.scopes,
            "role": roles.get(one.key),
        }
        for one in site.consumers.by_key.values()
    ]


def _quota(site: Site) -> dict[str, Any]:
    quota = site.quota
    return {
        "window": quota.window,
        "limit": quota.limit,
        "plain": quota.plain,
        "retry_after": quota.retry_after,
        "refused": quota.refused,
        "left": {subject: quota.left(subject) for subject in list(quota.spent)},
    }


def _fault(fault: Any) -> dict[str, Any]:
    return {
        "id": fault.id,
        "path": fault.path,
        "kind": fault.kind,
        "status": fault.status,
        "after": fault.after,
        "times": fault.times,
        "hits": fault.hits,
    }


def _requests(site: Site) -> dict[str, Any]:
    journal = site.journal
    return {
        "total": sum(journal.statuses.values()),
        "by_status": {str(status): count for status, count in sorted(journal.statuses.items())},
        "refused_429": journal.statuses[429],
        "source": journal.source,
    }
