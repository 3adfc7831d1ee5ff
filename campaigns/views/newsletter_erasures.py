"""The erasure of a newsletter subscriber who is no member, by the link in each e-mail."""

from django.http import HttpRequest, HttpResponseBase
from django.views.decorators.http import require_http_methods, require_safe

from campaigns import actions, newsletters, tasks
from campaigns.emails.account import mask_address
from campaigns.forms.account import ErasureForm
from campaigns.views.limits import limited
from campaigns.views.pages import redirect_after_post, show_page
from campaigns.views.private import private, show_bad_link


@private
@limited("newsletters_erase", times=20, seconds=600)
@require_http_methods(["GET", "HEAD", "POST"])
def erase_address(request: HttpRequest, token: str) -> HttpResponseBase:
    """Explain what is erased; after confirmation, erase it. Members erase all on their page."""
    try:
        subscription = newsletters.find_subscription(token)
    except newsletters.LinkClosed:
        return show_bad_link(request, about="newsletters")
    form = ErasureForm(request.POST if request.method == "POST" else None)
    is_member = False
    if request.method == "POST" and form.is_valid():
        try:
            actions.erase_subscriber(subscription.email)
        except actions.IsMember:
            is_member = True
        else:
            tasks.hurry(*tasks.EFFECTS)
            return redirect_after_post("campaigns:newsletters_erased")
    context = {
        "form": form,
        "token": token,
        "address": mask_address(subscription.email),
        "is_member": is_member,
    }
    status = 422 if form.errors else 200
    return show_page(request, "campaigns/readers/newsletters/erase.html", context, status=status)


@private
@require_safe
def show_erased(request: HttpRequest) -> HttpResponseBase:
    return show_page(request, "campaigns/readers/newsletters/erased.html")
