"""Compare what banners cost their readers with its budgets. Run by bin/check."""

import gzip
import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMPONENT = 3000  # bytes of the web component with the styles of one banner, compressed by gzip
SIGN_UP = 1000  # bytes of the web component with newsletters, compressed by gzip
TAG = 1000  # bytes of script that the template tag adds


def main() -> int:
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
    import django  # noqa: PLC0415 (it needs the path)

    django.setup()
    from campaigns.banners import EMBEDDED, assets  # noqa: PLC0415

    sizes = {"script of the template tag": (len(assets.read_closing_script()), TAG)}
    sign_up = len(gzip.compress(assets.read_sign_up_component(), 9))
    sizes["web component with newsletters"] = (sign_up, SIGN_UP)
    for placement in EMBEDDED:
        both = assets.read_component() + assets.read_style(placement).encode("ascii")
        sizes[f"web component with {placement}"] = (len(gzip.compress(both, 9)), COMPONENT)
    for name, (size, budget) in sizes.items():
        print(f"{name}: {size:,} of {budget:,} bytes")
    return int(any(size > budget for size, budget in sizes.values()))


if __name__ == "__main__":
    sys.exit(main())
