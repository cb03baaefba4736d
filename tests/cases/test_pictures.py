"""Of pictures as they are sent, clean ones of ours are made."""

import struct
from io import BytesIO

import pytest
from PIL import Image, ImageChops, ImageCms, ImageFilter

from petition.cases import pictures
from tests.cases.drawing import (
    BLUE,
    GREEN,
    JPEG_HEADERS,
    PLACE,
    RED,
    WHITE,
    chunk,
    corners,
    near,
    png,
    portrait,
    profile_with_red_and_blue_exchanged,
    quarters,
    saved,
    seen,
    with_everything,
)

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("encoded_quickly")]

# What comes out.


@pytest.mark.as_sent
def test_a_picture_comes_in_three_sizes_and_three_formats_of_one_ratio():
    made = pictures.renditions(saved(portrait((1200, 1600))))
    assert [(r.width, r.height, r.format) for r in made] == [
        (width, width * 5 // 4, kind)
        for width in (160, 320, 640)
        for kind in ("avif", "webp", "jpeg")
    ]
    for rendition in made:
        picture = Image.open(BytesIO(rendition.data))
        assert picture.format.lower() == rendition.format
        assert rendition.content_type == f"image/{rendition.format}"
        assert (picture.mode, picture.size) == ("RGB", (rendition.width, rendition.height))


@pytest.mark.as_sent
def test_pictures_are_light_enough_for_cheap_phones():
    sizes = {
        (r.width, r.format): len(r.data)
        for r in pictures.renditions(saved(portrait((640, 800)), quality=92))
    }
    assert 1_000 < sizes[160, "avif"] < 5_000
    assert 2_000 < sizes[320, "avif"] < 15_000
    assert sizes[640, "avif"] < 110_000  # Grain at each pixel: photographs take a third.
    assert sizes[640, "avif"] < sizes[640, "webp"]
    for width in pictures.WIDTHS:
        assert sizes[width, "avif"] < sizes[width, "jpeg"] * 0.8


@pytest.mark.as_sent
@pytest.mark.parametrize("kind", ["avif", "webp", "jpeg"])
def test_what_comes_out_looks_like_what_went_in(kind):
    source = portrait((640, 800)).filter(ImageFilter.GaussianBlur(2))
    away = ImageChops.difference(source, seen(saved(source, "PNG"), kind)).resize((1, 1))
    assert max(away.getpixel((0, 0))) <= 4


@pytest.mark.parametrize(
    ("size", "widths"),
    [
        ((160, 160), [128]),
        ((160, 200), [160]),
        ((321, 401), [160, 320]),
        ((500, 700), [160, 320, 500]),
        ((3000, 500), [160, 320, 400]),
    ],
)
def test_nothing_is_enlarged(size, widths):
    made = pictures.renditions(saved(Image.new("RGB", size, RED)))
    assert [r.width for r in made if r.format == "jpeg"] == widths
    assert all(r.width * 5 == r.height * 4 for r in made)


def test_of_a_high_picture_more_is_cut_below_than_above():
    picture = Image.new("RGB", (400, 1000), WHITE)  # 500 of its lines stay.
    picture.paste(RED, (0, 0, 400, 150))
    picture.paste(BLUE, (0, 650, 400, 1000))
    shown = seen(saved(picture, "PNG"))
    assert near(shown.getpixel((200, 6)), WHITE)
    assert near(shown.getpixel((200, 493)), WHITE)


@pytest.mark.as_sent
def test_the_same_picture_gives_the_same_bytes():
    data = saved(portrait((400, 500)))
    assert pictures.renditions(data) == pictures.renditions(data)


# What goes in.


@pytest.mark.parametrize("turn", [(1, None), *pictures.TURNS.items()])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_stands_as_the_camera_was_held(turn, kind):
    held, transposed = turn
    back = {6: Image.Transpose.ROTATE_90, 8: Image.Transpose.ROTATE_270}.get(held, transposed)
    exif = Image.Exif()
    exif[0x0112] = held
    shown = seen(saved(quarters(back), kind, exif=exif.tobytes()))
    assert shown.size == (400, 500)
    for found, wanted in zip(corners(shown), (RED, GREEN, BLUE, WHITE), strict=True):
        assert near(found, wanted)


def test_an_unreadable_orientation_leaves_the_picture_as_it_is():
    for exif in (b"II*\0\xff\xff\xff\x7f" + b"\xff" * 40, b"neither order", b"II"):
        data = saved(quarters(), "WEBP", exif=b"Exif\0\0" + exif)
        assert near(corners(seen(data))[0], RED)


@pytest.mark.parametrize(
    ("mode", "kind"),
    [
        ("L", "JPEG"), ("CMYK", "JPEG"), ("1", "PNG"), ("L", "PNG"), ("LA", "PNG"), ("P", "PNG"),
        ("RGBA", "PNG"), ("I;16", "PNG"), ("RGBA", "WEBP"), ("L", "WEBP"),
    ],
)  # fmt: skip
def test_every_kind_of_colour_is_understood(mode, kind):
    grey = portrait((400, 500), "L").filter(ImageFilter.GaussianBlur(3))
    if mode == "I;16":
        data = png(400, 500, b"".join(
            b"\0" + b"".join(bytes((v, v)) for v in grey.crop((0, y, 400, y + 1)).tobytes())
            for y in range(500)), depth=16, colour=0)  # fmt: skip
        assert Image.open(BytesIO(data)).mode == "I;16"
    else:
        data = saved(grey.convert("RGB").convert(mode), kind)
    away = ImageChops.difference(grey.convert("RGB"), seen(data)).resize((1, 1))
    assert max(away.getpixel((0, 0))) <= {"1": 128, "P": 20}.get(mode, 8)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_what_is_transparent_becomes_white(kind):
    picture = Image.new("RGBA", (400, 500), (0, 0, 0, 0))
    picture.paste((*RED, 255), (0, 0, 400, 250))
    shown = seen(saved(picture, kind, lossless=True))
    assert near(shown.getpixel((200, 100)), RED)
    assert near(shown.getpixel((200, 400)), WHITE)


@pytest.mark.parametrize(
    ("depth", "colour", "dot", "hole"),
    [
        (8, 2, b"\0\0\0", b"\0\0\0\0\0\0"),
        (8, 0, b"\0", b"\0\0"),
        (16, 0, b"\0\0", b"\0\0"),
        (16, 2, b"\0\0" * 3, b"\0\0" * 3),
    ],
)
def test_a_single_colour_can_be_the_transparent_one(depth, colour, dot, hole):
    lines = (b"\0" + dot * 200) * 250
    data = png(200, 250, lines, depth=depth, colour=colour, extra=chunk(b"tRNS", hole))
    assert near(seen(data).getpixel((100, 100)), WHITE)


def test_a_palette_can_be_transparent():
    lines = (b"\0" + b"\0" * 100 + b"\1" * 100) * 250
    extra = chunk(b"PLTE", bytes(RED) + b"\0\0\0") + chunk(b"tRNS", b"\xff\0")
    shown = seen(png(200, 250, lines, colour=3, extra=extra))
    assert near(shown.getpixel((50, 100)), RED)
    assert near(shown.getpixel((150, 100)), WHITE)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_colours_are_brought_from_their_profile_to_srgb(kind):
    picture = Image.new("RGB", (200, 250), RED)
    shown = seen(saved(picture, kind, icc_profile=profile_with_red_and_blue_exchanged()))
    assert near(shown.getpixel((100, 100)), RED[::-1], by=25)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_profile_that_is_broken_or_does_not_fit_is_left_out(mode):
    picture = Image.new("RGB", (200, 250), RED).convert(mode)
    plain = seen(saved(picture)).getpixel((100, 100))
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for wrong in (b"nonsense", profile, profile_with_red_and_blue_exchanged()[:200]):
        assert near(seen(saved(picture, icc_profile=wrong)).getpixel((100, 100)), plain)


def test_a_profile_for_light_is_left_out_of_a_picture_in_inks():
    picture = Image.new("CMYK", (200, 250), (0, 200, 100, 40))
    plain = seen(saved(picture)).getpixel((100, 100))
    data = saved(picture, icc_profile=profile_with_red_and_blue_exchanged())
    assert not near(plain, plain[::-1], by=40)
    assert near(seen(data).getpixel((100, 100)), plain)


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_of_what_moves_the_first_picture_stays(kind):
    others = [Image.new("RGB", (200, 250), colour) for colour in (GREEN, BLUE)]
    first = Image.new("RGB", (200, 250), RED)
    data = saved(first, kind, save_all=True, append_images=others, lossless=True)
    assert Image.open(BytesIO(data)).n_frames == 3
    assert near(seen(data).getpixel((100, 100)), RED)


def test_a_phones_picture_with_a_second_one_behind_it_is_taken():
    second = Image.new("RGB", (400, 500), BLUE)
    data = saved(Image.new("RGB", (400, 500), RED), "MPO", save_all=True, append_images=[second])
    assert near(seen(data).getpixel((100, 100)), RED)


# What does not come through.


def parts_of_jpeg(data: bytes) -> list[int]:
    """The markers before the first line of pixels and after the last one."""
    assert data[:2] == b"\xff\xd8"
    found, at = [], 2
    while data[at + 1] != 0xD9:
        assert data[at] == 0xFF
        found.append(data[at + 1])
        at += 2 + struct.unpack(">H", data[at + 2 : at + 4])[0]
        if found[-1] == 0xDA:
            while data[at] != 0xFF or data[at + 1] == 0:
                at += 1
    assert len(data) == at + 2, "something hangs on"
    return found


def parts_of_webp(data: bytes) -> list[bytes]:
    found, at = [], 12
    assert struct.unpack("<I", data[4:8])[0] + 8 == len(data)
    while at < len(data):
        length = struct.unpack("<I", data[at + 4 : at + 8])[0]
        found.append(data[at : at + 4])
        at += 8 + length + length % 2
    return found


def parts_of_avif(data: bytes) -> list[bytes]:
    """The boxes, those in boxes too, and for items and colours of which kind they are."""
    found = []

    def walk(at, end):
        while at < end:
            length, kind = struct.unpack(">I4s", data[at : at + 8])
            found.append(kind)
            inner = {b"meta": 12, b"iprp": 8, b"ipco": 8, b"iinf": 14}.get(kind)
            if kind in (b"infe", b"colr"):
                found.append(data[at + 16 : at + 20] if kind == b"infe" else data[at + 8 : at + 12])
            if inner:
                walk(at + inner, at + length)
            at += length
        assert at == end

    walk(0, len(data))
    return found


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_neither_place_nor_camera_nor_anything_but_pixels_comes_through(kind):
    sent = with_everything(kind)
    assert sent.count(PLACE) >= 4
    for rendition in pictures.renditions(sent):
        for trace in (PLACE, b"Exif", b"xmp", b"http", b"adobe", b"ICC", b"8BIM", b"lcms", b"JPEG"):
            assert trace not in rendition.data
        if rendition.format == "jpeg":
            assert set(parts_of_jpeg(rendition.data)) <= JPEG_HEADERS
        elif rendition.format == "webp":
            assert parts_of_webp(rendition.data) == [b"VP8 "]
        else:
            parts = parts_of_avif(rendition.data)
            assert parts.count(b"infe") == 1
            assert parts[parts.index(b"infe") + 1] == b"av01"
            assert parts[parts.index(b"colr") + 1] == b"nclx"
            assert parts.count(b"colr") == 1


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_file_that_is_a_page_or_an_archive_as_well_comes_out_as_a_picture_alone(kind):
    page = b"<html><script>alert('sample')</script></html>"
    archive = b"PK\x03\x04" + b"sample.class" + b"PK\x05\x06" + b"\0" * 18
    data = saved(portrait((400, 500)), kind)
    if kind == "JPEG":
        data = data[:2] + b"\xff\xfe" + struct.pack(">H", len(page) + 2) + page + data[2:]
    for rendition in pictures.renditions(data + page + archive):
        assert b"<script" not in rendition.data
        assert b"PK\x03\x04" not in rendition.data
