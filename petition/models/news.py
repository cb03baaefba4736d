"""The campaign's news, and the mailings by which those get it who asked for it."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from petition.ground import languages
from petition.models.campaign import Wording
from petition.models.cases import Case
from petition.models.signatures import Signature


class NewsQuerySet(models.QuerySet):
    def published(self, now: datetime | None = None):
        """Whose time has come. What may be read is asked of `petition.news.public`."""
        return self.filter(publish_at__lte=now or timezone.now(), withdrawn_at=None)


class News(models.Model):
    """One story. It is public from `publish_at` on, until somebody takes it back."""

    class State(models.TextChoices):
        DRAFT = "draft", _("draft")
        SCHEDULED = "scheduled", _("scheduled")
        PUBLIC = "public", _("public")
        TAKEN_BACK = "taken back", _("unpublished")

    slug = models.SlugField(_("address"), max_length=50, unique=True)
    publish_at = models.DateTimeField(_("public from"), null=True, blank=True)
    withdrawn_at = models.DateTimeField(_("unpublished at"), null=True, blank=True)
    created_by = models.CharField(_("begun by"), max_length=150)
    created_at = models.DateTimeField(_("begun at"), default=timezone.now)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)
    # Those of whom it speaks: where one may not be shown any more, the story is not shown either.
    cases = models.ManyToManyField(Case, blank=True, related_name="+", verbose_name=_("profiles"))
    # Each act takes it one further, and is refused to who has seen an earlier one.
    revision = models.PositiveIntegerField(default=0)

    objects = NewsQuerySet.as_manager()

    class Meta:
        verbose_name = _("story")
        verbose_name_plural = _("news")
        default_permissions = ["view"]
        permissions = [
            ("write_news", _("Can write and publish news")),
            ("send_news", _("Can send news by e-mail")),
        ]
        constraints = [
            models.CheckConstraint(
                name="what_is_taken_back_was_published",
                condition=models.Q(withdrawn_at=None) | models.Q(publish_at__isnull=False),
            )
        ]
        indexes = [
            models.Index(
                fields=["publish_at", "id"],
                condition=models.Q(publish_at__isnull=False, withdrawn_at=None),
                name="news_by_time",
            )
        ]

    def __str__(self):
        return self.slug

    @property
    def state(self) -> str:
        if self.withdrawn_at:
            return self.State.TAKEN_BACK
        if self.publish_at is None:
            return self.State.DRAFT
        return self.State.PUBLIC if self.was_public else self.State.SCHEDULED

    @property
    def was_public(self) -> bool:
        """Whether somebody may have its address."""
        return self.publish_at is not None and self.publish_at <= timezone.now()


class NewsText(Wording):
    """What a story says in one language."""

    news = models.ForeignKey(News, models.CASCADE, related_name="texts", verbose_name=_("story"))
    language = models.CharField(_("language"), max_length=2, choices=languages.CHOICES)
    changed_by = models.CharField(_("changed by"), max_length=150)
    changed_at = models.DateTimeField(_("changed at"), default=timezone.now)

    class Meta:
        verbose_name = _("text of a story")
        verbose_name_plural = _("texts of stories")
        default_permissions = []
        constraints = [
            models.UniqueConstraint(
                fields=["news", "language"], name="one_text_a_story_and_language"
            )
        ]

    def __str__(self):
        return f"{self.title} ({self.get_language_display()})"


class Mailing(models.Model):
    """A story on its way to those who asked for news. A story has one, for good."""

    class State(models.TextChoices):
        RUNNING = "running", _("running")
        STOPPED = "stopped", _("stopped")
        FINISHED = "finished", _("finished")

    news = models.OneToOneField(
        News, models.PROTECT, related_name="mailing", verbose_name=_("story")
    )
    state = models.CharField(_("state"), max_length=10, choices=State, default=State.RUNNING)
    by = models.CharField(_("by"), max_length=150)
    # Who confirms later was not among those to whom it was addressed.
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    ended_at = models.DateTimeField(_("ended"), null=True, blank=True)
    expected = models.PositiveIntegerField(_("expected"))
    # How far down the signatures it has come, and up to which moment the pace is spent.
    last_signature = models.BigIntegerField(default=0)
    paced_until = models.DateTimeField(null=True)
    queued = models.PositiveIntegerField(_("queued"), default=0)
    queued_at = models.DateTimeField(null=True)  # When the last letter was queued.
    sent = models.PositiveIntegerField(_("sent"), default=0)
    failed = models.PositiveIntegerField(_("not delivered"), default=0)
    skipped = models.PositiveIntegerField(_("no longer wanted"), default=0)

    class Meta:
        verbose_name = _("mailing")
        verbose_name_plural = _("mailings")
        default_permissions = []

    def __str__(self):
        return str(self.pk)

    @property
    def over(self) -> int:
        """How many of its letters have come to their end."""
        return self.sent + self.failed + self.skipped

    def recipients(self):
        """Those who are still to get a letter, in their order."""
        return Signature.objects.want_news().filter(
            pk__gt=self.last_signature, confirmed_at__lte=self.started_at
        )
