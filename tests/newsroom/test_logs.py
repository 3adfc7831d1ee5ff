"""Logs of all libraries: they never contain a person's e-mail address."""

import io
import json
import logging
import logging.config
import os
import pty
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
import structlog
from django.conf import LazySettings
from django.test import Client
from django.urls import resolve
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.provisional import domains

from campaigns import settlement
from campaigns.models import Campaign
from newsroom.logs import configure_logging, hide_addresses, shorten_ids
from newsroom.middleware import WEBHOOK_PATH
from newsroom.sandbox.control import SandboxControl
from tests.support.sales import place_order

pytestmark = pytest.mark.once

PRODUCTION = {"DEMO": "false", "DEBUG": "false"}
ADDRESS = "ada.reader+campaign@members.example.org"


class MailRefused(Exception):
    pass


@pytest.fixture(autouse=True)
def present_configuration() -> Iterator[None]:
    """Configure structlog at the end as before: loggers in use keep their list of processors."""
    known = structlog.get_config()
    yield
    structlog.configure(**known)


@pytest.fixture(params=[True, False], ids=["readable", "json"])
def log(request: pytest.FixtureRequest, settings: LazySettings) -> Iterator[io.StringIO]:
    """The output of the project's logging, readable as in the demo or JSON as in production."""
    written = io.StringIO()
    configuration = configure_logging(level="INFO", readable=request.param)
    configuration["handlers"]["stderr"]["stream"] = written
    logging.config.dictConfig(configuration)
    yield written
    # Restore the handlers: this stream is closed after the test.
    logging.config.dictConfig(settings.LOGGING)


def deliver(to: str) -> None:
    raise MailRefused(f"550 no such user: <{to}>")


def log_event() -> None:
    structlog.get_logger("campaigns").info("mail_sent", to=ADDRESS, tags=[{"of": ADDRESS}])


def log_arguments() -> None:
    logging.getLogger("smtplib").warning("RCPT TO:<%s> refused", ADDRESS)


def log_traceback() -> None:
    try:
        deliver(ADDRESS)
    except MailRefused:
        logging.getLogger("django.mail").exception("mail failed")


def log_structured_traceback() -> None:
    try:
        deliver(ADDRESS)
    except MailRefused:
        structlog.get_logger("campaigns").exception("mail_failed")


def log_chained_traceback() -> None:
    try:
        try:
            deliver(ADDRESS)
        except MailRefused as error:
            raise RuntimeError("delivery failed") from error
    except RuntimeError:
        logging.getLogger("celery").exception("task failed")


def log_query_string() -> None:
    logging.getLogger("urllib3").info("GET /v1/customers?email=ada.reader%40example.org&limit=1")


def log_mapping() -> None:
    logging.getLogger("kombu").info("message %(body)s", {"body": json.dumps({"email": ADDRESS})})


@pytest.mark.parametrize(
    "write_line",
    [
        log_event,
        log_arguments,
        log_traceback,
        log_structured_traceback,
        log_chained_traceback,
        log_query_string,
        log_mapping,
    ],
)
def test_no_log_line_contains_an_address(log: io.StringIO, write_line: Callable[[], None]) -> None:
    write_line()
    line = log.getvalue()
    assert "[address]" in line, "the line was written and the address was removed"
    assert "ada" not in line.lower()
    assert "example.org" not in line


def test_a_json_line_stays_valid_json(settings: LazySettings) -> None:
    written = io.StringIO()
    configuration = configure_logging(level="INFO", readable=False)
    configuration["handlers"]["stderr"]["stream"] = written
    logging.config.dictConfig(configuration)
    log_event()
    log_structured_traceback()
    logging.config.dictConfig(settings.LOGGING)
    first, second = [json.loads(line) for line in written.getvalue().splitlines()]
    assert (first["event"], first["to"]) == ("mail_sent", "[address]")
    assert "MailRefused" in second["exception"]


LOCAL_PARTS = st.text("abcdefghijklmnopqrstuvwxyz0123456789._+-'", min_size=1, max_size=30)


@given(local=LOCAL_PARTS, domain=domains(), sign=st.sampled_from(["@", "%40"]))
def test_anything_like_an_address_is_hidden(local: str, domain: str, sign: str) -> None:
    hidden = hide_addresses(f'{{"email": "{local}{sign}{domain}", "id": "cs_test_1"}}')
    assert domain not in hidden
    assert sign not in hidden
    assert '"id": "cs_test_1"' in hidden


@pytest.mark.parametrize(
    "text",
    [
        "campaigns.events[7f0e] received",
        "django==5.2 @ cpython",
        "postgres://127.0.0.1:5432/campaigns",
        "@campaign.register",
        "POST /claim/<str:code>/",
    ],
)
def test_other_text_is_left_alone(text: str) -> None:
    assert hide_addresses(text) == text


# Lines of requests


@pytest.mark.django_db
def test_a_request_is_logged_by_route_without_path_or_query(
    log: io.StringIO, client: Client
) -> None:
    client.get("/claim/ABCDE-FGHJK-MNPQR-STVWX/", {"email": ADDRESS})
    lines = log.getvalue()
    assert "/claim/<str:code>/" in lines
    assert "ABCDE" not in lines
    assert "ada" not in lines.lower()


@pytest.mark.django_db
def test_an_unknown_page_is_logged_without_its_path(log: io.StringIO, client: Client) -> None:
    assert client.get(f"/unknown/{ADDRESS}/").status_code == 404
    lines = log.getvalue()
    assert "404" in lines
    assert "unknown" not in lines
    assert "ada" not in lines.lower()


@pytest.mark.django_db
def test_a_webhook_skips_the_middleware_for_readers_but_is_logged(
    log: io.StringIO, client: Client
) -> None:
    assert resolve(WEBHOOK_PATH).view_name == "campaigns:webhook"
    answer = client.post(WEBHOOK_PATH, b"{}", content_type="application/json")
    assert answer.status_code == 400
    assert "Content-Language" not in answer.headers
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert f"POST {WEBHOOK_PATH}" in log.getvalue()


# Ids at Stripe

IDS = [
    "cs_test_a1b2C3d4E5f6G7h8I9",
    "cs_live_a1b2C3d4E5f6G7h8I9",
    "cus_R4nd0mC0st0mer",
    "evt_1QabcDEFghiJKL",
]


@pytest.mark.parametrize("whole", IDS)
def test_ids_at_stripe_are_shortened_as_those_of_checkouts(log: io.StringIO, whole: str) -> None:
    structlog.get_logger("campaigns").info("settled", session=whole, tags=[{"of": whole}])
    url = f"https://api.stripe.com/v1/checkout/sessions/{whole}"
    logging.getLogger("stripe").info("message='Request to Stripe api' method=get url=%s", url)
    try:
        raise MailRefused(f"No such object: '{whole}'")
    except MailRefused:
        logging.getLogger("celery").exception("task failed")
    lines = log.getvalue()
    prefix, _, random = whole.rpartition("_")
    assert lines.count(f"{prefix}_{random[:8]}") >= 4
    assert random[:9] not in lines


def test_a_real_sale_leaves_no_whole_id_in_the_log(
    log: io.StringIO, campaign: Campaign, sandbox: SandboxControl
) -> None:
    checkout = place_order(campaign, "year")
    sandbox.pay(str(checkout.session_id))
    settlement.settle_checkout(checkout.pk)
    checkout.refresh_from_db()
    lines = log.getvalue()
    assert "Request to Stripe api" in lines
    for whole in (str(checkout.session_id), checkout.customer_id):
        assert len(whole) > 12
        assert whole not in lines


def test_secrets_are_hidden(log: io.StringIO) -> None:
    logging.getLogger("urllib3").info("sk_live_51Habc rk_test_99 whsec_AbCdEf123")
    assert "sk_live_[secret] rk_test_[secret] whsec_[secret]" in log.getvalue()


def test_names_of_tasks_and_prices_are_left_alone() -> None:
    text = "in_the_evening_of sub_division price_1QabcDEFghiJKL campaigns.tasks.re_count"
    assert shorten_ids(text) == text


ANSWER = """
import structlog
structlog.get_logger("campaigns").warning("mail_refused")
print("42 members")
"""


@pytest.mark.parametrize(
    "on_terminal",
    [True, pytest.param(False, marks=pytest.mark.thorough)],
    ids=["terminal", "file"],
)
def test_a_commands_answer_is_alone_on_standard_output(on_terminal: bool) -> None:
    reading, writing = pty.openpty() if on_terminal else os.pipe()
    done = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", ANSWER],
        env=os.environ | {"DJANGO_SETTINGS_MODULE": "newsroom.settings", **PRODUCTION},
        stdout=subprocess.PIPE,
        stderr=writing,
        text=True,
        check=True,
    )
    os.close(writing)
    logged = os.read(reading, 10_000).decode()
    os.close(reading)
    assert done.stdout == "42 members\n"
    assert "mail_refused" in logged
    assert logged.startswith("{") is not on_terminal
