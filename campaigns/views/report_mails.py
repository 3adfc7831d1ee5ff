"""Reports by e-mail: stop them with one click, from the link in each of them."""

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from campaigns import digests
from campaigns.emails import links
from campaigns.models import ReportMail
from campaigns.views.pages import redirect_after_post, show_page
from campaigns.views.private import private, show_bad_link


# The button of e-mail programs (RFC 8058) has no cookie and no CSRF token; the link is the proof.
@csrf_exempt
@private
@require_http_methods(["GET", "HEAD", "POST"])
def stop_reports(request: HttpRequest, token: str) -> HttpResponseBase:
    """Stop the reports of a staff user; only a POST does, since e-mail scanners open links."""
    try:
        report_mail_id = links.read_reports_token(token)
    except links.BadLink:
        return show_bad_link(request, about="reports")
    if request.method == "POST":
        digests.stop_report_mails(report_mail_id)
        if "List-Unsubscribe" in request.POST:  # e-mail programs don't follow redirects
            return HttpResponse("OK", content_type="text/plain")
        return redirect_after_post("campaigns:stop_reports", token=token)
    chosen = ReportMail.objects.filter(pk=report_mail_id).first()
    is_stopped = not (chosen and (chosen.daily or chosen.weekly or chosen.milestones))
    return show_page(request, "campaigns/readers/reports/stop.html", {"is_stopped": is_stopped})
