"""One gift, or up to a hundred in one payment."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from django import forms
from django.db.models import F
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from campaigns.forms.delivery import DeliveryForm
from campaigns.forms.fields import MessageField, NameField, PersonEmailField, PriceField
from campaigns.forms.lists import COLUMNS, LARGEST, Row, UnreadableList, decode_list, read_list
from campaigns.forms.orders import CheckoutForm
from campaigns.forms.questions import Question, question_address, question_recipient
from campaigns.models import Checkout, Price
from campaigns.money import decimal_places

MOST_GIFTS = 100
FEWEST_ROWS = 3
MORE_ROWS = 5
_ROWS = "rows"


class GiversForm(DeliveryForm, CheckoutForm):
    """Who gives, for how long, and when it is delivered."""

    kind = Checkout.Kind.GIFT

    price = PriceField(label=_("How long the gift lasts"))
    name = NameField(
        label=_("Your name"),
        help_text=_("As the recipient will read it."),
        widget=forms.TextInput({"autocomplete": "name"}),
    )
    email = PersonEmailField(
        label=_("Your e-mail"),
        help_text=_("The receipt and the claim link go there."),
        widget=forms.EmailInput({"autocomplete": "email"}),
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        prices = Price.objects.for_giving(currency=self.currency)
        self.fields["price"].queryset = prices  # type: ignore[attr-defined]
        self.offer_zones(self.campaign)

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.clean_delivery()
        return cleaned


class GiftForm(GiversForm):
    field_order = (
        *("price", "name", "email", "recipient_name", "hand_over", "recipient_email"),
        *("message", "when", "deliver_on", "deliver_hour", "zone"),
    )

    recipient_name = NameField(
        label=_("Recipient’s name"), widget=forms.TextInput({"autocomplete": "off"})
    )
    hand_over = forms.BooleanField(label=_("I will hand it over myself"), required=False)
    recipient_email = PersonEmailField(
        label=_("Recipient’s e-mail"),
        required=False,
        widget=forms.EmailInput({"autocomplete": "off"}),
    )
    message = MessageField(label=_("Your message"), help_text=_("Up to 500 characters. Optional."))

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        if cleaned.get("hand_over"):
            cleaned["recipient_email"] = ""
            self.errors.pop("recipient_email", None)
        elif not cleaned.get("recipient_email") and "recipient_email" not in self.errors:
            self.add_error(
                "recipient_email",
                _("Please give the recipient’s address, or tick that you hand it over yourself."),
            )
        address = cleaned.get("recipient_email", "")
        doubt = question_recipient(address, buyer=cleaned.get("email", "")) or question_address(
            address
        )
        self.ask("recipient_email", doubt)
        return cleaned

    def gifts(self) -> list[dict[str, str]]:
        return [{name: self.cleaned_data[name] for name in COLUMNS} | self.delivery()]


# Many gifts


class GiftRowForm(forms.Form):
    """One of many gifts. A row that is left empty is none."""

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
                _("This looks like an address. The name stands first, and the address after it.")
            )
        return name

    def clean_recipient_email(self) -> str:
        return _refuse_formula(self.cleaned_data["recipient_email"])

    def clean_message(self) -> str:
        return _refuse_formula(self.cleaned_data["message"])


def _refuse_formula(text: str) -> str:
    if text.startswith("="):
        raise forms.ValidationError(_("This is a formula. Please write what it says instead."))
    return text


class _Rows(forms.BaseFormSet):  # type: ignore[type-arg]
    """None of the rows was there before: each may be left empty, also one that was filled in."""

    def initial_form_count(self) -> int:
        return 0


_RowSet = forms.formset_factory(
    GiftRowForm, formset=_Rows, extra=0, max_num=MOST_GIFTS, absolute_max=MOST_GIFTS
)


def _make_rows(data: Mapping[str, Any] | None, *, typed: list[Row]) -> Any:
    # What is sent is compared with nothing: a row that comes back as it was shown is a gift, too.
    rows = _RowSet(data, initial=typed if data is None else None, prefix=_ROWS)
    rows.extra = len(typed)
    return rows


class RowError(NamedTuple):
    number: int
    field_id: str
    label: "str | Promise"
    text: str


def rows_in(data: Mapping[str, Any]) -> list[Row]:
    """The rows as they were typed, the empty ones too."""
    try:
        total = int(data.get(f"{_ROWS}-TOTAL_FORMS", 0))
    except (TypeError, ValueError):
        total = 0
    return [
        {name: str(data.get(f"{_ROWS}-{at}-{name}", "")) for name in COLUMNS}
        for at in range(max(0, min(total, MOST_GIFTS)))
    ]


def filled(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if any(text.strip() for text in row.values())]


def add_rows(rows: list[Row], *, number: int = 0) -> list[Row]:
    """Some empty rows more, so that there are never too few to type in, nor too many to pay."""
    wanted = min(max(len(rows) + number, FEWEST_ROWS), MOST_GIFTS)
    return rows + [dict.fromkeys(COLUMNS, "") for _ in range(wanted - len(rows))]


def _as_sent(rows: list[Row]) -> dict[str, str]:
    """The rows as a browser sends them."""
    sent = {f"{_ROWS}-TOTAL_FORMS": str(len(rows)), f"{_ROWS}-INITIAL_FORMS": "0"}
    for at, row in enumerate(rows):
        sent |= {f"{_ROWS}-{at}-{name}": text for name, text in row.items()}
    return sent


class GiftsForm(GiversForm):
    """Up to a hundred gifts of one kind: rows, which a list may fill in."""

    field_order = (
        *("price", "name", "email", "paste", "upload"),
        *("message", "when", "deliver_on", "deliver_hour", "zone"),
    )

    message = MessageField(
        label=_("A message to all"),
        help_text=_("For each row without one of its own. Up to 500 characters. Optional."),
    )
    paste = forms.CharField(
        label=_("Paste a list"),
        help_text=_(
            "A line for each gift: name, e-mail, message. Commas, semicolons or tabs part them. "
            "Without an e-mail you hand the gift over yourself."
        ),
        required=False,
        strip=False,
        widget=forms.Textarea({"rows": 5, "autocomplete": "off", "spellcheck": "false"}),
    )
    upload = forms.FileField(
        label=_("Or choose a file"),
        help_text=_("CSV in UTF-8, up to 200 kB, with the same columns."),
        required=False,
        allow_empty_file=True,
        widget=forms.FileInput({"accept": ".csv,.tsv,.txt,text/csv"}),
    )

    def __init__(
        self, data: Any = None, files: Any = None, *, rows: list[Row] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(data, files, **kwargs)
        typed = rows_in(data) if data is not None else rows or []
        self.rows = _make_rows(data, typed=add_rows(typed))
        self._count(typed)

    @classmethod
    def as_typed(cls, data: Mapping[str, Any], *, rows: list[Row], **kwargs: Any) -> "GiftsForm":
        """The form as it was typed, with other rows; nothing of it is checked yet."""
        initial = {name: data.get(name) for name in cls.base_fields if name in data}
        return cls(initial=initial, rows=rows, **kwargs)

    def _count(self, rows: list[Row]) -> None:
        """How many gifts there are so far, and what they cost by each price."""
        self.count = len(filled(rows))
        self.places = decimal_places(self.currency)
        prices = self.fields["price"].queryset  # type: ignore[attr-defined]
        priced = prices.annotate(total_minor=F("amount_minor") * self.count)
        self.fields["price"].queryset = priced  # type: ignore[attr-defined]

    # The list

    def has_list(self) -> bool:
        return bool(str(self["paste"].value() or "").strip() or self.files.get("upload"))

    def take_list(self) -> "GiftsForm":
        """The form with the rows of the list to be looked over, and what is wrong with them.

        If the list can not be read, the form as it is, with the reason beside the list.
        """
        typed, field = rows_in(self.data), "paste"
        kept = filled(typed)
        listed: list[Row] = []
        same = {"campaign": self.campaign}
        try:
            paste, upload = str(self["paste"].value() or ""), self.files.get("upload")
            if paste.strip():
                listed += read_list(paste, most=MOST_GIFTS)
            field = "upload" if upload else "paste"
            if upload:
                listed += read_upload(upload)
            if not listed:
                raise UnreadableList(_("Please paste a list here, or choose a file below."))
            if len(kept) + len(listed) > MOST_GIFTS:
                raise UnreadableList(
                    _("With the rows below these are more than 100. At most 100 fit one payment.")
                )
        except UnreadableList as unreadable:
            form = GiftsForm.as_typed(self.data, rows=typed, **same)
            form._say(field, unreadable.text)
            return form
        rows = kept + listed
        data = {name: self.data[name] for name in self.data if name != "paste"}
        form = GiftsForm.as_typed(data, rows=rows, **same)
        form.rows = _make_rows(_as_sent(add_rows(rows)), typed=[])
        form.check_rows(buyer=str(self["email"].value() or "").strip().lower())
        return form

    def with_more_rows(self) -> "GiftsForm":
        rows = add_rows(rows_in(self.data), number=MORE_ROWS)
        return GiftsForm.as_typed(self.data, rows=rows, campaign=self.campaign)

    def _say(self, field: str, text: "str | Promise") -> None:
        """Put an error beside a field of a form that is not checked otherwise."""
        assert not self.errors
        self.cleaned_data = {}
        self.add_error(field, forms.ValidationError(str(text), code="unreadable"))

    # The rows

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean()
        self.check_rows(buyer=cleaned.get("email", ""))
        if not self.count:
            text = _("Please fill in a row, or paste a list above.")
            if self.rows.forms:
                self.rows.forms[0].add_error("recipient_name", text)
            else:
                self.add_error(None, text)
        if self.rows.management_form.cleaned_data["TOTAL_FORMS"] > MOST_GIFTS:
            self.add_error(None, _("At most 100 gifts fit one payment."))
        return cleaned

    def check_rows(self, *, buyer: str) -> None:
        """Check each row, then ask what looks like a slip only beside the others."""
        self.rows.is_valid()
        first: dict[str, int] = {}
        for number, row in enumerate(self.rows.forms, start=1):
            address = row.cleaned_data.get("recipient_email", "")
            if not address:
                continue
            doubts = [question_recipient(address, buyer=buyer), question_address(address)]
            if address in first:
                text = _(
                    "This address stands in row %(number)s as well. If both are meant, send the "
                    "form once more."
                ) % {"number": first[address]}
                doubts.append(Question("twice", address, text))
            first.setdefault(address, number)
            for doubt in doubts:
                self.ask("recipient_email", doubt, of=row)

    def is_valid(self) -> bool:
        return super().is_valid() and not self.row_errors()

    def row_errors(self) -> list[RowError]:
        """What is wrong with which row, in the order of the page."""
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
        given = [row.cleaned_data for row in self.rows.forms if row.cleaned_data]
        return [
            {name: row[name] for name in COLUMNS} | {"message": row["message"] or shared} | delivery
            for row in given
        ]


def read_upload(upload: Any) -> list[Row]:
    if upload.size > LARGEST:
        raise UnreadableList(
            _("This file is larger than 200 kB. Please take out what is no list of recipients.")
        )
    return read_list(decode_list(upload.read()), most=MOST_GIFTS)
