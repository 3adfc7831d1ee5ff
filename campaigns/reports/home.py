"""The job that measures the slow figures of the home page again, before staff ask for them."""

from django.conf import settings
from django.utils import timezone

from campaigns.reports import attention, glance, kept


def measure_figure(key: str) -> bool:
    """Measure a kept figure again. It is kept no longer if it is quick by now, or not shown."""
    at = timezone.now()
    concerns = {attention.make_key(concern): concern for concern in attention.CONCERNS}
    campaigns = {glance.make_key(each, at=at): each for each in glance.list_shown_campaigns()}
    if key in concerns:
        attention.count_concern(concerns[key], at=at)
    elif key in campaigns:
        glance.measure_glance(campaigns[key], key, at=at, language=settings.LANGUAGE_CODE)
    kept.forget_older(key, than=at)
    return True
