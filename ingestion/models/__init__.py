"""The tables of ingestion."""

from ingestion.models.quota import Quota, QuotaBucket
from ingestion.models.records import (
    Comment,
    Event,
    Person,
    PipelineRun,
    PullRequest,
    Record,
    Repository,
    Review,
)
from ingestion.models.sync import (
    UNFINISHED,
    Coverage,
    RejectedRow,
    RepositoryAccess,
    State,
    StreamRun,
    Sync,
)

__all__ = (
    "UNFINISHED",
    "Comment",
    "Coverage",
    "Event",
    "Person",
    "PipelineRun",
    "PullRequest",
    "Quota",
    "QuotaBucket",
    "Record",
    "RejectedRow",
    "Repository",
    "RepositoryAccess",
    "Review",
    "State",
    "StreamRun",
    "Sync",
)
