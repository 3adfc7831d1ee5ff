"""The demonstration: a newspaper, its campaign, and all its processes on one machine.

running      `bin/demo`: set up, start, print the addresses, end
processes    the children, and a guardian that ends them however the demo ends
campaign        the rows of the campaign: plans, prices, campaign, wording, a login
history      three believable weeks, bought through the same doors as any other sale
journey      `bin/demo --once`: the whole journey without a browser
articles, mails, views    the newspaper's pages, and what was mailed
"""
