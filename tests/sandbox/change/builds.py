"""Pipelines that start, end, and start again."""

from __future__ import annotations

from datetime import datetime
from functools import partial

from tests.sandbox.builds import Deployment, Pipeline
from tests.sandbox.change.base import Changes, happens
from tests.sandbox.generation.builds import finish, new_pipeline
from tests.sandbox.shapes.hooks import commit_status
from tests.sandbox.world import Repository


class BuildChanges(Changes):
    """A pipeline is named by its uuid or its build number."""

    @happens
    def new_pipeline(
        self,
        workspace: str,
        repository: str,
        *,
        person: str = "ben",
        created_on: datetime | None = None,
    ) -> Pipeline:
        """A run that waits."""
        repo = self._repository(workspace, repository)
        number = max((run.build_number for run in repo.pipelines.values()), default=0) + 1
        who = self._person(person)
        run = new_pipeline(repo, self._draw(), who, created_on or self._now(), number)
        self._built("created", repo, run)
        return run

    @happens
    def finish_pipeline(
        self, workspace: str, repository: str, pipeline: str | int, *, result: str = "SUCCESSFUL"
    ) -> Pipeline:
        """It completes with this result and two steps."""
        run = self._pipeline(workspace, repository, pipeline)
        finish(run, self._draw(), result, 2)
        self._built("updated", self._repository(workspace, repository), run)
        return run

    @happens
    def rerun_pipeline(
        self, workspace: str, repository: str, pipeline: str | int, *, result: str = "SUCCESSFUL"
    ) -> Pipeline:
        """The failed steps run again: same uuid, higher run_number, later completed_on."""
        run, now = self._pipeline(workspace, repository, pipeline), self._now()
        run.run_number += 1
        finish(run, self._draw(), result, 2)
        run.completed_on = now
        self._built("updated", self._repository(workspace, repository), run)
        return run

    @happens
    def lose_steps(self, workspace: str, repository: str, pipeline: str | int) -> None:
        """It lists no steps any more."""
        self._pipeline(workspace, repository, pipeline).steps.clear()

    @happens
    def delete_pipeline(self, workspace: str, repository: str, pipeline: str | int) -> None:
        """It is gone."""
        run = self._pipeline(workspace, repository, pipeline)
        del self._repository(workspace, repository).pipelines[run.uuid]

    @happens
    def deploy(
        self, workspace: str, repository: str, pipeline: str | int, *, status: str = "SUCCESSFUL"
    ) -> Deployment:
        """What a run built goes to the last environment."""
        repo, now = self._repository(workspace, repository), self._now()
        run = self._pipeline(workspace, repository, pipeline)
        one = Deployment(
            uuid=self._draw().uuid(),
            environment=repo.environments[-1],
            pipeline=run,
            step=run.steps[-1],
            status=status,
            started_on=now,
            completed_on=now,
            number=len(repo.deployments) + 1,
        )
        repo.deployments.append(one)
        return one

    @happens
    def delete_deployment(self, workspace: str, repository: str, number: int) -> None:
        """It is gone."""
        repo = self._repository(workspace, repository)
        repo.deployments = [one for one in repo.deployments if one.number != number]

    def _built(self, what: str, repo: Repository, run: Pipeline) -> None:
        make = partial(commit_status, repo=repo, run=run)
        self._tell(f"repo:commit_status_{what}", repo, run.creator, commit_status=make)

    def _pipeline(self, workspace: str, repository: str, pipeline: str | int) -> Pipeline:
        for run in self._repository(workspace, repository).pipelines.values():
            if pipeline in (run.uuid, run.build_number):
                return run
        raise KeyError(f"no pipeline {pipeline} in {workspace}/{repository}")
