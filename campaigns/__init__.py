"""The campaign: from a banner in an article to a counted member.

The journey, one line a step, in the order in which the code reads:

    templatetags/      an article shows a published banner
    views/readers.py   a reader opens the join or the gift form          forms/  people.py
    checkout.py     1  form -> Checkout row -> Stripe Checkout Session   stripe_api/
    webhooks.py     2  stored event -> which Stripe object to look at
    settlement/     3  Stripe object -> our rows, for every caller
    actions/           claim, refund, revoke, restore, grant, merge, erase: one function for each
    payments.py     4  record a payment, a refund, a dispute             money.py
    catalogue.py       prices at Stripe, and those that it refuses
    memberships/    5  activate, renew, lapse, extend
    gifts/          6  buy, deliver, remind, expire; the inner steps of actions/
    progress/       7  THE number: tallies, goals, closing
    banners/        8  choose, fill in, render, publish
    reports/        9  figures -> page, chart, file                    spreadsheets.py, fonts.py
    members/       10  the account page: sign-in link, overview, changes, receipts, data
    jobs/              what runs by itself: due rows, claimed one by one    tasks.py
    erasures/      11  erase a person: at Stripe, in our rows, in stored events
    health/            what is broken, and who is told
    errors.py          noted errors in words for staff
    attempts.py        counts of requests, wrong guesses and logins

Imports run one way, against the order of the journey: `urls -> admin, views, management, checks,
templatetags -> tasks -> health -> jobs -> actions -> erasures -> webhooks -> checkout ->
settlement -> members -> banners, reports -> progress -> gifts -> emails -> memberships ->
payments, catalogue, errors -> attempts, forms, stripe_api -> models -> zones -> fonts, money,
people, spreadsheets, dates`.
"""
