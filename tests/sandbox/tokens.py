"""Credentials that the simulated Bitbucket knows, and what each of them reaches."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from tests.sandbox.clock import Clock
from tests.sandbox.people import Person
from tests.sandbox.scopes import READ_ALL, READ_ALL_GRANULAR
from tests.sandbox.world import Project, Repository, Workspace, World

ACCESS_TOKENS = ("workspace", "project", "repository")
NEVER = {"project": {"account"}, "repository": {"account", "project"}}
"""Scopes that Bitbucket gives no token of this kind."""


@dataclass(slots=True, eq=False)
class Token:
    """A credential. What it reaches is decided by its kind; `subject` is whom the quota counts."""

    secret: str
    kind: str
    label: str
    scopes: list[str]
    subject: str
    person: Person
    workspace: Workspace | None = None
    project: Project | None = None
    repository: Repository | None = None
    ticked: set[str] | None = None
    consumer: str | None = None
    expires_at: float | None = None
    revoked: bool = False

    def reaches_workspace(self, workspace: Workspace) -> bool:
        """Whether this credential may look into the workspace at all."""
        if self.kind in ACCESS_TOKENS:
            return workspace is self.workspace
        if self.ticked is not None and workspace.uuid not in self.ticked:
            return False
        return workspace.permission_of(self.person) is not None

    def reaches(self, repository: Repository) -> bool:
        """Whether this credential sees the repository."""
        if self.kind == "repository":
            return repository is self.repository
        if self.kind == "project":
            return repository.workspace is self.workspace and repository.project is self.project
        return self.reaches_workspace(repository.workspace)

    def permission_in(self, workspace: Workspace) -> str | None:
        """ "owner" or "member" for people; access tokens are nobody."""
        return None if self.kind in ACCESS_TOKENS else workspace.permission_of(self.person)


@dataclass(slots=True)
class Tokens:
    """All credentials by secret. The same calls in the same order give the same secrets."""

    world: World
    clock: Clock
    seed: int
    by_secret: dict[str, Token] = field(default_factory=dict)
    made: int = 0

    def workspace(
        self, workspace: str, scopes: Iterable[str] | None = None, label: str = "", secret: str = ""
    ) -> str:
        """A workspace access token; Bearer. All reading scopes unless told otherwise."""
        place = self._place(workspace)
        token = self._access("workspace", label or f"{workspace} workspace token", scopes, secret)
        token.workspace = place
        return token.secret

    def project(
        self, workspace: str, key: str, scopes: Iterable[str] | None = None, label: str = ""
    ) -> str:
        """A project access token: sees the repositories of one project."""
        place = self._place(workspace)
        token = self._access("project", label or f"{workspace}/{key} project token", scopes, "")
        token.workspace, token.project = place, place.projects[key]
        return token.secret

    def repository(
        self, workspace: str, slug: str, scopes: Iterable[str] | None = None, label: str = ""
    ) -> str:
        """A repository access token: sees one repository, 404 elsewhere."""
        place = self._place(workspace)
        token = self._access("repository", label or f"{workspace}/{slug} token", scopes, "")
        token.workspace, token.repository = place, place.repositories[slug]
        return token.secret

    def api_token(
        self, email: str, scopes: Iterable[str] | None = None, label: str = "", secret: str = ""
    ) -> str:
        """A personal API token: Basic e-mail:token, granular scopes that never imply each other."""
        person = self._person(email)
        scopes = READ_ALL_GRANULAR if scopes is None else scopes
        secret = secret or self._secret("ATATT3xFfGF0", 180)
        return self._add("api_token", label or f"API token of {email}", scopes, secret, person)

    def app_password(self, email: str, scopes: Iterable[str] | None = None) -> str:
        """An app password: withdrawn, so every use of it answers 401."""
        person = self._person(email)
        secret = self._secret("ATBB", 32)
        label = f"app password of {email}"
        return self._add("app_password", label, scopes or READ_ALL, secret, person)

    def oauth(
        self,
        person: Person,
        *,
        consumer: str,
        scopes: Iterable[str],
        ticked: set[str] | None,
        seconds: float,
    ) -> Token:
        """An OAuth access token, longer than 2,500 characters, counted on its consumer."""
        label = f"OAuth {consumer} for {person.display_name}"
        secret = self._add(
            "oauth", label, scopes, self._secret("eyJhbGciOiJIUzI1NiJ9.", 2600), person
        )
        token = self.by_secret[secret]
        token.subject, token.consumer = f"consumer {consumer}", consumer
        token.ticked, token.expires_at = ticked, self.clock.seconds() + seconds
        return token

    def find(self, secret_or_label: str) -> Token:
        """A credential by its secret or its label."""
        token = self.by_secret.get(secret_or_label)
        if token is None:
            labelled = (t for t in self.by_secret.values() if t.label == secret_or_label)
            token = next(labelled, None)
        if token is None:
            raise KeyError(secret_or_label[:12])
        return token

    def _access(self, kind: str, label: str, scopes: Iterable[str] | None, secret: str) -> Token:
        person = Person(
            uuid=f"{{{self._hex(8)}-{self._hex(4)}-4{self._hex(3)}-a{self._hex(3)}-{self._hex(12)}}}",
            account_id=f"712020:{self._hex(24)}",
            nickname=label,
            display_name=label,
            email="",
            created_on=self.clock.now(),
            kind="app_user",
        )
        never = NEVER.get(kind, set())
        given = [s for s in READ_ALL if s not in never] if scopes is None else list(scopes)
        if never.intersection(given):
            raise ValueError(f"a {kind} token cannot have {sorted(never.intersection(given))}")
        secret = secret or self._secret("ATCTT3xFfGN0", 180)
        return self.by_secret[self._add(kind, label, given, secret, person)]

    def _add(
        self, kind: str, label: str, scopes: Iterable[str], secret: str, person: Person
    ) -> str:
        account = f"account {person.account_id}"
        subject = account if kind in ("api_token", "app_password") else f"{kind} {secret[-12:]}"
        self.by_secret[secret] = Token(secret, kind, label, list(scopes), subject, person)
        return secret

    def _secret(self, prefix: str, length: int) -> str:
        return prefix + self._hex(length - len(prefix) - 9) + "=" + self._hex(8).upper()

    def _hex(self, length: int) -> str:
        self.made += 1
        digest = hashlib.shake_256(f"{self.seed}/{self.made}".encode())
        return digest.hexdigest((length + 1) // 2)[:length]

    def _place(self, workspace: str) -> Workspace:
        place = self.world.workspace(workspace)
        if place is None:
            raise KeyError(f"no workspace {workspace}")
        return place

    def _person(self, email: str) -> Person:
        person = self.world.person_by_email(email)
        if person is None:
            raise KeyError(f"nobody has the e-mail {email}")
        return person
