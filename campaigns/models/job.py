from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JobRun(models.Model):
    """The last run of a job, for staff and monitors."""

    name = models.CharField(_("job"), max_length=40, unique=True)
    ended_at = models.DateTimeField(_("last run"), null=True, blank=True)
    # The last run that had something to do.
    worked_at = models.DateTimeField(_("last run that had work"), null=True, blank=True)

    class Meta:
        verbose_name = _("job")
        verbose_name_plural = _("jobs")

    def __str__(self) -> str:
        return self.name


class JobFailure(models.Model):
    """A row that a job failed on. It is deleted once the job succeeds with the row."""

    job = models.CharField(_("job"), max_length=40)
    row = models.CharField(_("row"), max_length=64)
    attempts = models.PositiveIntegerField(_("failed attempts"), default=1)
    # Only the kind of error: its text may contain an e-mail address.
    error = models.CharField(_("error"), max_length=200)
    failed_at = models.DateTimeField(_("last failure at"), default=timezone.now)

    class Meta:
        verbose_name = _("failed row")
        verbose_name_plural = _("failed rows")
        constraints = [models.UniqueConstraint(fields=["job", "row"], name="one_failure_a_row")]

    def __str__(self) -> str:
        return f"{self.job} {self.row}"
