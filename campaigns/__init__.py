"""The campaign: from a banner in an article to a counted member.

The journey, one line a step, in the order in which the code reads:

    templatetags/      an article shows a published banner
    views/readers.py   a reader opens the join or the gift form  forms/ people.py origins.py
    checkout.py     1  form -> Checkout row -> Stripe Checkout Session   stripe_api/
    webhooks.py     2  stored event -> which Stripe object to look at
    settlement/     3  Stripe object -> our rows, for every caller
    actions/           claim, refund, revoke, restore, grant, merge, erase: one function for each
    payments.py     4  record a payment, a refund, a dispute             money.py
    deliveries/        webhooks to the newspaper's other systems
    catalogue.py       prices at Stripe, and those that it refuses
    memberships/    5  activate, renew, lapse, extend
    ghost/             access in the newspaper’s own Ghost
    newsletters/       sign up, confirm, unsubscribe; lists for the mailing tool
    gifts/          6  buy, deliver, remind, expire; the inner steps of actions/
    progress/       7  THE number: tallies, goals, closing
    banners/        8  choose, fill in, render, publish
    reports/        9  figures -> page, chart, file                    spreadsheets.py, fonts.py
    outgoing_addresses.py, outgoing_requests.py  addresses that staff typed, and requests to them,
                       never into our own network
    digests/           daily and weekly reports and milestones, by e-mail and to chats
    members/       10  the account page: sign-in link, overview, changes, receipts, data
    jobs/              periodic work: due rows, claimed one by one          tasks.py
    erasures/      11  erase a person: at Stripe, in our rows, in stored events
    health/            broken parts: found, shown to staff, e-mailed
    errors.py          noted errors in words for staff
    history.py         changes by staff: who, when, from what to what
    attempts.py        counts of requests, wrong guesses and logins

Imports run one way, against the order of the journey: `urls -> admin, views, management, checks,
templatetags -> tasks -> health -> jobs -> actions -> erasures -> webhooks -> checkout ->
settlement -> members -> digests -> banners, reports -> progress -> ghost -> gifts, newsletters ->
emails -> memberships -> payments, catalogue, errors, history -> deliveries -> attempts, forms,
stripe_api -> models -> zones -> origins -> outgoing_requests -> colours, fonts, money,
outgoing_addresses, people, spreadsheets, dates -> languages`.
"""
