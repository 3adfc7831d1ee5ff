"""A published banner by nginx, compared with a plain file of its size by the same nginx.

    python -m tests.bench.nginx [--rounds 9] [--requests 20000]

The banner is handed out by the rule for /published/ of docs/deploy/nginx.conf. The goal: at most
1.1 times the time of the plain file. Both are asked for over one open connection, in turns, and the
ratio is the median of the rounds.
"""

import argparse
import re
import statistics
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.bench.banners import Server, connect
from tests.bench.environment import ROOT, as_table, describe_machine, end_cleanly, scratch_folder
from tests.support.servers import find_free_port

BYTES = 2_000  # about a banner's
CONFIGURATION = """
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    include /etc/nginx/mime.types;
    access_log off;
    keepalive_requests 10000000;
    server {{
        listen 127.0.0.1:{port};
        location /plain/ {{ alias {folder}/plain/; }}
        {published}
    }}
}}
"""


@contextmanager
def run_nginx(folder: Path) -> Iterator[Server]:
    documented = (ROOT / "docs/deploy/nginx.conf").read_text()
    rule = re.search(r"location /published/ \{.*?\}", documented, re.DOTALL)
    assert rule is not None
    for name in ("plain", "published"):
        (folder / name).mkdir()
        (folder / name / "banner.html").write_text("x" * BYTES)
    folder.chmod(0o755)  # nginx runs as another user
    port = find_free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(
        CONFIGURATION.format(
            folder=folder,
            port=port,
            published=rule[0].replace("/var/lib/newsroom", str(folder)),
        )
    )
    with subprocess.Popen(["nginx", "-c", str(configuration)]) as process:
        try:
            yield connect(process, port)
        finally:
            process.terminate()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--requests", type=int, default=20_000)
    given = parser.parse_args()
    end_cleanly()
    seconds: dict[str, list[float]] = {"plain": [], "published": []}
    with scratch_folder() as folder, run_nginx(folder) as server:
        for _ in range(given.rounds + 1):
            for name, taken in seconds.items():
                path = f"/{name}/banner.html"
                taken.append(server.measure(path, requests=given.requests)[0])
    plain, published = (taken[1:] for taken in seconds.values())  # the first round warms up
    ratio = statistics.median(b / a for a, b in zip(plain, published, strict=True))
    print(describe_machine("nginx"))
    print()
    print(
        as_table(
            ("file", "a second", "times slower than a plain file"),
            [
                ("plain", f"{1 / statistics.median(plain):,.0f}", "1.00"),
                ("published banner", f"{1 / statistics.median(published):,.0f}", f"{ratio:.2f}"),
            ],
        )
    )


if __name__ == "__main__":
    main()
