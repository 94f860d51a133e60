"""What a connector declares: fields, scopes, methods, streams, checks, endpoints. Data alone."""

from dataclasses import dataclass

from connections.transport.removals import Removal


@dataclass(frozen=True, kw_only=True)
class Field:
    """One thing that a form asks for and an API call brings. The JSON Schema is made of it."""

    name: str
    label: str
    help: str = ""
    required: bool = True
    secret: bool = False
    kind: str = "text"  # text, email, url, password
    max_length: int = 255
    pattern: str = ""  # JSON Schema pattern (ECMA 262 = Python's here)
    placeholder: str = ""
    aliases: tuple[str, ...] = ()  # other names that the API takes for it

    @property
    def misfit(self) -> str:
        """What is said of a value that does not fit the pattern."""
        return f"This is no {'e-mail address' if self.kind == 'email' else self.label.lower()}."


@dataclass(frozen=True, kw_only=True)
class Scope:
    """A permission that a secret needs, and why."""

    name: str
    why: str
    streams: tuple[str, ...] = ()  # empty: the connection itself needs it
    optional: bool = False
    writes: bool = False  # something at the provider: no check can tell whether it is there


@dataclass(frozen=True, kw_only=True)
class Kind:
    """One of several kinds of secret that a method takes, as an access token of a repository."""

    key: str
    label: str
    needs: str  # who can make it, what plan it takes
    scopes: tuple[Scope, ...]
    help_url: str = ""
    made_at: str = ""  # like Method.made_at
    never: tuple[str, ...] = ()  # streams that no secret of this kind can read


@dataclass(frozen=True, kw_only=True)
class Method:
    """One way to enter a connector: an authentication method."""

    key: str
    label: str
    summary: str  # for whom it is
    needs: str  # who can make it, what plan it takes
    settings: tuple[Field, ...] = ()
    secrets: tuple[Field, ...] = ()
    scopes: tuple[Scope, ...] = ()
    help_url: str = ""  # where it is explained, for people and the API
    made_at: str = ""  # the page where one is made, with {workspace} where that is part of it
    deprecated: bool = False
    by_consent: bool = False  # made by the consent page, never by a form
    kinds: tuple[Kind, ...] = ()  # where it takes several

    def kind(self, key: str) -> Kind | None:
        """The kind of this key, where there is one."""
        return next((kind for kind in self.kinds if kind.key == key), None)

    def name_of(self, kind: str) -> str:
        """What a secret of this kind is called on pages."""
        found = self.kind(kind)
        return found.label if found else self.label

    def scopes_of(self, kind: str) -> tuple[Scope, ...]:
        """The scopes that a secret of this kind is to have."""
        found = self.kind(kind)
        return found.scopes if found else self.scopes


@dataclass(frozen=True, kw_only=True)
class Stream:
    """One kind of record that can be copied."""

    key: str
    label: str
    summary: str = ""
    needs: tuple[str, ...] = ()  # streams that must be copied with it
    # Minutes from one reading by schedule to the next, where nobody set others. 0: in each sync;
    # None: in each sync, and nobody is asked.
    interval: int | None = None
    required: bool = False
    usual: bool = True  # copied where nothing was chosen; else it costs too much to come unasked


@dataclass(frozen=True, kw_only=True)
class Check:
    """One question to the provider, for one need. `path` has {workspace} and {repository}."""

    name: str  # key: workspace, repositories, people, pull_requests, …
    label: str  # “Read pull requests”
    path: str
    stream: str = ""  # the stream that falls away without it; empty: the connection itself
    required: bool = False  # without it nothing can be stored
    optional: bool = False  # its failure is told, and stops nothing
    methods: tuple[str, ...] = ()  # asked only for these; empty: for all


@dataclass(frozen=True)
class Endpoint:
    """An address that is asked, and what for. Pages and docs list them all."""

    path: str  # with {placeholders}
    why: str
    streams: tuple[str, ...] = ()  # empty: the connection itself
    method: str = "GET"
    removal: Removal | None = None  # what the provider announced of its end
