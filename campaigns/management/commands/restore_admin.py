from getpass import getpass
from typing import Any

from django.contrib.auth.models import User
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from campaigns import actions


class Command(BaseCommand):
    help = (
        "Make NAME an administrator with a new password and without a second factor. For a "
        "newsroom whose last administrator is gone or has lost the second factor. It is logged."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("name", help="the user name; a new one is added")

    def handle(self, *, name: str, **options: Any) -> None:
        try:
            password = getpass("New password: ")
            is_same = password == getpass("New password again: ")
        except EOFError:
            raise CommandError("Type the password in a terminal. Nothing was changed.") from None
        if not is_same:
            raise CommandError("The passwords differ. Nothing was changed.")
        try:
            User.username_validator(name)
            validate_password(password, User(username=name))
        except ValidationError as error:
            raise CommandError(" ".join([*error.messages, "Nothing was changed."])) from error
        user = actions.restore_administrator(name, password=password)
        self.stdout.write(
            f"{user.get_username()} is an administrator. All sessions have ended; the second "
            "factor is set up at the next sign-in."
        )
