"""The demo: a made-up newspaper and its campaign, with all processes on one machine.

running      `bin/demo`: set up, start, print the addresses, stop
processes    the child processes
guardian     stops the child processes even if the demo is killed
campaign     the campaign's rows: plan, prices, goals, texts, a staff login
history      three weeks of sales, made through the same functions as real ones
generator    earlier campaigns, written straight into the database by loading; plots plans them
people       invented readers; origins says where they came from
letters      their newsletters
wall         their words on the campaign page
journey      `bin/demo --once`: the whole journey without a browser
articles     the newspaper's articles
mails        the e-mails that the demo keeps in a folder instead of sending them
connections  the newspaper's other systems: webhooks, and members who come back signed in
views        the newspaper's pages
"""
