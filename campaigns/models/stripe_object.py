from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from campaigns.models.checkout import Checkout


class StripeObject(models.Model):
    """An object at Stripe whose owner is known: one of our Checkouts, or none.

    Events and calls are saved with it: nobody asks Stripe again whose an object is. A
    session isn't kept here, because the Checkout's row names the current one.
    """

    object_id = models.CharField(_("object ID"), max_length=255, primary_key=True)
    checkout = models.ForeignKey(
        Checkout,
        on_delete=models.CASCADE,
        verbose_name=_("checkout"),
        null=True,
        related_name="stripe_objects",
        help_text=_("Empty if the object is not ours."),
    )
    found_at = models.DateTimeField(_("found at"), default=timezone.now)

    class Meta:
        verbose_name = _("Stripe object")
        verbose_name_plural = _("Stripe objects")

    def __str__(self) -> str:
        return self.object_id
