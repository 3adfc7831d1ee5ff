"""A pretend Stripe: a process of its own that answers the API, takes no money and sends real
webhooks.

For the demo, the tests and load runs; never in production. Where things are:

    __main__, running, server    the process
    api/        one module a noun: what each endpoint takes and answers
    pages/      what a payer sees: the payment page, the portal, receipts
    controls    /_sandbox/: clock, faults, disputes, books
    checkouts -> payments -> intents, invoices, subscriptions -> balance -> books
                                 what a payment sets off
    clock -> schedule    what time brings
    events -> deliveries    what happened, and who is told
    process, control    start it and pull its levers from a test, without Django
"""
