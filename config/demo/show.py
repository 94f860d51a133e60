"""The demo as a whole: what is started in which order, and what is printed at the end."""

import secrets
from collections.abc import Callable
from pathlib import Path

from config import processes
from config.demo import bitbucket, connections, once, people
from config.demo.api import Api
from config.supervisor import DidNotStart, Supervisor, free_port
from tenants.actor import Actor
from tenants.models import Organization, User
from tenants.services.organizations import create_organization

Tell = Callable[[str], None]


class Demo:
    """A demo inside a supervisor: `start()`, then `fill()` or the main job, then `block()`."""

    def __init__(self, supervisor: Supervisor, tell: Tell) -> None:
        self._supervisor = supervisor
        self._tell = tell
        self._key = secrets.token_urlsafe(24)
        self.url = ""
        self.control_url = ""

    def start(self, *, port: int, folder: Path) -> None:
        """Prepare and start everything. Raises DidNotStart."""
        processes.require_services()
        if people.are_others():
            raise DidNotStart(
                "This installation has users and is no demo. Set VAR_DIR to another folder, and no "
                "DATABASE_URL: the demo makes people and organizations."
            )
        self._tell("Preparing the database and the static files")
        processes.prepare()
        people.owner()
        self._tell("Starting the simulated Bitbucket")
        options = (*bitbucket.SIZE, "--until", bitbucket.newest(folder))
        found = bitbucket.start(self._supervisor, free_port(port + 100), options)
        self._tell("Starting web, worker and beat")
        port = free_port(port)
        addresses = processes.addresses(port)
        simulated = bitbucket.environment(found)
        bitbucket.leave(folder, simulated)
        environment = {**simulated, **addresses, "DEMO_KEY": self._key}
        processes.start_all(self._supervisor, port, environment)
        self.url, self.control_url = addresses["PUBLIC_URL"], found["control_url"]

    def fill(self) -> str:
        """Make what is missing of the demo's connections; returns the API key of this start."""
        owner = people.owner()
        people.may_sign_in_with_bitbucket(owner, bitbucket.account(self.control_url, owner.email))
        acme = people.acme(owner)
        key = people.fresh_key(acme, owner)
        made = people.connected_before(acme)
        if connections.PLATFORM not in made:
            terraform = people.fresh_key(acme, owner, name="terraform")
            connections.make_all(self._api(key), self._api(terraform), made, self._tell)
        return key

    def do_main_job(self) -> None:
        """The main job in an organization of its own. Raises what `once.main_job` does."""
        owner = people.owner()
        organization = self._organization(owner)
        key = people.fresh_key(organization, owner)
        once.main_job(self._api(key), self._tell)

    def _api(self, key: str) -> Api:
        """The API, asked only while all processes run: none waits for a worker that has ended."""
        return Api(self.url, key, before=self._supervisor.require_all)

    def _organization(self, owner: User) -> Organization:
        name = f"Once {secrets.token_hex(3)}"
        return create_organization(name=name, owner=owner, by=Actor.for_user(owner))

    def block(self, key: str) -> str:
        """What a person needs, in one block."""
        curl = f"curl -H 'Authorization: Bearer {key}' {self.url}/api/connections.list"
        return "\n".join(
            (
                "",
                "  Tributary is running, with a simulated Bitbucket.",
                "",
                f"  Sign in as its owner   {self.url}/demo/{self._key}/",
                f"  Tributary              {self.url}",
                f"  Simulated Bitbucket    {self.control_url}",
                f"  API key, for 24 hours  {key}",
                f"  Try the API            {curl}",
                "",
                "  An hour of Bitbucket's quota lasts 60 seconds here. Ctrl-C ends everything.",
                "",
            )
        )
