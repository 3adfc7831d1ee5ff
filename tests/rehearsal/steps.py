"""The steps of a rehearsal, in order. Each raises Failed, or returns a line about what happened."""

import contextlib
import re
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import requests

from newsroom.demo.processes import ROOT
from tests.rehearsal.machine import CONNECTIONS, Failed, Machine
from tests.rehearsal.readers import PAGE, Crowd, Reader
from tests.support.processes import CAMPAIGN, wait_until

SERVICES = "newsroom-web@8001 newsroom-web@8002 newsroom-worker newsroom-beat"
FRIEND = "ben@example.org"
WAVE, WAVES, BETWEEN_WAVES = 60, 3, 7  # readers, waves, seconds
COUNTED_WITHIN = 90  # seconds


def install(machine: Machine, crowd: Crowd) -> str:
    """Follow “Install” and “Connect Stripe” in docs/operations.md."""
    release = machine.unpack("1.0.0")
    machine.execute("sudo -u postgres createuser newsroom", folder=release)
    machine.execute("sudo -u postgres createdb newsroom --owner newsroom", folder=release)
    install_packages(machine, release)
    machine.run("ln -sfn /srv/newsroom/1.0.0 /srv/newsroom/current", folder=release)
    settings_file = Path(machine.moved["/etc/newsroom.env"])
    settings_file.write_text((release / ".env.example").read_text())
    machine.fill_in(**machine.get_settings(database="newsroom"))
    answer = machine.run("manage.py stripe_setup --only-webhook")
    secret = answer.partition("STRIPE_WEBHOOK_SECRET=")[2].split()[0]
    machine.fill_in(STRIPE_WEBHOOK_SECRET=secret)
    machine.run("manage.py migrate")
    machine.run("manage.py collectstatic --no-input")
    machine.run("manage.py createsuperuser", "--no-input --username chief --email e@example.org")
    # Staff do this in the admin.
    machine.execute(f"manage.py shell -c '{CAMPAIGN}'")
    machine.run("manage.py stripe_setup")
    machine.run("manage.py check --deploy")
    machine.run("cp docs/deploy/systemd/* /etc/systemd/system/")
    machine.control(f"systemctl enable --now {SERVICES}")
    if machine.has_nginx:
        machine.make_certificate()
        machine.run("cp docs/deploy/nginx.conf /etc/nginx/conf.d/newsroom.conf")
        machine.prepare_nginx()
        machine.start_nginx()
    machine.receive_webhooks()
    wait_until(lambda: is_open(crowd), seconds=60)
    if "This is a rehearsal." not in crowd.next().open(PAGE).text:
        raise Failed("The campaign page doesn't say that this is a rehearsal.")
    return "installed, all checks pass, two web servers, a worker and beat run"


def install_packages(machine: Machine, release: Path) -> None:
    machine.run("python3 -m venv .venv", folder=release)
    machine.run("pip install --require-hashes -r requirements/production.txt", folder=release)
    machine.run("pybabel compile -d campaigns/locale -D django", folder=release)


def is_open(crowd: Crowd) -> bool:
    with contextlib.suppress(Failed, requests.RequestException):
        crowd.next().open(PAGE)
        return True
    return False


def check_files(machine: Machine, crowd: Crowd) -> str:
    """Check that nginx hands out static and published files, with headers for a CDN."""
    if not machine.has_nginx:
        return "skipped, because nginx is missing (apt install nginx)"
    http = crowd.next().http
    page = http.get(machine.url + PAGE, timeout=10)
    hashed = re.search(r'"(/static/[^"]+\.[0-9a-f]{12}\.css)"', page.text)
    if hashed is None:
        raise Failed("The campaign page links no static file with a hash in its name.")
    lifetimes = {
        hashed[1]: "immutable",
        "/static/campaigns/tokens.css": "max-age=60",
        "/published/birthday/en/top.html": "stale-if-error",
        "/published/birthday/progress.json": "stale-if-error",
    }
    for path, lifetime in lifetimes.items():
        answer = http.get(machine.url + path, timeout=10)
        if answer.status_code != 200 or lifetime not in answer.headers["Cache-Control"]:
            raise Failed(f"{path}: {answer.status_code}, {answer.headers}")
    plain = http.get(
        f"http://127.0.0.1:{machine.ports['http']}{PAGE}", allow_redirects=False, timeout=10
    )
    if plain.headers.get("Location") != machine.url + PAGE:
        raise Failed(f"Without HTTPS, the campaign page answers {plain.status_code}.")
    return "nginx hands out static and published files, with their lifetimes"


def sell(machine: Machine, crowd: Crowd) -> str:
    """Sell memberships, and one gift, which is claimed after the restore."""
    start = time.monotonic()
    crowd.join(crowd.sales - 1)
    crowd.next().give(FRIEND)
    crowd.paid += 1
    sold = time.monotonic() - start
    crowd.wait_until_counted(seconds=180)
    counted = time.monotonic() - start
    wait_until(lambda: find_claim_link(machine), seconds=60)
    return f"{crowd.sales} sold in {sold:.0f} s, counted and published {counted - sold:.0f} s later"


def find_claim_link(machine: Machine) -> str:
    found = re.search(r"/claim/\S+", machine.mail.find_text(FRIEND, "/claim/"))
    return found[0] if found else ""


def send_waves(machine: Machine, crowd: Crowd) -> str:
    """Send waves of readers, with enough time between them for the web server's threads to end."""
    slowest, most = 0.0, 0
    with ThreadPoolExecutor(1) as pool:
        for _ in range(WAVES):
            wave = pool.submit(crowd.send_wave, WAVE)
            while not wave.done():
                most = max(most, count_connections(machine))
                time.sleep(0.05)
            slowest = max(slowest, wave.result())
            time.sleep(BETWEEN_WAVES)
            most = max(most, count_connections(machine))
    if most > CONNECTIONS // 2:
        raise Failed(f"{most} of {CONNECTIONS} database connections are open.")
    return f"{WAVES} waves of {WAVE}: slowest page {slowest:.1f} s, {most} connections at most"


def count_connections(machine: Machine) -> int:
    with psycopg.connect(machine.postgres.url) as connection:
        row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE datname = 'newsroom'")
        return int((row.fetchone() or [0])[0])


def break_parts(machine: Machine, crowd: Crowd) -> str:
    """Kill each part with SIGKILL, sell meanwhile if that is possible, and start it again."""
    units = machine.units

    def wait_for_web() -> None:
        wait_until(lambda: is_open(crowd), seconds=60)

    def nothing() -> None:
        """A unit restarts by itself."""

    web = f"newsroom-web@{machine.ports['web1']}"
    # Name, how to kill it, how to start it, whether readers can order meanwhile.
    parts: list[tuple[str, Callable[[], object], Callable[[], object], bool]] = [
        ("a web server", units[web].kill, nothing if machine.has_nginx else wait_for_web, True),
        ("the worker", units["newsroom-worker"].kill, nothing, True),
        ("beat", units["newsroom-beat"].kill, nothing, True),
        ("Redis", machine.redis.process.kill, machine.redis.start, True),
        ("the mail server", machine.mail.stop, machine.mail.start, True),
        ("Stripe", machine.stripe.process.kill, machine.restart_stripe, False),
        ("PostgreSQL", machine.postgres.kill, machine.postgres.start, False),
    ]
    for name, kill, start, can_sell in parts:
        kill()
        if can_sell and (machine.has_nginx or name != "a web server"):
            crowd.join(1)
        if crowd.read_count() == 0:
            raise Failed(f"Without {name}, the published count is not served.")
        start()
        wait_for_web()
        last = crowd.join(1)
    took = crowd.wait_until_counted(seconds=COUNTED_WITHIN)
    wait_until(lambda: machine.mail.find_text(last.email, "€"), seconds=60)
    return f"{len(parts)} parts killed and restarted; every sale counted once, {took:.0f} s later"


def restore(machine: Machine, crowd: Crowd) -> str:
    """Back up, sell, lose the database, restore, and bring in what Stripe sold meanwhile."""
    late = crowd.next()
    session_id = late.order("join")
    machine.run("pg_dump --format=custom --file=/var/backups/newsroom/newsroom.dump newsroom")
    late.pay(session_id)
    crowd.paid += 1
    crowd.wait_until_counted(seconds=COUNTED_WITHIN)
    machine.control(f"systemctl stop {SERVICES}")
    machine.run("sudo -u postgres createdb newsroom_restored --owner newsroom")
    machine.run(
        "pg_restore --no-owner --exit-on-error --dbname=newsroom_restored "
        "/var/backups/newsroom/newsroom.dump"
    )
    machine.execute("sudo -u postgres dropdb newsroom")
    machine.fill_in(DATABASE_URL=machine.get_database_url("newsroom_restored"))
    machine.run("manage.py check --deploy")
    machine.control(f"systemctl start {SERVICES}")
    answer = machine.run("manage.py reconcile")
    if "Our figures equal Stripe's" not in answer:
        raise Failed(answer)
    wait_until(lambda: is_open(crowd), seconds=60)
    crowd.wait_until_counted(seconds=COUNTED_WITHIN)
    claim(crowd.next(), find_claim_link(machine))
    return "restored; the sale after the backup is back, and an earlier gift can be claimed"


def claim(friend: Reader, link: str) -> None:
    form = friend.open(link)
    answer = friend.http.post(
        form.url,
        form.fields | {"name": "Ben", "email": FRIEND},
        headers={"Referer": form.url},
        timeout=60,
    )
    if not answer.url.endswith("/done/"):
        raise Failed(f"The gift could not be claimed: {answer.status_code} {answer.url}")


def upgrade(machine: Machine, crowd: Crowd) -> str:
    """Install a second release while readers read and buy, and switch to it."""
    release = machine.unpack("1.1.0")
    install_packages(machine, release)
    with crowd.keep_reading() as failures:
        machine.run("manage.py migrate", folder=release)
        machine.run("manage.py collectstatic --no-input", folder=release)
        machine.run("manage.py check --deploy", folder=release)
        machine.run("ln -sfn /srv/newsroom/1.1.0 /srv/newsroom/current", folder=release)
        machine.control("systemctl restart newsroom-web@8001")
        machine.run(find_command(machine, "curl --fail"))
        machine.control("systemctl restart newsroom-web@8002")
        machine.control("systemctl restart newsroom-worker newsroom-beat")
        crowd.join(1)
    if failures and machine.has_nginx:
        raise Failed(f"{len(failures)} pages failed during the upgrade, the first: {failures[0]}")
    machine.run("manage.py stripe_setup")
    crowd.wait_until_counted(seconds=COUNTED_WITHIN)
    return "the second release runs; no page failed meanwhile"


def find_command(machine: Machine, start: str) -> str:
    return next(line for line in machine.documented if line.startswith(start))


def run_old_release(machine: Machine, crowd: Crowd) -> str:
    """Let the release before the newest migration work with the new tables."""
    old = Path(machine.moved["/srv/newsroom"]) / "0.9.0"
    commit = find_release_before_newest_migration()
    if not commit:
        return "skipped, because the history of the repository is missing"
    old.mkdir()
    archive = subprocess.run(
        ["git", "archive", commit], cwd=ROOT, capture_output=True, check=True
    ).stdout
    subprocess.run(["tar", "-x"], cwd=old, input=archive, check=True)
    (old / ".venv").symlink_to((old.parent / "current").resolve() / ".venv")
    machine.run("pybabel compile -d campaigns/locale -D django", folder=old)
    if "REHEARSAL" not in (old / "newsroom" / "settings.py").read_text():
        machine.fill_in(DEMO="true")  # the only way that it accepts the pretend Stripe
    machine.execute("manage.py collectstatic --no-input", folder=old)
    machine.execute("ln -sfn /srv/newsroom/0.9.0 /srv/newsroom/current")
    machine.control(f"systemctl stop {SERVICES}")
    machine.control(f"systemctl start {SERVICES}")
    wait_until(lambda: is_open(crowd), seconds=60)
    crowd.join(3)
    crowd.wait_until_counted(seconds=COUNTED_WITHIN)
    return f"the release before it ({commit[:7]}) sells and counts with the new tables"


def find_release_before_newest_migration() -> str:
    """Return the commit before the newest migration was added, or "" if it isn't known."""
    newest = sorted((ROOT / "campaigns" / "migrations").glob("0*.py"))[-1]
    # A migration that a merge brought in counts as added by the merge.
    with_merges = ("--first-parent", "-m")
    log = subprocess.run(
        ["git", "log", "-1", *with_merges, "--diff-filter=A", "--format=%H", "--", str(newest)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    parent = subprocess.run(
        ["git", "rev-parse", "--verify", "--quiet", f"{log}^"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return parent.stdout.strip() if log else ""
