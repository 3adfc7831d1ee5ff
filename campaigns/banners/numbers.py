"""The number as JSON for other sites, described in docs/openapi.yaml."""

import json

from django.conf import settings
from django.utils.translation import override

from campaigns.banners.texts import write_count
from campaigns.models import Goal
from campaigns.progress import Progress


def write_json(goals: list[Progress]) -> bytes:
    """Return the progress of each goal as JSON, the primary goal first."""
    return json.dumps([_describe(goal) for goal in goals], ensure_ascii=False).encode()


def _describe(progress: Progress) -> dict[str, object]:
    return {
        "kind": progress.kind,
        **progress.unit,
        "counted": progress.counted,
        "target": progress.target,
        "starts_from": progress.starts_from,
        "stretch_target": progress.stretch_target,
        "shown": progress.shown,
        "shown_target": progress.shown_target,
        "percent": progress.percent,
        "pending": 0 if progress.is_final else progress.pending,
        "state": progress.state,
        "provisional": progress.is_provisional,
        "final": progress.is_final,
        "as_of": progress.as_of.isoformat(),
        "labels": {code: _label(progress, code) for code, _name in settings.LANGUAGES},
    }


def _label(progress: Progress, language: str) -> dict[str, str]:
    """Return the goal's name and its numbers, written in that language."""
    with override(language):
        count = write_count(progress, language=language)
        return {
            "goal": str(Goal.Kind(progress.kind).label),
            "counted": count.counted,
            "target": count.target,
            "count": count.words,
        }
