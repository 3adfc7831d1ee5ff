"""Template tags for the text version of e-mails."""

from django import template

register = template.Library()


@register.simple_block_tag
def line(content: str) -> str:
    """Join the content into one line, however many lines the template uses for it."""
    return " ".join(content.split())
