from django.urls import path, re_path

from newsroom.sandbox import control_api
from newsroom.sandbox.api.requests import answer_api
from newsroom.sandbox.pages import assets, payment, portal, receipts

urlpatterns = [
    re_path(r"^v1/", answer_api),
    path("c/pay/<str:session_id>", payment.show_payment, name="pay"),
    path("c/pay/<str:session_id>/check", payment.show_check, name="check"),
    path("p/session/<str:session_id>", portal.show_portal, name="portal"),
    path("p/session/<str:session_id>/card", portal.change_card, name="portal-card"),
    path(
        "p/session/<str:session_id>/subscriptions/<str:subscription_id>/cancel",
        portal.cancel_subscription,
        name="portal-cancel",
    ),
    path(
        "p/session/<str:session_id>/subscriptions/<str:subscription_id>/resume",
        portal.resume_subscription,
        name="portal-resume",
    ),
    path(
        "p/session/<str:session_id>/invoices/<str:invoice_id>/pay",
        portal.pay_invoice,
        name="portal-pay",
    ),
    path("receipts/<str:charge_id>", receipts.show_receipt, name="receipt"),
    path("i/<str:invoice_id>", receipts.show_invoice, name="invoice"),
    path("assets/sandbox.css", assets.serve_stylesheet, name="stylesheet"),
    re_path(r"^_sandbox/(?P<path>.*)$", control_api.answer_control),
    path("", assets.show_home, name="home"),
]
