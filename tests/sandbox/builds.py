"""Pipelines, their steps, environments and deployments."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.sandbox.people import Person


@dataclass(slots=True, eq=False)
class Step:
    """One step of a pipeline run."""

    uuid: str
    name: str
    run_number: int
    started_on: datetime | None
    completed_on: datetime | None
    state: str
    result: str | None
    max_minutes: int = 120


@dataclass(slots=True, eq=False)
class Pipeline:
    """A pipeline run. A re-run keeps its uuid and raises `run_number`."""

    uuid: str
    build_number: int
    creator: Person | None
    created_on: datetime
    completed_on: datetime | None
    state: str
    result: str | None
    stage: str | None
    target_type: str
    ref_name: str
    commit_hash: str
    trigger: str
    run_number: int = 1
    build_seconds: int = 0
    digits: int = 6
    steps: list[Step] = field(default_factory=list)


@dataclass(slots=True, eq=False)
class Environment:
    """A deployment environment; `kind` is Test, Staging or Production."""

    uuid: str
    name: str
    slug: str
    kind: str
    rank: int


@dataclass(slots=True, eq=False)
class Deployment:
    """A deployment made by a pipeline step."""

    uuid: str
    environment: Environment
    pipeline: Pipeline
    step: Step
    status: str
    started_on: datetime
    completed_on: datetime
    number: int
