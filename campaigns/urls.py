from django.urls import include, path
from django.views.generic import RedirectView

from campaigns.views import (
    addresses,
    buyers,
    claims,
    embed,
    erasures,
    members,
    orders,
    readers,
    reminders,
    stripe,
)

app_name = "campaigns"

urlpatterns = [
    path("stripe/", include([path("webhook/", stripe.webhook, name="webhook")])),
    path(
        "membership/",
        include(
            [
                path("join/", readers.redirect_to_current, {"kind": "join"}, name="any_join"),
                path("gift/", readers.redirect_to_current, {"kind": "gift"}, name="any_gift"),
                path("thanks/<uuid:checkout_id>/", readers.thanks, name="thanks"),
                path("cancelled/<uuid:checkout_id>/", readers.cancelled, name="cancelled"),
                path("manage/<str:token>/", readers.portal, name="portal"),
                path(
                    "mine/",
                    include(
                        [
                            path("", members.show_mine, name="mine"),
                            path("open/<str:token>/", members.open_mine, name="open_mine"),
                            path("leave/", members.leave, name="leave_mine"),
                            path("address/", addresses.change_address, name="my_address"),
                            path("data.json", members.save_data, name="my_data"),
                            path("erase/", erasures.erase, name="my_erase"),
                            path("erased/", erasures.show_erased, name="my_erased"),
                            path(
                                "receipts/<int:payment_id>.pdf",
                                members.show_receipt,
                                name="my_receipt",
                            ),
                            path(
                                "<int:membership_id>/",
                                include(
                                    [
                                        path("cancel/", members.cancel, name="my_cancel"),
                                        path("keep/", members.keep, name="my_resume"),
                                        path("card/", members.change_card, name="my_card"),
                                        path("switch/", members.switch, name="my_switch"),
                                    ]
                                ),
                            ),
                        ]
                    ),
                ),
                path("address/<str:token>/", addresses.confirm_address, name="confirm_address"),
                path("no-reminders/<str:token>/", reminders.opt_out, name="opt_out"),
                path(
                    "gifts/<str:token>/",
                    include(
                        [
                            path("", buyers.show_gifts, name="gifts"),
                            path("links.csv", buyers.export_links, name="gift_links"),
                            path("<int:position>/", buyers.change_gift, name="gift_change"),
                            path("<int:position>/card.pdf", buyers.show_card, name="gift_card"),
                        ]
                    ),
                ),
            ]
        ),
    ),
    path(
        "claim/",
        include(
            [
                path("", claims.claim_by_code, name="claim_by_code"),
                path("confirm/<str:token>/", claims.confirm, name="confirm_claim"),
                path("<str:code>/", claims.claim, name="claim"),
                path("<str:code>/done/", claims.claimed, name="claimed"),
            ]
        ),
    ),
    path(
        "campaign/<slug:slug>/",
        include(
            [
                path("", readers.show_campaign, name="campaign"),
                path("join/", orders.join, name="join"),
                path("gift/", orders.give, name="gift"),
                path("gift/mail/", orders.preview_mail, name="gift_mail_preview"),
                path("gift/card/", orders.preview_card, name="gift_card_preview"),
                path("gifts/", orders.give_many, name="gift_many"),
                path("picture.png", embed.show_picture, name="picture"),
                path("progress.json", embed.show_number, name="number"),
            ]
        ),
    ),
    path("campaign/", readers.redirect_to_current, name="any_campaign"),
    # Addresses of before December 2026, in bookmarks and in banners that were pasted somewhere.
    path(
        "drive/<path:rest>",
        RedirectView.as_view(url="/campaign/%(rest)s", permanent=True, query_string=True),
    ),
    path("drive/", RedirectView.as_view(url="/campaign/", permanent=True, query_string=True)),
    # In the demo the newspaper itself has this address.
    path("", readers.redirect_to_current, name="home"),
]
