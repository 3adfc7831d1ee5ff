"""A machine in a temporary folder: its files, commands, servers and services."""

import os
import re
import secrets
import shutil
import subprocess
from contextlib import ExitStack
from pathlib import Path

from newsroom.demo.processes import ROOT, find_free_port
from newsroom.sandbox.control import SandboxControl
from newsroom.sandbox.process import SECRET_KEY, start_sandbox
from tests.rehearsal.units import Unit, Units, read_environment_file
from tests.support.mail_server import MailServer
from tests.support.processes import RedisServer, is_listening, wait_until
from tests.support.servers import PostgresServer

PAGE = ROOT / "docs" / "operations.md"
# What belongs to the application; a release contains the same.
RELEASE = ("manage.py", "newsroom", "campaigns", "templates", "requirements", "docs/deploy")
CONNECTIONS = 100  # PostgreSQL's default
NGINX = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
{user}
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {site};
    # The pretend Stripe sends its webhooks without HTTPS.
    server {{
        listen 127.0.0.1:{webhooks};
        location / {{
            proxy_pass https://127.0.0.1:{https};
            proxy_set_header Host localhost:{https};
        }}
    }}
}}
"""


class Failed(Exception):
    """A step of the rehearsal failed; the message says how."""


class Machine:
    """Runs the documented commands with every path and port moved."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self.folder = folder
        folder.chmod(0o755)  # nginx and PostgreSQL run as other users
        self.has_nginx = shutil.which("nginx") is not None
        self.documented = {line.strip() for line in PAGE.read_text().splitlines() if "    " in line}
        self.ports = {name: find_free_port() for name in ("web1", "web2", "http", "https", "hooks")}
        self.moved = {
            place: str(folder / place[1:])
            for place in (
                *("/srv/newsroom", "/etc/newsroom.env", "/etc/systemd/system", "/etc/letsencrypt"),
                *("/etc/nginx/conf.d", "/var/lib/newsroom", "/var/backups/newsroom"),
            )
        }
        for place in self.moved.values():
            Path(place).parent.mkdir(parents=True, exist_ok=True)
        for place in ("/etc/systemd/system", "/etc/nginx/conf.d", "/var/lib/newsroom"):
            Path(self.moved[place]).mkdir(parents=True)
        for name in ("postgres", "redis", "log", "nginx", "var/backups/newsroom", "srv/newsroom"):
            (folder / name).mkdir(parents=True, exist_ok=True)
        self.postgres = PostgresServer(folder / "postgres")
        stack.callback(self.postgres.stop)
        self.postgres.stop()
        self.postgres.start(connections=CONNECTIONS)
        self.redis = RedisServer(folder / "redis")
        stack.callback(self.redis.stop)
        self.mail = stack.enter_context(MailServer())
        self.stripe = start_sandbox(folder / "stripe")
        stack.callback(self.stop_stripe)
        self.sandbox = SandboxControl(self.stripe.url)
        self.nginx: subprocess.Popen[bytes] | None = None
        stack.callback(self.stop_nginx)
        self.units = Units(self._load_unit)
        stack.callback(self.units.stop)

    @property
    def url(self) -> str:
        if self.has_nginx:
            return f"https://localhost:{self.ports['https']}"
        return f"http://127.0.0.1:{self.ports['web1']}"

    @property
    def certificate(self) -> Path:
        return self.folder / "etc/letsencrypt/live/members.example.org/fullchain.pem"

    @property
    def published(self) -> Path:
        return Path(self.moved["/var/lib/newsroom"]) / "published"

    def translate(self, text: str) -> str:
        """Return the text with each documented path, host and port replaced by the rehearsal's."""
        for place, here in self.moved.items():
            text = text.replace(place, here)
        text = text.replace("https://members.example.org", self.url)
        text = text.replace("members.example.org;", "localhost;")
        text = text.replace("Host: members.example.org", "Host: localhost")
        return text.replace("8001", str(self.ports["web1"])).replace(
            "8002", str(self.ports["web2"])
        )

    def run(self, command: str, *more: str, folder: Path | None = None) -> str:
        """Run a command of docs/operations.md, and return what it prints. `more` is added to it."""
        if command not in self.documented:
            raise Failed(f"docs/operations.md doesn't contain this command: {command}")
        return self.execute(" ".join((command, *more)), folder=folder)

    def execute(self, command: str, *, folder: Path | None = None, **variables: str) -> str:
        is_postgres = command.startswith("sudo -u postgres ")
        command = command.removeprefix("sudo -u postgres ")
        if command.startswith("manage.py"):
            command = f"python {command}"
        folder = folder or Path(self.moved["/srv/newsroom"]) / "current"
        done = subprocess.run(
            ["bash", "-c", self.translate(command)],
            cwd=folder,
            env={
                "PATH": f"{folder}/.venv/bin:{self.postgres.binaries}:{os.environ['PATH']}",
                "HOME": str(self.folder),
                **{name: value for name, value in os.environ.items() if name.startswith("PIP_")},
                "PIP_CACHE_DIR": os.environ.get(
                    "PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip")
                ),
                "ENV_FILE": self.moved["/etc/newsroom.env"],
                "PGHOST": "127.0.0.1",
                "PGPORT": str(self.postgres.port),
                "PGUSER": "postgres" if is_postgres else "newsroom",
                **variables,
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=180,
        )
        if done.returncode:
            raise Failed(f"{command} (exit code {done.returncode})\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def control(self, command: str) -> None:
        """Do what a documented `systemctl` command does."""
        if command not in self.documented:
            raise Failed(f"docs/operations.md doesn't contain this command: {command}")
        verb, *names = self.translate(command).replace("--now ", "").split()[1:]
        self.units.control(verb, *names)

    def unpack(self, version: str) -> Path:
        """Copy the application into the folder of a release, as a release archive contains it."""
        target = Path(self.moved["/srv/newsroom"]) / version
        for name in RELEASE:
            here = ROOT / name
            if here.is_dir():
                ignored = shutil.ignore_patterns("__pycache__", "*.mo")
                shutil.copytree(here, target / name, ignore=ignored)
            else:
                (target / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(here, target / name)
        shutil.copy(ROOT / ".env.example", target)
        (target / "docs" / "operations.md").write_text(PAGE.read_text())
        return target

    def fill_in(self, **values: str) -> None:
        """Set variables in the file of settings."""
        file = Path(self.moved["/etc/newsroom.env"])
        text = file.read_text()
        for name, value in values.items():
            lines = [line for line in text.splitlines() if not line.startswith(f"{name}=")]
            text = "\n".join([*lines, f"{name}={value}", ""])
        file.write_text(text)

    def get_settings(self, *, database: str) -> dict[str, str]:
        """Return the settings of this rehearsal."""
        data = self.moved["/var/lib/newsroom"]
        return {
            "REHEARSAL": "true",
            "SITE_URL": self.url,
            "ALLOWED_HOSTS": "localhost,127.0.0.1",
            "BEHIND_PROXY": str(self.has_nginx).lower(),
            "SECRET_KEY": secrets.token_urlsafe(48),
            "GIFT_CODE_KEY": secrets.token_urlsafe(48),
            "DATABASE_URL": self.get_database_url(database),
            "CELERY_BROKER_URL": self.redis.url,
            "DATA_DIR": data,
            "PUBLISH_DIR": f"{data}/published",
            "STRIPE_SECRET_KEY": SECRET_KEY,
            "STRIPE_API_BASE": self.stripe.url,
            "EMAIL_URL": f"smtp://127.0.0.1:{self.mail.port}",
            "DEFAULT_FROM_EMAIL": "members@example.org",
            # Idle threads end after 5 seconds instead of 30, so that the waves take less time.
            "GRANIAN_BLOCKING_THREADS_IDLE_TIMEOUT": "5",
        }

    def get_database_url(self, name: str) -> str:
        return f"postgres://newsroom@127.0.0.1:{self.postgres.port}/{name}"

    def read_setting(self, name: str) -> str:
        return read_environment_file(Path(self.moved["/etc/newsroom.env"]))[name]

    def make_certificate(self) -> None:
        folder = self.certificate.parent
        folder.mkdir(parents=True)
        subprocess.run(
            [
                *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"),
                *("-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"),
                *("-keyout", str(folder / "privkey.pem"), "-out", str(self.certificate)),
            ],
            check=True,
            capture_output=True,
        )

    def prepare_nginx(self) -> None:
        """Move the ports of the documented configuration, and write the part around it."""
        site = Path(self.moved["/etc/nginx/conf.d"]) / "newsroom.conf"
        text = self.translate(re.sub(r"\n\s*listen \[::\].*", "", site.read_text()))
        for port, name in (("80", "http"), ("443", "https")):
            text = re.sub(rf"listen {port}\b", f"listen 127.0.0.1:{self.ports[name]}", text)
        site.write_text(text)
        (self.folder / "nginx.conf").write_text(
            NGINX.format(
                folder=self.folder / "nginx",
                user="user root;" if os.geteuid() == 0 else "",
                site=site,
                webhooks=self.ports["hooks"],
                https=self.ports["https"],
            )
        )

    def start_nginx(self) -> None:
        configuration = ["-c", str(self.folder / "nginx.conf"), "-p", str(self.folder / "nginx")]
        tried = subprocess.run(
            ["nginx", "-t", *configuration], capture_output=True, text=True, check=False
        )
        if tried.returncode:
            raise Failed(tried.stderr)
        self.nginx = subprocess.Popen(["nginx", *configuration])
        wait_until(lambda: is_listening(self.ports["https"]), seconds=10)

    def stop_nginx(self) -> None:
        if self.nginx is not None:
            self.nginx.terminate()
            self.nginx.wait(10)
            self.nginx = None

    def receive_webhooks(self) -> None:
        """Let the pretend Stripe send its webhooks here, signed with our endpoint's secret."""
        site = f"http://127.0.0.1:{self.ports['hooks']}" if self.has_nginx else self.url
        secret = self.read_setting("STRIPE_WEBHOOK_SECRET")
        self.sandbox.set_webhook(f"{site}/stripe/webhook/", secret=secret)

    def stop_stripe(self) -> None:
        self.stripe.stop()

    def restart_stripe(self) -> None:
        port = int(self.stripe.url.rpartition(":")[2])
        self.stripe = start_sandbox(self.folder / "stripe", port=port)

    def _load_unit(self, name: str) -> Unit:
        folder = Path(self.moved["/etc/systemd/system"])
        log = self.folder / "log" / f"{name}.log"
        return Unit(name, folder, log=log, translate=self.translate)
