"""The tables of ingestion."""

from ingestion.models.builds import Deployment, PipelineRun, Step
from ingestion.models.commits import Commit
from ingestion.models.deliveries import Delivery, Push
from ingestion.models.quota import Quota, QuotaBucket, QuotaClaim
from ingestion.models.records import (
    Comment,
    Event,
    Person,
    PullRequest,
    Record,
    Repository,
    Review,
)
from ingestion.models.sync import (
    COMPARISON,
    UNFINISHED,
    WHOLE,
    Coverage,
    RejectedRow,
    RepositoryAccess,
    State,
    StreamRun,
    Sync,
)

__all__ = (
    "COMPARISON",
    "UNFINISHED",
    "WHOLE",
    "Comment",
    "Commit",
    "Coverage",
    "Delivery",
    "Deployment",
    "Event",
    "Person",
    "PipelineRun",
    "PullRequest",
    "Push",
    "Quota",
    "QuotaBucket",
    "QuotaClaim",
    "Record",
    "RejectedRow",
    "Repository",
    "RepositoryAccess",
    "Review",
    "State",
    "Step",
    "StreamRun",
    "Sync",
)
