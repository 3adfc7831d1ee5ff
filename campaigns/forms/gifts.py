"""The forms for one gift, and for up to 100 gifts in one payment."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.db.models import F
from django.http import QueryDict
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.forms.delivery import DeliveryForm
from campaigns.forms.fields import MessageField, NameField, PersonEmailField, PriceField
from campaigns.forms.lists import COLUMNS, LARGEST, Row, UnreadableList, decode_list, read_list
from campaigns.forms.orders import CheckoutForm
from campaigns.forms.questions import Question, check_recipient
from campaigns.models import Checkout, Price, Terms
from campaigns.money import decimal_places
from campaigns.people import canonical_email

MOST_GIFTS = 100
MIN_ROWS = 3
MORE_ROWS = 5
_ROWS = "rows"


class BuyerForm(DeliveryForm, CheckoutForm):
    """The buyer, the length and the delivery: the base of both gift forms."""

    kind = Checkout.Kind.GIFT

    price = PriceField(label=_("How long the gift lasts"))
    name = NameField(
        label=_("Your name"),
        help_text=_("The recipient will see this name."),
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("We’ll send the receipt and the link to your gifts here."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prices = Price.objects.for_giving(currency=self.currency)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]
        self.offer_zones(self.campaign)

    @property
    def typed_buyer(self) -> str:
        """The buyer's address, also if there is an error or a question beside it."""
        return canonical_email(str(self["email"].value() or ""))

    def list_prices(self) -> list[Price]:
        return list(self.fields["price"].queryset)  # type: ignore[attr-defined]

    def find_choice(self, terms: Price | Terms) -> int:
        assert isinstance(terms, Price), "the price of a gift is fixed"
        return terms.pk

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.clean_delivery()
        return cleaned


class GiftForm(BuyerForm):
    field_order = (
        *("price", "name", "email", "recipient_name", "hand_over", "recipient_email"),
        *("message", "when", "deliver_on", "deliver_hour", "zone"),
    )

    recipient_name = NameField(
        label=_("Recipient’s name"), widget=forms.TextInput({"autocomplete": "off"})
    )
    hand_over = forms.BooleanField(label=_("I’ll hand it over myself"), required=False)
    recipient_email = PersonEmailField(
        label=_("Recipient’s e-mail"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    message = MessageField(label=_("Your message"), help_text=_("Optional. Up to 500 characters."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("hand_over"):
            cleaned["recipient_email"] = ""
            self.errors.pop("recipient_email", None)
        elif not cleaned.get("recipient_email") and "recipient_email" not in self.errors:
            self.add_error(
                "recipient_email",
                _("Enter the recipient’s e-mail, or tick “I’ll hand it over myself”."),
            )
        address = cleaned.get("recipient_email", "")
        questions = check_recipient(address, buyer=self.typed_buyer)
        self.ask_once("recipient_email", questions)
        return cleaned

    def gifts(self) -> list[dict[str, str]]:
        return [{name: self.cleaned_data[name] for name in COLUMNS} | self.delivery()]


# Many gifts


class GiftRowForm(forms.Form):
    """One row of the form for many gifts; an empty row is ignored."""

    use_required_attribute = False

    recipient_name = NameField(label=_("Name"), widget=forms.TextInput({"autocomplete": "off"}))
    recipient_email = PersonEmailField(
        label=_("E-mail"), required=False, widget=forms.EmailInput({"autocomplete": "off"})
    )
    message = MessageField(label=_("Message"), widget=forms.Textarea({"rows": 3}))

    def clean_recipient_name(self) -> str:
        name = str(self.cleaned_data["recipient_name"])
        if "@" in name:
            raise forms.ValidationError(
                _("This looks like an e-mail address. Put the name first, then the e-mail.")
            )
        return name

    def clean_recipient_email(self) -> str:
        return _refuse_formula(self.cleaned_data["recipient_email"])

    def clean_message(self) -> str:
        return _refuse_formula(self.cleaned_data["message"])


def _refuse_formula(text: str) -> str:
    if text.startswith("="):
        raise forms.ValidationError(_("This is a formula. Enter plain text instead."))
    return text


class _Rows(forms.BaseFormSet):  # type: ignore[type-arg]
    """Rows without initial data, so each of them may be left empty."""

    def initial_form_count(self) -> int:
        return 0


_RowSet = forms.formset_factory(
    GiftRowForm, formset=_Rows, extra=0, max_num=MOST_GIFTS, absolute_max=MOST_GIFTS
)


def _make_rows(data: Mapping[str, Any] | None, *, typed: list[Row]) -> Any:
    # No initial data for sent rows: an unchanged row is a gift too.
    rows = _RowSet(data, initial=typed if data is None else None, prefix=_ROWS)
    rows.extra = len(typed)
    return rows


class RowError(NamedTuple):
    """An error in a row: the number of the row, and the field and text to show."""

    number: int
    field_id: str
    label: "str | Promise"
    text: str


def read_rows(data: Mapping[str, Any]) -> list[Row]:
    """Return the rows as typed, including empty ones."""
    try:
        total = int(data.get(f"{_ROWS}-TOTAL_FORMS", 0))
    except (TypeError, ValueError):
        total = 0
    return [
        {name: str(data.get(f"{_ROWS}-{at}-{name}", "")) for name in COLUMNS}
        for at in range(max(0, min(total, MOST_GIFTS)))
    ]


def drop_empty_rows(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if any(text.strip() for text in row.values())]


def add_rows(rows: list[Row], *, number: int = 0) -> list[Row]:
    """Add `number` empty rows, within the limits of the form."""
    total = min(max(len(rows) + number, MIN_ROWS), MOST_GIFTS)
    return rows + [dict.fromkeys(COLUMNS, "") for _ in range(total - len(rows))]


def _encode_rows(rows: list[Row]) -> dict[str, str]:
    """Return the rows as a browser sends them."""
    sent = {f"{_ROWS}-TOTAL_FORMS": str(len(rows)), f"{_ROWS}-INITIAL_FORMS": "0"}
    for at, row in enumerate(rows):
        sent |= {f"{_ROWS}-{at}-{name}": text for name, text in row.items()}
    return sent


class GiftsForm(BuyerForm):
    """Up to 100 gifts of one price, in rows that a pasted or uploaded list can fill in."""

    field_order = (
        *("price", "name", "email", "paste", "upload"),
        *("message", "when", "deliver_on", "deliver_hour", "zone"),
    )

    message = MessageField(
        label=_("Message to all recipients"),
        help_text=_("Optional. Used for rows without a custom message. Up to 500 characters."),
    )
    paste = forms.CharField(
        label=_("Paste a list"),
        help_text=_(
            "One gift per line: name, e-mail, message. Separate with commas, semicolons or tabs. "
            "Leave the e-mail empty to hand a gift over yourself. You can also paste "
            "addresses from an e-mail: Ada <ada@example.org>; Ben <ben@example.org>."
        ),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
    )
    upload = forms.FileField(
        label=_("Or choose a file"),
        help_text=_("A CSV file (UTF-8) with the same columns, up to 200 kB."),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,text/csv"}),
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, rows: list[Row] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, files, **kwargs)
        typed = read_rows(data) if data is not None else rows or []
        self.rows = _make_rows(data, typed=add_rows(typed))
        self._count_gifts(typed)

    @classmethod
    def as_typed(cls, data: Mapping[str, Any], *, rows: list[Row], **kwargs: Any) -> "GiftsForm":
        """Return an unchecked form with what was typed and other rows."""
        initial = {name: read_typed(data, name) for name in cls.base_fields if name in data}
        return cls(initial=initial, rows=rows, **kwargs)

    def _count_gifts(self, rows: list[Row]) -> None:
        """Set the number of gifts, and their total at each price."""
        self.count = len(drop_empty_rows(rows))
        self.places = decimal_places(self.currency)
        prices = self.fields["price"].queryset  # type: ignore[attr-defined]
        priced = prices.annotate(total_minor=F("amount_minor") * self.count)
        self.fields["price"].queryset = priced  # type: ignore[attr-defined]

    # The list

    def has_list(self) -> bool:
        return bool(str(self["paste"].value() or "").strip() or self.files.get("upload"))

    def take_list(self) -> "GiftsForm":
        """Return a form with the rows of the list, checked.

        If the list can't be read, return the form as typed, with an error beside the list.
        """
        typed, field = read_rows(self.data), "paste"
        kept = drop_empty_rows(typed)
        listed: list[Row] = []
        options = {"campaign": self.campaign}
        try:
            paste, upload = str(self["paste"].value() or ""), self.files.get("upload")
            if paste.strip():
                listed += read_list(paste, most=MOST_GIFTS)
            field = "upload" if upload else "paste"
            if upload:
                listed += read_upload(upload)
            if not listed:
                raise UnreadableList(_("Paste a list here, or choose a file below."))
            if len(kept) + len(listed) > MOST_GIFTS:
                raise UnreadableList(
                    _("With the rows below, this is more than 100 gifts. Remove some of them.")
                )
        except UnreadableList as unreadable:
            form = GiftsForm.as_typed(self.data, rows=typed, **options)
            form._add_list_error(field, unreadable.text)
            return form
        rows = kept + listed
        data = {name: read_typed(self.data, name) for name in self.data if name != "paste"}
        form = GiftsForm.as_typed(data, rows=rows, **options)
        form.rows = _make_rows(_encode_rows(add_rows(rows)), typed=[])
        form.check_rows(buyer=self.typed_buyer)
        return form

    def with_more_rows(self) -> "GiftsForm":
        """Return the form as typed, with more empty rows."""
        rows = add_rows(read_rows(self.data), number=MORE_ROWS)
        return GiftsForm.as_typed(self.data, rows=rows, campaign=self.campaign)

    def _add_list_error(self, field: str, text: "str | Promise") -> None:
        """Add an error to a field of an unchecked form."""
        assert not self.errors
        self.cleaned_data = {}
        self.add_error(field, forms.ValidationError(str(text), code="unreadable"))

    # The rows

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.check_rows(buyer=self.typed_buyer)
        if not self.count:
            text = _("Fill in a row, or paste a list above.")
            if self.rows.forms:
                self.rows.forms[0].add_error("recipient_name", text)
            else:
                self.add_error(None, text)
        if self.rows.management_form.cleaned_data["TOTAL_FORMS"] > MOST_GIFTS:
            self.add_error(None, _("You can buy up to 100 gifts in one payment."))
        return cleaned

    def check_rows(self, *, buyer: str) -> None:
        """Check each row, then compare the addresses of all rows with each other."""
        self.rows.is_valid()
        first: dict[str, int] = {}
        for number, row in enumerate(self.rows.forms, start=1):
            address = row.cleaned_data.get("recipient_email", "")
            if not address:
                continue
            questions = check_recipient(address, buyer=buyer)
            if address in first:
                text = _(
                    "Row %(number)s has the same address. If this is correct, send the form again."
                ) % {"number": first[address]}
                questions.append(Question("twice", address, text))
            first.setdefault(address, number)
            self.ask_once("recipient_email", questions, row=row)

    def is_valid(self) -> bool:
        return super().is_valid() and not self.row_errors()

    def row_errors(self) -> list[RowError]:
        """Return the errors of all rows, in the order of the page."""
        if not self.rows.is_bound:
            return []
        return [
            RowError(number, row[name].auto_id, row[name].label, str(text))
            for number, row in enumerate(self.rows.forms, start=1)
            for name, texts in row.errors.items()
            for text in texts
        ]

    def gifts(self) -> list[dict[str, str]]:
        shared, delivery = self.cleaned_data["message"], self.delivery()
        filled_rows = [row.cleaned_data for row in self.rows.forms if row.cleaned_data]
        return [
            {name: row[name] for name in COLUMNS} | {"message": row["message"] or shared} | delivery
            for row in filled_rows
        ]


def read_typed(data: Mapping[str, Any], name: str) -> Any:
    """Return what was typed in a field, or the list of what was ticked."""
    if name == "newsletters" and isinstance(data, QueryDict):
        return data.getlist(name)
    return data.get(name)


def read_upload(upload: Any) -> list[Row]:
    if upload.size > LARGEST:
        raise UnreadableList(
            _("This file is larger than 200 kB. Keep only the recipients and try again.")
        )
    return read_list(decode_list(upload.read()), most=MOST_GIFTS)
