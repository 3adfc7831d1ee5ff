"""nginx on a free port of this machine, with the configuration that a test writes."""

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

CONFIGURATION = """
daemon off;
user root;
pid {folder}/pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log off;
    default_type text/html;
    {temporary}
    {servers}
}}
"""


@contextmanager
def run_nginx(folder: Path, servers: str, *, url: str) -> Iterator[None]:
    """Run nginx with these `server` blocks, and wait until it answers at `url`."""
    temporary = "".join(
        f"{kind}_temp_path {folder / kind};\n"
        for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    file = folder / "nginx.conf"
    file.write_text(CONFIGURATION.format(folder=folder, temporary=temporary, servers=servers))
    nginx = subprocess.Popen(["nginx", "-p", str(folder), "-c", str(file)])
    try:
        for _ in range(100):
            try:
                requests.get(url, timeout=5)
                break
            except requests.ConnectionError:
                time.sleep(0.05)
        yield
    finally:
        nginx.terminate()
        nginx.wait()
