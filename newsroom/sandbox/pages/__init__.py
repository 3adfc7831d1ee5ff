"""What a person sees of the pretend Stripe. Works without JavaScript; says on each page that it
is pretend.
"""
