"""The project: settings, start-up, the demo newspaper and the sandbox.

This file imports nothing, because Python runs it for `newsroom.sandbox` too, which needs neither
Celery nor the settings. Django loads Celery's app through `newsroom.apps`.
"""
