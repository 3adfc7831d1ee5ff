"""A pretend Stripe for the demo, the tests and load runs. Never use it in production.

It runs as a process of its own, answers Stripe's API, moves no money and sends real webhooks.
Where to find what:

    __main__, runtime, server    the process
    api/         the API's endpoints, one module for each kind of object
    pages/       the pages that a payer sees: payment page, portal, receipts
    control_api  /_sandbox/: set the clock, add faults, open disputes, read the books
    checkouts -> payments -> intents, invoices, subscriptions -> balance -> books
                             the steps of a payment
    clock -> schedule        events that happen at a set time
    events -> endpoints -> deliveries
                             events, and the webhooks that carry them
    process, control         start and control the sandbox from a test, without Django
"""
