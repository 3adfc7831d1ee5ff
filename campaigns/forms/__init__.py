"""The forms for readers. Each error says what to do, and nothing typed is lost."""

from campaigns.forms.claims import ClaimCodeForm, ClaimForm
from campaigns.forms.delivery import DeliveryForm
from campaigns.forms.fields import MessageField, NameField, PersonEmailField, PriceField
from campaigns.forms.gifts import MOST_GIFTS, GiftForm, GiftsForm
from campaigns.forms.lists import UnreadableList
from campaigns.forms.newsletters import NewsletterForm, write_consent, write_wordings
from campaigns.forms.orders import (
    CheckoutForm,
    ContributionForm,
    JoinForm,
    PersonForm,
    new_token,
    token_for,
)

__all__ = [
    "MOST_GIFTS",
    "CheckoutForm",
    "ClaimCodeForm",
    "ClaimForm",
    "ContributionForm",
    "DeliveryForm",
    "GiftForm",
    "GiftsForm",
    "JoinForm",
    "MessageField",
    "NameField",
    "NewsletterForm",
    "PersonEmailField",
    "PersonForm",
    "PriceField",
    "UnreadableList",
    "new_token",
    "token_for",
    "write_consent",
    "write_wordings",
]
