import http.client
import re
from urllib.parse import urlencode, urlsplit

import stripe

from newsroom.sandbox.control import SandboxControl

from .conftest import CANCEL_URL, NOON, OpenSession

CARD = {
    "email": "reader@example.org",
    "method": "card",
    "number": "4242 4242 4242 4242",
    "expiry": "04 / 31",
    "cvc": "123",
    "name": "Ada Reader",
}


class Answer:
    def __init__(self, response: http.client.HTTPResponse) -> None:
        self.status = response.status
        self.location = response.headers.get("Location", "")
        self.policy = response.headers.get("Content-Security-Policy", "")
        self.text = response.read().decode()

    def has(self, words: str) -> bool:
        return words in re.sub(r"\s+", " ", self.text)


def visit(url: str, form: dict[str, str] | None = None) -> Answer:
    """Send one request, as a browser without JavaScript would, and don't follow redirects."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port)
    try:
        if form is None:
            connection.request("GET", parts.path)
        else:
            headers = {"Content-Type": "application/x-www-form-urlencoded"}
            connection.request("POST", parts.path, urlencode(form), headers)
        return Answer(connection.getresponse())
    finally:
        connection.close()


def get_url(session: stripe.checkout.Session) -> str:
    assert session.url is not None
    return session.url


def test_a_decline_is_shown_beside_its_field_and_a_good_card_pays(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    session = open_gift()
    url = get_url(session)
    page = visit(url)
    assert page.status == 200
    assert page.has("no money moves")
    assert page.has("€48.00")
    assert page.has(f'href="{CANCEL_URL}"')

    declined = visit(url, {**CARD, "number": "4000 0000 0000 9995"})
    assert declined.status == 422
    assert declined.has("Your card has insufficient funds.")
    assert declined.has('value="4000 0000 0000 9995"')
    assert declined.has('value="Ada Reader"')
    assert declined.has('value="04 / 31"')
    assert 'value="123"' not in declined.text

    paid = visit(url, CARD)
    assert paid.status == 303
    assert paid.location == f"http://127.0.0.1:9/thanks?session={session.id}"
    done = stripe_client.v1.checkout.sessions.retrieve(session.id)
    assert done.payment_status == "paid"
    assert done.customer_details is not None
    assert (done.customer_details.email, done.customer_details.name) == (
        "reader@example.org",
        "Ada Reader",
    )

    again = visit(url, CARD)
    assert again.status == 200
    assert again.has("Payment already completed")
    assert control.books()["currencies"]["eur"]["counts"]["charge"] == 1


def test_wrong_input_is_rejected_before_a_payment_is_tried(
    control: SandboxControl, open_gift: OpenSession
) -> None:
    control.freeze(NOON)
    url = get_url(open_gift())
    empty = visit(url, {"method": "card"})
    for words in (
        "Enter an e-mail address",
        "Enter the card number.",
        "Enter month and year",
        "Enter the 3 digits",
        "Enter the name on the card.",
    ):
        assert empty.has(words)
    wrong = visit(url, {**CARD, "number": "4242424242424241", "expiry": "10/26", "cvc": "1"})
    assert wrong.has("Check the card number.")
    assert wrong.has("This card has expired")
    amex = visit(url, {**CARD, "number": "378282246310005"})
    assert amex.has("Enter the 4 digits")
    assert visit(url, {**CARD, "expiry": "11/2026", "number": "1"}).has("Check the card number.")
    assert control.events("payment_intent.created") == []


def test_a_membership_shows_its_renewals_and_the_known_address(
    open_membership: OpenSession, control: SandboxControl
) -> None:
    url = get_url(open_membership())
    page = visit(url)
    assert page.has("then €60.00 every year until you cancel")
    assert page.has("reader@example.org")
    assert 'name="email"' not in page.text
    form = {name: value for name, value in CARD.items() if name != "email"}
    assert visit(url, form).status == 303


def test_three_d_secure_has_its_own_page(control: SandboxControl, open_gift: OpenSession) -> None:
    url = get_url(open_gift())
    asked = visit(url, {**CARD, "number": "4000002500003155"})
    assert (asked.status, asked.location) == (303, f"{urlsplit(url).path}/check")
    check = f"{url}/check"
    assert visit(check).has("Confirm your payment")
    failed = visit(check, {"answer": "fail"})
    assert failed.status == 422
    assert failed.has("unable to authenticate")
    assert failed.has('value="Ada Reader"')
    assert visit(check).status == 303
    visit(url, {**CARD, "number": "4000002500003155"})
    done = visit(check, {"answer": "complete"})
    assert done.status == 303
    assert done.location.startswith("http://127.0.0.1:9/thanks")


def test_a_bank_debit_can_be_started_on_the_page(
    control: SandboxControl, stripe_client: stripe.StripeClient, open_gift: OpenSession
) -> None:
    session = open_gift()
    form = {"email": "a@example.org", "method": "sepa_debit", "holder": "Ada Reader"}
    assert visit(get_url(session), {**form, "iban": "DE00"}).has("one of the two test accounts")
    started = visit(get_url(session), {**form, "iban": "de89 3704 0044 0532 0130 00"})
    assert started.status == 303
    assert stripe_client.v1.checkout.sessions.retrieve(session.id).payment_status == "unpaid"
    assert visit(get_url(session)).has("Payment pending")


def test_expired_and_unknown_payment_pages_say_so(
    control: SandboxControl, open_gift: OpenSession
) -> None:
    url = get_url(open_gift())
    control.advance(days=2)
    expired = visit(url, CARD)
    assert expired.status == 410
    assert expired.has("has expired")
    unknown = visit(url[:-5])
    assert unknown.status == 404
    assert unknown.has("Payment not found")
    assert control.books()["currencies"] == {}


def test_pages_have_a_strict_content_security_policy(
    control: SandboxControl, open_gift: OpenSession
) -> None:
    url = get_url(open_gift(success_url="https://news.example/thanks"))
    policy = visit(url).policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self' http://127.0.0.1:9 https://news.example" in policy
    assert visit(control.url + "/").status == 200
    assert visit(control.url + "/assets/sandbox.css").status == 200


def test_the_portal_changes_the_card_cancels_and_resumes(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    portal = stripe_client.v1.billing_portal.sessions.create(
        {"customer": str(subscription.customer), "return_url": "http://127.0.0.1:9/account"}
    )
    page = visit(portal.url)
    assert page.has("€60.00 every year")
    assert page.has("Visa ending in 4242")
    assert page.has('href="http://127.0.0.1:9/account"')

    card = {**CARD, "number": "4000000000000002"}
    assert visit(f"{portal.url}/card", card).has("Your card was declined.")
    assert visit(f"{portal.url}/card", {**CARD, "number": "5555555555554444"}).status == 303
    assert visit(portal.url).has("Mastercard ending in 4444")

    cancel = f"{portal.url}/subscriptions/{subscription.id}/cancel"
    assert visit(cancel).has("Cancel Membership?")
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False
    assert visit(cancel, {}).status == 303
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is True
    assert visit(portal.url).has("You won't be charged again.")
    assert visit(f"{portal.url}/subscriptions/{subscription.id}/resume", {}).status == 303
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False


def test_the_portal_takes_payment_for_an_open_invoice(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    invoice = control.renew(subscription.id, outcome="failed")
    portal = stripe_client.v1.billing_portal.sessions.create(
        {"customer": str(subscription.customer)}
    )
    assert visit(portal.url).has(f"Pay invoice {invoice['number']}")
    pay = f"{portal.url}/invoices/{invoice['id']}/pay"
    visit(f"{portal.url}/card", {**CARD, "number": "4000000000000341"})
    refused = visit(pay, {})
    assert refused.status == 422
    assert refused.has("Your card was declined.")
    visit(f"{portal.url}/card", CARD)
    assert visit(pay, {}).status == 303
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).status == "active"
    assert not visit(portal.url).has("Open invoices")
    stranger = stripe_client.v1.customers.create({"email": "stranger@example.org"})
    other = stripe_client.v1.billing_portal.sessions.create({"customer": stranger.id})
    assert visit(f"{other.url}/invoices/{invoice['id']}/pay", {}).status == 404


def test_the_portal_shows_only_the_customers_own_subscriptions(
    control: SandboxControl, stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    stranger = stripe_client.v1.customers.create({"email": "stranger@example.org"})
    portal = stripe_client.v1.billing_portal.sessions.create({"customer": stranger.id})
    assert visit(portal.url).has("You have no subscriptions.")
    assert visit(f"{portal.url}/subscriptions/{subscription.id}/cancel", {}).status == 404
    assert visit(control.url + "/p/session/bps_none").status == 404
    assert stripe_client.v1.subscriptions.retrieve(subscription.id).cancel_at_period_end is False


def test_receipts_and_invoices_have_pages(
    stripe_client: stripe.StripeClient, subscription: stripe.Subscription
) -> None:
    [charge] = stripe_client.v1.charges.list().data
    assert charge.receipt_url is not None
    receipt = visit(charge.receipt_url)
    assert receipt.has("€60.00")
    assert receipt.has("Visa ending in 4242")
    invoice = stripe_client.v1.invoices.retrieve(str(subscription.latest_invoice))
    assert invoice.hosted_invoice_url is not None
    assert visit(invoice.hosted_invoice_url).has(str(invoice.number))
