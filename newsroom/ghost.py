"""The settings of the newspaper's own Ghost, which gets the members; campaigns/ghost uses them."""

from newsroom.environment import Environment


def read_ghost(env: Environment) -> tuple[str, str, str]:
    """Return GHOST_URL, GHOST_ADMIN_KEY and GHOST_TIER. Without an address there is no Ghost."""
    url = env.url("GHOST_URL", default="", example="https://www.example.org")
    # Of a custom integration in Ghost: its id, a colon and its secret.
    key = env.secret("GHOST_ADMIN_KEY", default="")
    # The name or the slug of a paid tier. It may be empty if Ghost has one alone.
    tier = env.text("GHOST_TIER", default="")
    return url.rstrip("/"), key.strip(), tier.strip()
