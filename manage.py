#!/usr/bin/env python3
import os
import sys

from django.core.management import execute_from_command_line

from newsroom.start import explained

if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsroom.settings")
    with explained():
        execute_from_command_line(sys.argv)
