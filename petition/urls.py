"""The public addresses (CONTRACT.md)."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import path, re_path

from petition.views import (
    campaign,
    cases,
    counter,
    dev,
    mailbox,
    news,
    operations,
    sharing,
    signatures,
    tallies,
)

urlpatterns = [
    path("", campaign.root),
    *i18n_patterns(
        path("", campaign.home, name="home"),
        path("sign/", signatures.sign, name="sign"),
        path("sign/sent/", signatures.sent, name="sent"),
        path("code/", signatures.sent, name="code"),  # What letters call it: neutral.
        path("confirm/<str:token>/", signatures.confirm, name="confirm"),
        path("signed/", signatures.signed, name="signed"),
        path("withdraw/<str:token>/", signatures.withdraw, name="withdraw"),
        path("withdrawn/", signatures.withdrawn, name="withdrawn"),
        path("unsubscribe/<str:token>/", signatures.unsubscribe, name="unsubscribe"),
        path("tracks/", campaign.tracks, name="tracks"),
        path("tracks/<slug:slug>/", campaign.track, name="track"),
        path("news/", news.stories, name="stories"),
        path("news/feed.atom", news.feed, name="feed"),
        path("news/<slug:slug>/", news.story, name="story"),
        path("cases/", cases.every, name="cases"),
        path("cases/<slug:slug>/", cases.profile, name="case"),
        path("cases/<slug:slug>/share.png", cases.picture, name="case_picture"),
        path("counter/", counter.page, name="counter"),
        path("counter/figures/", counter.figures, name="figures"),
        path("counter/map.svg", counter.world_map, name="map"),
        path("poster.pdf", sharing.poster, name="poster"),
        path("share.png", sharing.picture, name="picture"),
        path("about/", campaign.text, {"slug": "about"}, name="about"),
        path("privacy/", campaign.text, {"slug": "privacy"}, name="privacy"),
    ),
    re_path(
        r"^portraits/(?P<token>[0-9a-f]{32})-(?P<width>[0-9]{1,4})\.(?P<extension>avif|webp|jpg)$",
        cases.portrait,
    ),
    path("api/v1/counter.json", tallies.counter, name="counter_json"),
    path("readyz", operations.readyz),
    path("robots.txt", operations.robots),
    path("sitemap.xml", operations.sitemap),
    path(".well-known/security.txt", operations.security),
]

if settings.DEBUG:
    urlpatterns += [
        path("dev/components/", dev.components),
        path("dev/mail/", mailbox.box, name="mail_box"),
        path("dev/mail/<int:number>/", mailbox.mail, name="mail"),
        path("dev/mail/<int:number>/html/", mailbox.mail_html, name="mail_html"),
    ]
