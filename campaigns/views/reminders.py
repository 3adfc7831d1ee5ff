"""Whoever wants no reminders gets none, by one click, and can have them back."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns.emails import links
from campaigns.models import OptOut
from campaigns.views.pages import show_page
from campaigns.views.private import private, show_closed


# A mail program that unsubscribes by one click (RFC 8058) has no cookie and no token of ours, and
# many readers' clicks come from one address of their provider: the signed link is proof enough.
@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def change_reminders(request: HttpRequest, token: str) -> HttpResponseBase:
    """Only a POST changes anything: what scans mails for bad links opens each of them."""
    try:
        address_hash = links.read_opt_out_token(token)
    except links.BadLink:
        return show_closed(request, about="reminders")
    if request.method == "POST":
        if request.POST.get("want") == "again":
            OptOut.objects.filter(address_hash=address_hash).delete()
        else:
            OptOut.objects.get_or_create(address_hash=address_hash)
        if "List-Unsubscribe" in request.POST:  # the mail program follows no redirect
            return HttpResponse("OK", content_type="text/plain")
        answer = redirect("campaigns:opt_out", token=token)
        answer.status_code = 303
        return answer
    context = {"is_out": OptOut.objects.filter(address_hash=address_hash).exists()}
    return show_page(request, "campaigns/readers/reminders/opt_out.html", context)
