"""The command `python -m newsroom.sandbox --port N --data DIR`."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="newsroom.sandbox", description="A pretend Stripe for this machine. No money moves."
    )
    parser.add_argument("--port", type=int, default=8420, help="0 chooses a free port")
    parser.add_argument(
        "--data", type=Path, required=True, help="folder for the sandbox's database"
    )
    parser.add_argument("--webhook-url", default="")
    parser.add_argument("--webhook-secret", default="whsec_newsroom_sandbox")
    parser.add_argument("--secret-key", default="sk_test_newsroom_sandbox")
    options = parser.parse_args()
    if not 0 <= options.port <= 65535:
        parser.error("argument --port: choose a port number up to 65535")
    options.data.mkdir(parents=True, exist_ok=True)
    # The shell may name another project's settings; the sandbox always uses its own.
    os.environ["DJANGO_SETTINGS_MODULE"] = "newsroom.sandbox.settings"
    os.environ["NEWSROOM_SANDBOX_DATA"] = str(options.data)
    os.environ["NEWSROOM_SANDBOX_SECRET_KEY"] = options.secret_key
    os.environ["NEWSROOM_SANDBOX_WEBHOOK_URL"] = options.webhook_url
    os.environ["NEWSROOM_SANDBOX_WEBHOOK_SECRET"] = options.webhook_secret
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())
    import django  # noqa: PLC0415  (the settings are chosen above)

    django.setup()
    from newsroom.sandbox import runtime  # noqa: PLC0415  (models need Django to be set up)

    with runtime.serve(options.port) as url:
        sys.stdout.write(f"sandbox  {url}\n")
        sys.stdout.flush()
        stopping.wait()
    return 0


if __name__ == "__main__":
    sys.exit(main())
