"""Reconnect: 20 repositories × 200 pull requests; the authorization is withdrawn, 50 pull requests
change, it is given again: what the consent, its checks and the sync after it ask together.
"""

import time
from collections.abc import Iterator
from typing import Any

import requests

from config.demo import connections
from tests.benchmarks.figures import Figure, Surroundings
from tests.benchmarks.installation import AS_SHIPPED, seconds, simulated
from tests.house import House

REPOSITORIES, CHANGED = 20, 50


def withdrawn_and_given_again(around: Surroundings) -> Iterator[Figure]:
    """Nothing is read twice."""
    with simulated(latency=0.03) as bitbucket:
        house = House(around.folder, bitbucket, {**AS_SHIPPED, **around.settings})
        control = bitbucket["control_url"]
        try:
            house.prepare()
            house.open_web()
            house.beat()
            house.worker()
            api = house.organization("Bench")
            made = int(house.python("-m", "tests.benchmarks.consents", "connect", "bench"))
            connections.sync(api, made)
            change(control, "revoke_grants", person="ada")
            change_pull_requests(control)
            ended = connections.sync(api, made)["state"]
            if ended != "failed":
                raise RuntimeError(f"Without an authorization the sync ended as {ended}.")
            time.sleep(2)  # until the verification that follows a refusal has asked in vain
            before = asked(control)
            house.python("-m", "tests.benchmarks.consents", "renew", str(made))
            by_consent = asked(control) - before
            last = connections.sync(api, made)
            total = asked(control) - before
        finally:
            house.close()
    yield Figure(measure="requests until caught up", value=total, at_most=145)
    yield Figure(measure="of them consent and checks", value=by_consent)
    yield Figure(measure="of them the sync", value=last["requests"])
    yield Figure(measure="the sync after it", value=seconds(last), unit="s")


def change_pull_requests(control: str) -> None:
    shown = requests.get(f"{control}state", timeout=5).json()
    places = sorted(repositories_of(shown))[:REPOSITORIES]
    for number in range(CHANGED):
        place = places[number % len(places)]
        values = {"workspace": "acme", "repository": place, "number": 1 + number // len(places)}
        change(control, "pull_request", **values, title="Changed")


def repositories_of(shown: dict[str, Any]) -> list[str]:
    workspace = next(one for one in shown["workspaces"] if one["slug"] == "acme")
    return [one["slug"] for one in workspace["repositories"]]


def change(control: str, name: str, **values: Any) -> None:
    requests.post(f"{control}change/{name}", json=values, timeout=5).raise_for_status()


def asked(control: str) -> int:
    found = requests.get(f"{control}requests", {"path": "."}, timeout=5).json()
    return int(found["count"])


RUNS = (withdrawn_and_given_again,)
