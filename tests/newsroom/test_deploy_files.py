"""docs/deploy: units, image, compose file and nginx agree with each other and with the pages.

bin/rehearse runs the commands of the units and of the image, and nginx with its configuration.
"""

import json
import re
import shlex
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.conf import LazySettings

from tests.rehearsal.units import Unit

pytestmark = pytest.mark.once

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "docs" / "deploy"
UNITS = DEPLOY / "systemd"
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
INSTRUCTIONS = {"FROM", "RUN", "WORKDIR", "COPY", "ENV", "USER", "VOLUME", "CMD"}
BIN = "/srv/newsroom/current/.venv/bin/"
DATABASE_IMAGE, REDIS_IMAGE = re.compile(r"postgres:\d+"), re.compile(r"redis:\d+")


def read_image() -> list[tuple[str, str]]:
    """Return the instructions of the Containerfile and their arguments."""
    text = (DEPLOY / "Containerfile").read_text(encoding="utf-8").replace("\\\n", "")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    return [(line.split()[0], " ".join(line.split()[1:])) for line in lines]


def read_compose() -> dict[str, Any]:
    compose: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8"))
    return compose


def read_unit(name: str) -> Unit:
    return Unit(name, UNITS, log=Path("/nowhere"), translate=str)


def read_start(name: str) -> list[str]:
    return shlex.split(read_unit(name).get("ExecStart").removeprefix(BIN))


def test_the_image_has_known_instructions_and_does_not_run_as_root() -> None:
    image = read_image()
    assert {instruction for instruction, _ in image} <= INSTRUCTIONS
    assert re.fullmatch(r"python:3\.\d+-slim-\w+", image[0][1])
    users = [argument for instruction, argument in image if instruction == "USER"]
    assert users == ["newsroom"]


def test_the_image_is_built_with_the_documented_commands() -> None:
    runs = [argument for instruction, argument in read_image() if instruction == "RUN"]
    assert [run.replace("--no-cache-dir ", "") for run in runs[1:]] == [
        "pip install --require-hashes -r requirements/production.txt",
        "pybabel compile -d campaigns/locale -D django",
    ]
    for run in runs[1:]:
        assert run.replace("--no-cache-dir ", "") in OPERATIONS


def test_everything_that_the_image_copies_exists_and_is_sent_to_the_engine() -> None:
    sent = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    for instruction, argument in read_image():
        if instruction == "COPY":
            source = argument.split()[0]
            assert (ROOT / source).exists()
            assert f"!{source.split('/')[0]}" in sent
    assert sent[0] == "**", "nothing else is sent, least of all .env"


def test_image_and_units_start_the_same_programs() -> None:
    command = next(argument for instruction, argument in read_image() if instruction == "CMD")
    web = read_start("newsroom-web@8000")
    assert json.loads(command) == [
        "0.0.0.0" if word == "127.0.0.1" else word  # noqa: S104 - in a container
        for word in web
    ]
    services = read_compose()["services"]
    assert services["worker"]["command"] == read_start("newsroom-worker")
    assert services["beat"]["command"] == read_start("newsroom-beat")
    assert "command" not in services["web"]


def test_the_documented_commands_are_those_of_the_units(settings: LazySettings) -> None:
    readme = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
    threads = f"--workers {settings.WEB_PROCESSES} --blocking-threads {settings.WEB_THREADS}"
    web = f"granian --interface wsgi newsroom.wsgi:application {threads}"
    worker = shlex.join(read_start("newsroom-worker"))
    for page in (readme, OPERATIONS):
        assert web in page
        assert worker in page
    # A machine runs two web servers, and a container one.
    threads = f"GRANIAN_BLOCKING_THREADS={settings.WEB_THREADS}"
    assert ("Environment", f"GRANIAN_WORKERS=1 {threads}") in read_unit("newsroom-web@8000").lines
    assert ("ENV", f"GRANIAN_WORKERS=2 {threads}") in read_image()


def test_the_compose_file_prepares_the_database_before_the_rest_starts() -> None:
    services = read_compose()["services"]
    assert DATABASE_IMAGE.match(services["database"]["image"])
    assert REDIS_IMAGE.match(services["redis"]["image"])
    steps = services["prepare"]["command"][-1]
    for command in ("manage.py migrate", "manage.py collectstatic --no-input"):
        assert command in steps
        assert command in OPERATIONS
    for name in ("web", "worker", "beat"):
        assert services[name]["depends_on"] == {
            "prepare": {"condition": "service_completed_successfully"}
        }
        assert services[name]["build"]["dockerfile"] == "docs/deploy/Containerfile"
        assert (DEPLOY / services[name]["build"]["context"]).resolve() == ROOT
    assert services["web"]["ports"] == ["127.0.0.1:8000:8000"]
    used = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", [])
    }
    assert used == set(read_compose()["volumes"])


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is missing")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    for unit in UNITS.iterdir():
        # The programs and the user exist only on a server.
        text = unit.read_text(encoding="utf-8").replace(BIN, "/bin/true ")
        name = unit.name.replace("@.", "@8001.")
        (tmp_path / name).write_text(text.replace("User=newsroom", "User=daemon"))
    done = subprocess.run(
        ["systemd-analyze", "verify", *map(str, sorted(tmp_path.iterdir()))],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("nginx") is None, reason="nginx is missing")
def test_nginx_accepts_the_configuration(tmp_path: Path) -> None:
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost"),
            *("-keyout", str(tmp_path / "privkey.pem"), "-out", str(tmp_path / "fullchain.pem")),
        ],
        check=True,
        capture_output=True,
    )
    site = (DEPLOY / "nginx.conf").read_text(encoding="utf-8")
    (tmp_path / "site.conf").write_text(
        site.replace("/etc/letsencrypt/live/members.example.org", str(tmp_path))
    )
    (tmp_path / "nginx.conf").write_text(
        f"pid {tmp_path}/pid;\nevents {{}}\nhttp {{ include {tmp_path}/site.conf; }}\n"
    )
    done = subprocess.run(
        ["nginx", "-t", "-c", str(tmp_path / "nginx.conf"), "-g", f"error_log {tmp_path}/log;"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
