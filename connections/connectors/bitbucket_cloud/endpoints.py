"""Everything that is ever asked of Bitbucket Cloud. What is not listed here is not asked.

No source code is among it: nothing below `src`, `diff`, `patch`, `diffstat`, or archives.
"""

from connections.connectors.declarations import Endpoint

_W = "/workspaces/{workspace}"
_R = "/repositories/{workspace}/{repository}"
ENDPOINTS = (
    Endpoint("/user", "Whose secret it is."),
    Endpoint("/user/workspaces", "Which workspaces it is for."),
    Endpoint(_W, "That the workspace exists, and its name."),
    Endpoint("/repositories/{workspace}", "The list of repositories."),
    Endpoint(_R, "One repository: its name, project and main branch."),
    Endpoint(f"{_W}/members", "The members of the workspace.", ("people",)),
    Endpoint(f"{_R}/pullrequests", "Titles, authors, states, reviewers.", ("pull_requests",)),
    Endpoint(f"{_R}/pullrequests/{{number}}", "One pull request.", ("pull_requests",)),
    Endpoint(
        f"{_R}/pullrequests/activity",
        "When something was opened, approved, updated, merged.",
        ("pull_request_activity",),
    ),
    Endpoint(
        f"{_R}/pullrequests/{{number}}/activity",
        "The same of one pull request.",
        ("pull_request_activity",),
    ),
    Endpoint(
        f"{_R}/pullrequests/{{number}}/comments",
        "Comments, with file and line.",
        ("pull_request_comments",),
    ),
    Endpoint(f"{_R}/refs/branches", "The tips of the branches.", ("commits",)),
    Endpoint(f"{_R}/commits", "Hashes, authors, dates and messages.", ("commits",)),
    Endpoint(
        f"{_R}/commits", "The same, where many are known already.", ("commits",), method="POST"
    ),
    Endpoint(f"{_R}/pipelines", "Runs with trigger, state and duration.", ("pipelines",)),
    Endpoint(f"{_R}/pipelines/{{run}}", "One run.", ("pipelines",)),
    Endpoint(f"{_R}/pipelines/{{run}}/steps", "The steps of a run.", ("pipeline_steps",)),
    Endpoint(f"{_R}/deployments", "What was deployed where, and when.", ("deployments",)),
    Endpoint(f"{_R}/environments", "The names of environments.", ("deployments",)),
    *(
        endpoint
        for place, whose in ((_W, "the workspace"), (_R, "a repository"))
        for endpoint in (
            Endpoint(f"{place}/hooks", f"Which webhooks of {whose} tell of changes at once."),
            Endpoint(f"{place}/hooks", f"Make a webhook of {whose}.", method="POST"),
            Endpoint(f"{place}/hooks/{{hook}}", "Mend that webhook.", method="PUT"),
            Endpoint(f"{place}/hooks/{{hook}}", "Remove that webhook.", method="DELETE"),
        )
    ),
)
