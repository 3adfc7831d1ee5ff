from django.urls import include, path

from campaigns.views import embed, readers, stripe

app_name = "campaigns"

urlpatterns = [
    path("stripe/", include([path("webhook/", stripe.webhook, name="webhook")])),
    path(
        "membership/",
        include(
            [
                path("join/", readers.stray, {"kind": "join"}, name="any_join"),
                path("gift/", readers.stray, {"kind": "gift"}, name="any_gift"),
                path("thanks/<uuid:checkout_id>/", readers.thanks, name="thanks"),
                path("cancelled/<uuid:checkout_id>/", readers.cancelled, name="cancelled"),
                path("manage/<str:token>/", readers.portal, name="portal"),
            ]
        ),
    ),
    path(
        "claim/",
        include(
            [
                path("", readers.claim_by_code, name="claim_by_code"),
                path("<str:code>/", readers.claim, name="claim"),
                path("<str:code>/done/", readers.claimed, name="claimed"),
            ]
        ),
    ),
    path(
        "drive/<slug:slug>/",
        include(
            [
                path("", readers.show_campaign, name="campaign"),
                path("join/", readers.join, name="join"),
                path("gift/", readers.give, name="gift"),
                path("picture.png", embed.show_picture, name="picture"),
                path("progress.json", embed.show_number, name="number"),
            ]
        ),
    ),
    path("drive/", readers.stray, name="any_campaign"),
    # Where the newspaper itself does not stand: in the demo it does.
    path("", readers.stray, name="home"),
]
