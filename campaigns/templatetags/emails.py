"""What the mails' text templates ask for."""

from django import template

register = template.Library()


@register.simple_block_tag
def line(content: str) -> str:
    """One line of a text mail, however many its template takes to say it."""
    return " ".join(content.split())
