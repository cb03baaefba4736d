"""The news as an Atom feed (RFC 4287)."""

import re
from datetime import datetime
from urllib.parse import urlsplit

from django.conf import settings
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed
from django.utils.html import escape
from django.utils.translation import gettext as _

from petition.campaign.news import Story

# What XML 1.0 cannot hold; word processors leave such characters in what is pasted.
NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


class Feed(Atom1Feed):
    """Each story in its own language, which need not be the feed's."""

    def item_attributes(self, item):
        return super().item_attributes(item) | {"xml:lang": item["language"]}

    def latest_post_date(self) -> datetime:
        """Also the taking back of a story changes a feed."""
        return self.feed["changed_at"]


def atom(stories: list[Story], language: str, changed_at: datetime) -> str:
    """The feed of one language."""
    feed = Feed(
        title=f"{_('One Million Signatures')} – {_('News')}",
        link=settings.SITE_URL + reverse("stories"),
        description=None,
        language=language,
        feed_url=settings.SITE_URL + reverse("feed"),
        feed_guid=settings.SITE_URL + reverse("feed"),
        changed_at=changed_at,
    )
    for story in stories:
        feed.add_item(
            title=NOT_XML.sub(" ", story.title),
            link=settings.SITE_URL + reverse("story", args=[story.slug]),
            description=escape(NOT_XML.sub(" ", story.summary)),  # It is sent as HTML.
            author_name=_("One Million Signatures"),
            # RFC 4151: for good, whatever the site is called later on in links.
            unique_id=_tag(story, language),
            pubdate=story.public_from,
            updateddate=story.changed_at,
            language=story.language.code,
        )
    return feed.writeString("utf-8")


def _tag(story: Story, language: str) -> str:
    host = urlsplit(settings.SITE_URL).hostname
    return f"tag:{host},{story.begun_on}:news/{story.slug}/{language}"
