"""A real WordPress (Debian's package) with its default theme, to paste banners into."""

import os
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from newsroom.demo.processes import find_free_port
from tests.support.mariadb import make_database
from tests.support.processes import is_listening, wait_until

SOURCE = Path("/usr/share/wordpress")
THEME = "twentytwentythree"
CONFIGURATION = """<?php
define('DB_NAME', '{database}'); define('DB_USER', 'root'); define('DB_PASSWORD', '');
define('DB_HOST', '127.0.0.1'); define('DB_CHARSET', 'utf8mb4'); define('DB_COLLATE', '');
define('WP_HOME', '{url}'); define('WP_SITEURL', '{url}');
define('DISABLE_WP_CRON', true); define('WP_DEBUG', false);
define('AUTH_KEY', '{key}'); define('SECURE_AUTH_KEY', '{key}');
define('LOGGED_IN_KEY', '{key}'); define('NONCE_KEY', '{key}');
define('WP_CONTENT_DIR', '{folder}/wp-content');
$table_prefix = 'wp_';
if (!defined('ABSPATH')) define('ABSPATH', '{folder}/');
require_once ABSPATH . 'wp-settings.php';
"""
# WordPress asks no address of the own machine; on a public site the campaign's is public.
LOCAL_ADDRESSES = """<?php
add_filter('http_request_host_is_external', '__return_true');
add_filter('http_allowed_safe_ports', function ($ports) { return range(1, 65535); });
"""
INSTALL = """<?php
define('WP_INSTALLING', true);
require $argv[1] . '/wp-config.php';
require_once ABSPATH . 'wp-admin/includes/upgrade.php';
wp_install('The Meridian Post', 'editor', 'editor@example.org', true, '', $argv[2]);
switch_theme($argv[3]);
"""
# Posts of an administrator keep their HTML, as a newsroom's would.
POST = """<?php
require $argv[1] . '/wp-config.php';
wp_set_current_user(1);
$post = ['post_title' => $argv[2], 'post_status' => 'publish',
         'post_content' => stream_get_contents(STDIN)];
echo get_permalink(wp_insert_post($post));
"""


@dataclass(frozen=True)
class WordPress:
    url: str
    folder: Path

    def publish(self, title: str, text: str) -> str:
        """Publish a post and return its address."""
        return run_php(POST, str(self.folder), title, text=text)


def run_php(code: str, *arguments: str, text: str = "") -> str:
    done = subprocess.run(
        ["php", "-d", "display_errors=0", "-r", code.removeprefix("<?php"), "--", *arguments],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


@contextmanager
def run_wordpress(folder: Path) -> Iterator[WordPress]:
    """Start a WordPress site in `folder`. Skip the test where WordPress or PHP is missing."""
    if not (SOURCE / "wp-content" / "themes" / THEME).exists() or not shutil.which("php"):
        pytest.skip("WordPress is not installed (Debian: wordpress, php-cli, php-mysql, …)")
    with make_database("wordpress") as database:
        port = find_free_port()
        url = f"http://127.0.0.1:{port}"
        shutil.copytree(SOURCE, folder, symlinks=False)
        configuration = CONFIGURATION
        values = {"database": database, "url": url, "folder": folder, "key": secrets.token_hex()}
        for name, value in values.items():
            configuration = configuration.replace(f"{{{name}}}", str(value))
        (folder / "wp-config.php").write_text(configuration)
        (folder / "wp-content" / "uploads").mkdir(exist_ok=True)
        plugins = folder / "wp-content" / "mu-plugins"
        plugins.mkdir()
        (plugins / "local.php").write_text(LOCAL_ADDRESSES)
        run_php(INSTALL, str(folder), secrets.token_hex(), THEME)
        with (folder / "server.log").open("w") as log:
            server = subprocess.Popen(
                ["php", "-S", f"127.0.0.1:{port}", "-t", str(folder)],
                env={"PHP_CLI_SERVER_WORKERS": "4", "PATH": "/usr/bin:/bin"},
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        try:
            wait_until(lambda: is_listening(port), seconds=30)
            yield WordPress(url, folder)
        finally:
            os.killpg(server.pid, signal.SIGTERM)  # its workers would outlive it
            server.wait(20)
