"""A real Ghost, installed from npm once and kept between runs."""

import json
import os
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.client import HTTPException
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any

from newsroom.demo.processes import find_free_port
from tests.support.mariadb import execute, make_database
from tests.support.npm import install_packages, is_installed, lock_folder, make_folder, run
from tests.support.processes import wait_until

VERSION = "5.130.6"
OWNER = {"username": "editor@example.org", "password": "third-birthday-1"}
API = "/ghost/api/admin"
# Ghost's database is MariaDB here, and it isn't built from source.
LEFT_OUT = ("devDependencies", "resolutions")

# A customer with an active subscription on Ghost's own tier.
_PAID = """
SET @person = (SELECT id FROM members WHERE email = '{email}');
SET @tier = (SELECT id FROM products WHERE slug = 'default-product');
SET @id = '111111111111111111111111';
INSERT INTO stripe_products VALUES (@id, @tier, 'prod_1', NOW(), NOW());
INSERT INTO stripe_prices
  (id, stripe_price_id, stripe_product_id, active, nickname, currency, amount, type, `interval`,
   created_at)
  VALUES (@id, 'price_1', 'prod_1', 1, 'Monthly', 'usd', 500, 'recurring', 'month', NOW());
INSERT INTO members_stripe_customers (id, member_id, customer_id, email, created_at, created_by)
  VALUES (@id, @person, 'cus_1', '{email}', NOW(), '1');
INSERT INTO members_stripe_customers_subscriptions
  (id, customer_id, subscription_id, stripe_price_id, status, current_period_end, start_date,
   created_at, created_by, mrr, plan_id, plan_nickname, plan_interval, plan_amount, plan_currency)
  VALUES (@id, 'cus_1', 'sub_1', 'price_1', 'active', '2036-01-01', NOW(), NOW(), '1', 500,
   'price_1', 'Monthly', 'month', 500, 'usd');
DELETE FROM members_products WHERE member_id = @person;
INSERT INTO members_products (id, member_id, product_id) VALUES (@id, @person, @tier);
UPDATE members SET status = 'paid' WHERE id = @person;
"""

_DISCONNECT = """
UPDATE settings SET value = NULL WHERE `key` IN ('stripe_secret_key', 'stripe_publishable_key');
"""


@dataclass
class Process:
    """Ghost's process, which can be stopped and started again."""

    package: Path
    variables: dict[str, str]
    log: Path
    server: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("a") as file:
            self.server = subprocess.Popen(
                ["node", str(self.package / "index.js")],
                cwd=self.package,
                env=os.environ | self.variables,
                stdout=file,
                stderr=file,
            )

    def stop(self) -> None:
        if self.server is not None:
            self.server.terminate()
            self.server.wait(30)
            self.server = None


@dataclass
class Ghost:
    """A Ghost site, used as its owner."""

    url: str
    database: str
    process: Process
    key: str = ""  # of the Admin API, once it is made
    opener: urllib.request.OpenerDirector = field(
        default_factory=lambda: urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(CookieJar())
        )
    )

    def start(self) -> None:
        """Start Ghost's process, with the data that it had, and wait until it answers."""
        self.process.start()
        wait_until(self._is_ready, seconds=300)

    def _is_ready(self) -> bool:
        server = self.process.server
        assert server is not None
        assert server.poll() is None, self.process.log.read_text()[-2000:]
        try:
            self.call("GET", "/authentication/setup/")
        except (OSError, HTTPException):
            return False
        return True

    def stop(self) -> None:
        self.process.stop()

    def start_again(self) -> None:
        """Start a site that was connected to Stripe and stopped.

        Without TLS, Ghost doesn't start with Stripe's keys, so it gets them again afterwards.
        """
        execute(self.database, _DISCONNECT)
        self.start()
        self.connect_to_stripe()

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the Admin API and return its answer. Raises HTTPError."""
        request = urllib.request.Request(  # noqa: S310
            f"{self.url}{API}{path}",
            None if body is None else json.dumps(body).encode(),
            {"Content-Type": "application/json", "Origin": self.url},
            method=method,
        )
        with self.opener.open(request, timeout=60) as answer:
            text = answer.read()
        return json.loads(text) if text.startswith(b"{") else text

    def set_up(self) -> None:
        owner = {"name": "Editor", "email": OWNER["username"], "password": OWNER["password"]}
        self.call(
            "POST",
            "/authentication/setup/",
            {"setup": [{**owner, "blogTitle": "The Meridian Post"}]},
        )
        self.call("POST", "/session/", OWNER)

    def make_key(self) -> str:
        """Return a new key of the Admin API: its id, a colon and its secret."""
        made = self.call(
            "POST", "/integrations/?include=api_keys", {"integrations": [{"name": "campaigns"}]}
        )
        keys = made["integrations"][0]["api_keys"]
        [key] = [key for key in keys if key["type"] == "admin"]
        self.key = key["secret"] if ":" in key["secret"] else f"{key['id']}:{key['secret']}"
        return self.key

    def revoke_key(self) -> None:
        for each in self.call("GET", "/integrations/?limit=all")["integrations"]:
            if each["name"] == "campaigns":
                self.call("DELETE", f"/integrations/{each['id']}/")

    def make_tier(self, name: str) -> str:
        """Add a paid tier and return its ID. Only before `connect_to_stripe`."""
        tier = {"name": name, "monthly_price": 700, "yearly_price": 7000, "currency": "EUR"}
        return str(self.call("POST", "/tiers/", {"tiers": [tier]})["tiers"][0]["id"])

    def archive_tier(self, tier_id: str) -> None:
        """Archive a tier. Only before `connect_to_stripe`."""
        self.call("PUT", f"/tiers/{tier_id}/", {"tiers": [{"active": False}]})

    def pay(self, email: str) -> None:
        """Write what Ghost does after a member paid there; no test has a Stripe for it."""
        execute(self.database, _PAID.format(email=email))

    def connect_to_stripe(self) -> None:
        """Make Ghost believe that it is connected: only then it changes complimentary access.

        The keys are nobody's: what Ghost asks Stripe with them fails, so add tiers before.
        """
        keys = {"stripe_secret_key": f"sk_test_{'0' * 24}", "stripe_publishable_key": "pk_test_0"}
        changes = [{"key": name, "value": value} for name, value in keys.items()]
        self.call("PUT", "/settings/", {"settings": changes})
        # It answers before it uses the keys: it waits 600 ms for more changes first.
        wait_until(self._changes_access, seconds=60)

    def _changes_access(self) -> bool:
        """Return whether a free member who gets a tier has complimentary access.

        A new member with a tier doesn't tell: they have it without Stripe, too.
        """
        [tier] = [
            each["id"]
            for each in self.call("GET", "/tiers/")["tiers"]
            if each["slug"] == "default-product"
        ]
        probe = {"members": [{"email": "probe@example.org"}]}
        path = f"/members/{self.call('POST', '/members/', probe)['members'][0]['id']}/"
        [changed] = self.call("PUT", path, {"members": [{"tiers": [{"id": tier}]}]})["members"]
        self.call("DELETE", path)
        return bool(changed["status"] == "comped")

    def publish(self, title: str, html: str) -> str:
        """Publish a post and return its address."""
        post = {"title": title, "html": html, "status": "published"}
        made = self.call("POST", "/posts/?source=html", {"posts": [post]})
        return str(made["posts"][0]["url"])

    def write_card(self, html: str) -> str:
        """Return an HTML card for a post."""
        return f"<!--kg-card-begin: html-->{html}<!--kg-card-end: html-->"

    def inject_footer(self, html: str) -> None:
        """Set the code that Ghost adds to the end of every page."""
        self._inject("codeinjection_foot", html)

    def inject_header(self, html: str) -> None:
        """Set the code that Ghost adds to the head of every page."""
        self._inject("codeinjection_head", html)

    def _inject(self, key: str, html: str) -> None:
        self.call("PUT", "/settings/", {"settings": [{"key": key, "value": html}]})


@contextmanager
def run_ghost(folder: Path) -> Iterator[Ghost]:
    """Start a new Ghost site. Skip the test where Node, npm or MariaDB is missing."""
    with make_database("ghost") as database:
        package = install()
        port = find_free_port()
        url = f"http://127.0.0.1:{port}"
        content = folder / "content"
        shutil.copytree(package / "content", content)
        # Ghost reads its configuration from these variables, too.
        variables = {
            "NODE_ENV": "production",
            "url": url,
            "server__host": "127.0.0.1",
            "server__port": str(port),
            "database__client": "mysql",
            "database__connection__host": "127.0.0.1",
            "database__connection__user": "root",
            "database__connection__password": "",
            "database__connection__database": database,
            "mail__transport": "SMTP",
            "mail__options__host": "127.0.0.1",
            "mail__options__port": "9",  # nobody listens there
            "paths__contentPath": str(content),
            "security__staffDeviceVerification": "false",
            "stripeDirect": "true",  # `connect_to_stripe` sets the keys
            "privacy__useUpdateCheck": "false",
            "privacy__useGravatar": "false",
            "privacy__useRpcPing": "false",
        }
        ghost = Ghost(url, database, Process(package, variables, folder / "ghost.log"))
        try:
            ghost.start()
            ghost.set_up()
            yield ghost
        finally:
            ghost.stop()


def install() -> Path:
    """Install Ghost without the parts that only its developers need; return its folder."""
    folder = make_folder(f"ghost-{VERSION}")
    package = folder / "package"
    with lock_folder(folder):
        if not is_installed(package):
            _download(folder, package)
            install_packages(folder=package, options=("--legacy-peer-deps",))
    return package


def _download(folder: Path, package: Path) -> None:
    run("npm", "pack", "--silent", f"ghost@{VERSION}", folder=folder)
    run("tar", "xzf", f"ghost-{VERSION}.tgz", folder=folder)
    (package / "yarn.lock").unlink(missing_ok=True)
    about = json.loads((package / "package.json").read_text())
    for part in LEFT_OUT:
        about.pop(part, None)
    for part in ("dependencies", "optionalDependencies"):
        about.get(part, {}).pop("sqlite3", None)
    (package / "package.json").write_text(json.dumps(about))
