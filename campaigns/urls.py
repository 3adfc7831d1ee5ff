from collections.abc import Callable

from django.conf import settings
from django.http import HttpResponseBase
from django.urls import URLPattern, URLResolver, include, path, register_converter
from django.views.generic import RedirectView

from campaigns.views import (
    access,
    account,
    addresses,
    amounts,
    buyers,
    claims,
    continuations,
    embed,
    erasures,
    health,
    newsletter_erasures,
    newsletter_returns,
    newsletters,
    oembed,
    orders,
    readers,
    reminders,
    report_mails,
    reports,
    stripe,
    walls,
)
from campaigns.views.private import private

Urls = list[URLPattern | URLResolver]


class LanguageConverter:
    """The code of a language that pages are published in."""

    regex = "[a-z]{2,3}(?:-[a-z0-9]+)*"

    def to_python(self, code: str) -> str:
        if code not in dict(settings.LANGUAGES):
            raise ValueError
        return code

    def to_url(self, code: str) -> str:
        return code


register_converter(LanguageConverter, "language")


def _redirect(url: str) -> Callable[..., HttpResponseBase]:
    """Redirect an old address permanently."""
    return RedirectView.as_view(url=url, permanent=True, query_string=True)


app_name = "campaigns"

account_urls = [
    path("", account.show_account, name="account"),
    path("open/<str:token>/", account.open_account, name="account_open"),
    path("wall/<slug:slug>/", walls.write_in_account, name="account_wall"),
    path("continue/", access.return_to_site, name="return_to_site"),
    path("sign-out/", account.sign_out, name="account_sign_out"),
    path("address/", addresses.change_address, name="account_address"),
    path("newsletters/", account.change_newsletters, name="account_newsletters"),
    path("data.json", account.download_data, name="account_data"),
    path("erase/", erasures.erase_data, name="account_erase"),
    path("erased/", erasures.show_erased, name="account_erased"),
    path("receipts/<int:payment_id>.pdf", account.show_receipt, name="account_receipt"),
    path("<int:membership_id>/cancel/", account.cancel_membership, name="account_cancel"),
    path("<int:membership_id>/resume/", account.resume_membership, name="account_resume"),
    path("<int:membership_id>/card/", account.change_card, name="account_card"),
    path("<int:membership_id>/amount/", amounts.change_amount, name="account_amount"),
    path("<int:membership_id>/switch/", account.switch_price, name="account_switch"),
]

buyer_urls = [
    path("", buyers.show_gifts, name="gifts"),
    path("links.csv", buyers.export_links, name="gift_links"),
    path("<int:position>/", buyers.change_gift, name="gift_change"),
    path("<int:position>/card.pdf", buyers.show_card, name="gift_card"),
]

membership_urls: Urls = [
    path("join/", readers.redirect_to_current, {"kind": "join"}, name="any_join"),
    path("gift/", readers.redirect_to_current, {"kind": "gift"}, name="any_gift"),
    path("thanks/<uuid:checkout_id>/", readers.show_thanks, name="thanks"),
    path("thanks/<uuid:checkout_id>/wall/", walls.write_after_payment, name="thanks_wall"),
    path("cancelled/<uuid:checkout_id>/", readers.show_cancelled, name="cancelled"),
    path("manage/<str:token>/", readers.open_portal, name="portal"),
    path("account/", include(account_urls)),
    # Addresses of the account page from before December 2026, in e-mails and bookmarks.
    path("mine/<path:rest>", private(_redirect("/membership/account/%(rest)s"))),
    path("mine/", private(_redirect("/membership/account/"))),
    path("address/<str:token>/", addresses.confirm_address, name="confirm_address"),
    path("continue/<str:token>/", continuations.continue_checkout, name="continue"),
    path("no-reminders/<str:token>/", reminders.change_reminders, name="opt_out"),
    path("gifts/<str:token>/", include(buyer_urls)),
]

claim_urls = [
    path("", claims.enter_code, name="claim_by_code"),
    path("confirm/<str:token>/", claims.confirm_claim, name="confirm_claim"),
    path("<str:code>/", claims.claim_gift, name="claim"),
    path("<str:code>/done/", claims.show_claimed, name="claimed"),
]

newsletter_urls: Urls = [
    path("", newsletters.sign_up, name="newsletters"),
    path("sent/", newsletters.show_sent, name="newsletters_sent"),
    path("frame/", newsletters.sign_up_in_frame, name="newsletters_frame"),
    path("frame/sent/", newsletters.show_sent_in_frame, name="newsletters_frame_sent"),
    path("confirm/<str:token>/", newsletters.confirm, name="newsletters_confirm"),
    path("confirmed/<str:token>/", newsletters.show_confirmed, name="newsletters_confirmed"),
    path(
        "preferences/<str:token>/",
        newsletters.change_preferences,
        name="newsletters_preferences",
    ),
    path("erase/<str:token>/", newsletter_erasures.erase_address, name="newsletters_erase"),
    path("erased/", newsletter_erasures.show_erased, name="newsletters_erased"),
    path("unsubscribe/<str:token>/", newsletters.unsubscribe, name="newsletters_unsubscribe"),
]

campaign_urls: Urls = [
    path("", embed.show_page, name="campaign"),
    path("join/", orders.order_membership, name="join"),
    path("contribute/", orders.order_contribution, name="contribution"),
    path("gift/", orders.order_gift, name="gift"),
    path("gift/mail/", orders.preview_email, name="gift_mail_preview"),
    path("gift/card/", orders.preview_card, name="gift_card_preview"),
    path("gifts/", orders.order_gifts, name="gift_many"),
    path("progress.json", embed.show_file, name="number"),
    path("picture.png", embed.redirect_to_picture),
    path("icon.svg", embed.show_icon, {"kind": "svg"}, name="icon"),
    path("icon.png", embed.show_icon, {"kind": "png"}, name="icon"),
    path("wall/", embed.show_wall, name="wall"),
    path("<language:language>/", embed.show_page, name="page"),
    path("<language:language>/wall/", embed.show_wall, name="wall"),
    path("<language:language>/picture.png", embed.show_picture, name="picture"),
    path("<str:language>/<str:placement>-frame.html", embed.show_frame, name="frame"),
    path("<language:language>/<str:name>", embed.show_file, name="banner"),
    path("<str:name>", embed.show_file, name="file"),
]

report_urls = [
    path("<slug:slug>/report.json", reports.show_figures),
    path("<slug:slug>/days.csv", reports.show_days),
    path("<str:key>/<slug:slug>/report.json", reports.show_figures, name="report_figures"),
    path("<str:key>/<slug:slug>/days.csv", reports.show_days, name="report_days"),
]

health_urls = [
    path("", health.show_health, name="health"),
    path("live/", health.show_live, name="live"),
    path("ready/", health.show_ready, name="ready"),
    path("metrics/", health.show_metrics, name="metrics"),
]

urlpatterns = [
    path("health/", include(health_urls)),
    path("reports/stop/<str:token>/", report_mails.stop_reports, name="stop_reports"),
    path("api/access", access.answer_access, name="access"),
    path("api/newsletters/unsubscribe", newsletter_returns.end_subscriptions),
    path("api/access/check", access.check_token, name="access_check"),
    path(".well-known/jwks.json", access.show_keys, name="access_keys"),
    path("stripe/webhook/", stripe.receive_event, name="webhook"),
    path("membership/", include(membership_urls)),
    path("claim/", include(claim_urls)),
    path("reports/", include(report_urls)),
    path("newsletters/", include(newsletter_urls)),
    path("campaign/banner.js", embed.show_component, name="component"),
    path("campaign/newsletter.js", embed.show_component, name="sign_up_component"),
    path("campaign/<slug:slug>/", include(campaign_urls)),
    path("campaign/", readers.redirect_to_current, name="any_campaign"),
    path("oembed/", oembed.describe_page, name="oembed"),
    path("look.css", embed.show_look, name="look"),
    # Addresses from before December 2026, in bookmarks and in banners on other pages.
    path("drive/<path:rest>", _redirect("/campaign/%(rest)s")),
    path("drive/", _redirect("/campaign/")),
    # The demo's newspaper has its own page at this address.
    path("", readers.redirect_home, name="home"),
]
