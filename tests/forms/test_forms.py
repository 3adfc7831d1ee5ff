"""The order and claim forms: accepted input, and errors beside fields."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django import forms as django_forms
from django.core import signing
from django.core.exceptions import ValidationError

from campaigns.forms import ClaimCodeForm, ClaimForm, GiftForm, JoinForm, new_token, token_for
from campaigns.forms.fields import PersonEmailField
from campaigns.forms.offers import OfferField
from campaigns.models import Campaign
from campaigns.origins import Origin
from tests.support.factories import make_campaign, make_plan, make_price

pytestmark = [pytest.mark.django_db, pytest.mark.once]


@pytest.fixture
def birthday() -> Campaign:
    for kind in ("month", "year", "gift", "once"):
        make_price(kind)
    return make_campaign()


def typed_join(**changes: Any) -> dict[str, Any]:
    return {
        "token": new_token(),
        "price": make_price("year").pk,
        "name": "Ada Reader",
        "email": "ada@example.org",
    } | changes


def typed_gift(**changes: Any) -> dict[str, Any]:
    return {
        "token": new_token(),
        "price": make_price("gift").pk,
        "name": "Ada Reader",
        "email": "ada@example.org",
        "recipient_name": "Ben",
        "recipient_email": "ben@example.org",
        "message": "Read!",
    } | changes


def errors_of(form: django_forms.Form) -> dict[str, str]:
    assert not form.is_valid()
    return {name: " ".join(map(str, messages)) for name, messages in form.errors.items()}


def test_an_order_normalises_the_address(birthday: Campaign) -> None:
    token = uuid4()
    form = JoinForm(
        typed_join(token=token_for(token), email="  Ada@EXAMPLE.org ", name=" Ada  Reader "),
        campaign=birthday,
    )
    assert form.is_valid(), form.errors
    assert form.cleaned_data["token"] == token
    assert form.cleaned_data["email"] == "ada@example.org"
    assert form.cleaned_data["name"] == "Ada  Reader"
    assert form.cleaned_data["origin"] == Origin()


@pytest.mark.parametrize("address", ["root@localhost", "ada@[10.0.0.5]", "ada@[IPv6:::1]", "ada@b"])
def test_no_mail_goes_to_a_mailbox_of_our_own_machines(address: str) -> None:
    with pytest.raises(ValidationError, match="Enter a valid e-mail address"):
        PersonEmailField().clean(address)


def test_each_form_has_its_own_checkout_token() -> None:
    tokens = {new_token() for _ in range(100)}
    assert len(tokens) == 100


@pytest.mark.parametrize(
    "token",
    [
        "7f0e6e58-7f8e-4a79-9f3c-0123456789ab",
        signing.dumps("7f0e6e58-7f8e-4a79-9f3c-0123456789ab", salt="another"),
        signing.dumps("no uuid", salt="campaigns.checkout"),
        signing.dumps(None, salt="campaigns.checkout"),
    ],
    ids=["unsigned", "signed for something else", "no id", "nothing"],
)
def test_a_made_up_token_is_refused(birthday: Campaign, token: str) -> None:
    form = JoinForm(typed_join(token=token), campaign=birthday)
    assert errors_of(form) == {"token": "Something in this form was changed. Please send it again."}


def test_a_token_with_a_changed_letter_is_refused(birthday: Campaign) -> None:
    token = new_token()
    changed = ("B" if token[0] == "A" else "A") + token[1:]
    assert "token" in errors_of(JoinForm(typed_join(token=changed), campaign=birthday))


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("email", "ada", "for example name@example.org"),
        ("email", "ada@example", "for example name@example.org"),
        ("email", "ada@example.org, ben@example.org", "for example name@example.org"),
        ("email", "ada@example.org\nBcc: ben@example.org", "Enter a valid e-mail address"),
        ("email", f"{'a' * 250}@example.org", "254 characters"),
        ("email", "", "Enter an e-mail address."),
        ("name", "", "Enter a name."),
        ("name", "   ", "Enter a name."),
        ("name", "Ada\nReader", "on one line"),
        ("name", "Ada\x07", "on one line"),
        ("name", "A" * 121, "120 characters"),
        ("price", "", "Choose a price."),
        ("price", "0", "no longer available"),
        ("price", "year", "no longer available"),
    ],
)
def test_an_error_is_shown_beside_its_field_only(
    birthday: Campaign, field: str, value: str, said: str
) -> None:
    errors = errors_of(JoinForm(typed_join(**{field: value}), campaign=birthday))
    assert list(errors) == [field]
    assert said in errors[field]


@pytest.mark.parametrize("name", ["=1+1", "+380", "-2", "@SUM(A1)", "\t=1", " =1", "＝1"])
def test_a_name_that_is_a_formula_is_refused(birthday: Campaign, name: str) -> None:
    errors = errors_of(JoinForm(typed_join(name=name), campaign=birthday))
    assert errors["name"].startswith("A name can’t start with “")
    assert JoinForm(typed_join(name="O’Neil-Ada + Ben"), campaign=birthday).is_valid()


def test_a_probable_typo_in_an_address_is_questioned_once(birthday: Campaign) -> None:
    form = JoinForm(typed_join(email="ada@gmial.com"), campaign=birthday)
    assert errors_of(form)["email"].startswith("Did you mean ada@gmail.com?")
    again = JoinForm(
        typed_join(email="ada@gmial.com", asked=form["asked"].value()), campaign=birthday
    )
    assert again.is_valid(), again.errors


def test_errors_keep_the_typed_values(birthday: Campaign) -> None:
    form = JoinForm(typed_join(email="ada", name="Áda <b>"), campaign=birthday)
    assert not form.is_valid()
    assert form["email"].value() == "ada"
    assert 'value="Áda &lt;b&gt;"' in str(form["name"])


def test_only_join_prices_in_the_campaigns_currency_are_offered(
    birthday: Campaign,
) -> None:
    make_price("year", currency="usd")
    make_price("year", amount_minor=9000, is_active=False)
    withdrawn = make_plan("withdrawn")
    withdrawn.is_active = False
    withdrawn.save()
    make_price("year", plan=withdrawn)
    field = JoinForm(campaign=birthday).fields["price"]
    assert isinstance(field, OfferField)
    assert sorted(offer.kind for offer in field.offers) == ["month", "once", "year"]


@pytest.mark.usefixtures("birthday")
def test_a_gift_cannot_be_bought_at_a_join_price(birthday: Campaign) -> None:
    year, gift = make_price("year").pk, make_price("gift").pk
    assert "price" in errors_of(GiftForm(typed_gift(price=year), campaign=birthday))
    assert "price" in errors_of(JoinForm(typed_join(price=gift), campaign=birthday))


def test_a_price_withdrawn_meanwhile_is_an_error(birthday: Campaign) -> None:
    price = make_price("year")
    typed = typed_join()
    price.is_active = False
    price.save()
    errors = errors_of(JoinForm(typed, campaign=birthday))
    assert errors == {"price": "This price is no longer available. Choose another one."}


def test_without_a_campaign_prices_are_in_euros() -> None:
    make_price("year", currency="usd")
    euros = make_price("year")
    field = JoinForm(campaign=None).fields["price"]
    assert isinstance(field, OfferField)
    assert [offer.price for offer in field.offers] == [euros]


# Gifts


def test_a_gift_goes_to_its_recipient(birthday: Campaign) -> None:
    form = GiftForm(typed_gift(recipient_email="Ben@Example.org"), campaign=birthday)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["recipient_email"] == "ben@example.org"
    assert isinstance(form.cleaned_data["token"], UUID)


def test_a_gift_to_hand_over_has_no_recipient_address(birthday: Campaign) -> None:
    form = GiftForm(typed_gift(hand_over="on"), campaign=birthday)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["recipient_email"] == ""


def test_a_gift_needs_an_address_or_is_handed_over(birthday: Campaign) -> None:
    errors = errors_of(GiftForm(typed_gift(recipient_email=""), campaign=birthday))
    assert list(errors) == ["recipient_email"]
    assert "tick “I’ll hand it over myself”" in errors["recipient_email"]


def test_a_wrong_address_has_one_error(birthday: Campaign) -> None:
    form = GiftForm(typed_gift(recipient_email="ben"), campaign=birthday)
    assert not form.is_valid()
    assert len(form.errors["recipient_email"]) == 1


@pytest.mark.parametrize("newline", ["\n", "\r\n", "\r"])
def test_a_message_keeps_its_lines(birthday: Campaign, newline: str) -> None:
    form = GiftForm(typed_gift(message=f"Read!{newline}{newline}\tAda"), campaign=birthday)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["message"] == "Read!\n\n\tAda"


def test_a_message_of_500_characters_fits_with_its_line_breaks(birthday: Campaign) -> None:
    """Browsers count a line break as one character and send two."""
    message = "\r\n".join(["A" * 49] * 10) + "A"
    assert len(message.replace("\r\n", "\n")) == 500
    form = GiftForm(typed_gift(message=message), campaign=birthday)
    assert form.is_valid(), form.errors
    assert "message" in errors_of(GiftForm(typed_gift(message="A" * 501), campaign=birthday))


@pytest.mark.parametrize("letter", ["\x07", "\x1b"])
def test_invisible_characters_in_a_message_are_an_error(birthday: Campaign, letter: str) -> None:
    errors = errors_of(GiftForm(typed_gift(message=f"Read{letter}!"), campaign=birthday))
    assert errors == {"message": "Remove the invisible characters from this text."}


# Claims


@pytest.mark.parametrize("code", ["ABCDE-FGHJK-MNPQR-STVWX", " abcde fghjk mnpqr stvwx "])
def test_a_code_is_accepted_in_any_grouping(code: str) -> None:
    assert ClaimCodeForm({"code": code}).is_valid()


@pytest.mark.parametrize("code", ["ABCDE", "ABCDE-FGHJK-MNPQR-STVWX-YZ234", "?????-" * 4])
def test_a_malformed_code_gets_the_unknown_code_error(code: str) -> None:
    form = ClaimCodeForm({"code": code})
    unknown = str(form.fields["code"].error_messages["unknown"])
    assert errors_of(form) == {"code": unknown}


def test_a_claim_normalises_the_address() -> None:
    form = ClaimForm({"name": "Ben", "email": " Ben@Example.org"})
    assert form.is_valid(), form.errors
    assert form.cleaned_data["name"] == "Ben"
    assert form.cleaned_data["email"] == "ben@example.org"


@pytest.mark.parametrize("form_class", [JoinForm, GiftForm])
def test_fields_have_autocomplete_hints(birthday: Campaign, form_class: type[Any]) -> None:
    form = form_class(campaign=birthday)
    assert 'autocomplete="name"' in str(form["name"])
    assert 'autocomplete="email"' in str(form["email"])
    assert 'type="email"' in str(form["email"])
    for name, field in form.fields.items():
        assert field.label or isinstance(field.widget, django_forms.HiddenInput), name


def test_common_domains_are_not_confused(birthday: Campaign) -> None:
    form = JoinForm(typed_join(email="Max@Straße.DE"), campaign=birthday)
    assert form.is_valid(), form.errors
    assert form.cleaned_data["email"] == "max@xn--strae-oqa.de"


def test_a_price_without_a_stripe_id_is_not_on_sale(birthday: Campaign) -> None:
    price = make_price("year")
    price.stripe_price_id = ""
    price.save()
    form = JoinForm(typed_join(price=price.pk), campaign=birthday)
    assert not form.is_valid()
    assert "price" in form.errors
