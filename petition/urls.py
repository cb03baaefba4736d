"""The public addresses (CONTRACT.md)."""

from django.conf import settings
from django.conf.urls.i18n import i18n_patterns
from django.urls import path, re_path

from petition.views import (
    api,
    campaign,
    cases,
    counter,
    dev,
    embeds,
    log,
    mailbox,
    milestones,
    news,
    operations,
    press,
    reports,
    sharing,
    signatures,
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
        path("signed/review/", signatures.review, name="review"),
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
        path("counter.svg", embeds.badge_svg, name="badge_svg"),
        path("counter.png", embeds.badge_png, name="badge_png"),
        path("counter/milestone-<int:percent>.png", milestones.picture, name="milestone_picture"),
        path("counter/", counter.page, name="counter"),
        path("counter/figures/", counter.figures, name="figures"),
        path("counter/check/", log.check, name="check"),
        path("counter/map.svg", counter.world_map, name="map"),
        path("collect/", sharing.collect, name="collect"),
        path("poster.pdf", sharing.poster, name="poster"),
        path("share.png", sharing.picture, name="picture"),
        path("press/", press.press, name="press"),
        path("press/api/", press.programs, name="api"),
        path("about/", campaign.text, {"slug": "about"}, name="about"),
        path("privacy/", campaign.text, {"slug": "privacy"}, name="privacy"),
    ),
    re_path(
        r"^portraits/(?P<token>[0-9a-f]{32})-(?P<width>[0-9]{1,4})\.(?P<extension>avif|webp|jpg)$",
        cases.portrait,
    ),
    re_path(r"^challenge/(?P<form>sign|confirm)\Z", signatures.to_solve, name="challenge"),
    path("embed/<str:language>/counter/", embeds.counter, name="embed"),
    path("oembed", embeds.oembed, name="oembed"),
    path("api/v1/counter.json", api.counter, name="counter_json"),
    path("api/v1/tallies.json", api.tallies, {"form": "json"}, name="tallies_json"),
    path("api/v1/tallies.csv", api.tallies, {"form": "csv"}, name="tallies_csv"),
    path("api/v1/history.json", api.history, {"form": "json"}, name="history_json"),
    path("api/v1/history.csv", api.history, {"form": "csv"}, name="history_csv"),
    re_path(
        r"^api/v1/history/(?P<day>[0-9]{4}-[0-9]{2}-[0-9]{2})\.(?P<form>json|csv)\Z",
        api.day,
        name="day",
    ),
    path("api/v1/corrections.json", api.corrections, name="corrections_json"),
    path("api/v1/openapi.json", api.document, name="openapi"),
    path("log/checkpoint", log.checkpoint, name="checkpoint"),
    path("log/vkey", log.vkey, name="vkey"),
    path("log/tile/<path:place>", log.tile, name="tile"),
    path("mail/reports", reports.told, name="mail_reports"),
    path("readyz", operations.readyz),
    re_path(r"^readyz/(?P<use>sign|read|desk)\Z", operations.readyz),
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
