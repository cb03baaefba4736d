"""Pictures as they are sent: clean ones of ours come of them, or a clear refusal."""

import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO

import pytest
from django.conf import settings
from django.utils import translation
from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter, PngImagePlugin

from petition.cases import pictures
from tests.budget import examples

pytestmark = pytest.mark.once

PLACE = b"SamplePlace"  # Stands in each block of metadata. None may come through.
RED, GREEN, BLUE, WHITE = (200, 40, 40), (40, 160, 60), (40, 60, 200), (255, 255, 255)
JPEG_HEADERS = {0xE0, 0xDB, 0xC0, 0xC2, 0xC4, 0xDA}  # JFIF, DQT, SOF, DHT, SOS.


def portrait(size=(800, 1000), mode="RGB") -> Image.Image:
    """A drawn person (Sample) with soft shades and grain, as photographs have."""
    width, height = size
    shade = Image.linear_gradient("L").resize(size)
    picture = Image.merge("RGB", [shade, shade.point(lambda v: 90 + v // 3), shade])
    draw = ImageDraw.Draw(picture)
    for part, colour in (
        ((0.1, 0.7, 0.9, 1.4), (60, 62, 80)),
        ((0.27, 0.1, 0.73, 0.5), (40, 28, 24)),
        ((0.3, 0.18, 0.7, 0.65), (198, 150, 122)),
        ((0.38, 0.36, 0.44, 0.4), (60, 40, 30)),
        ((0.56, 0.36, 0.62, 0.4), (60, 40, 30)),
    ):
        draw.ellipse([p * (width, height)[i % 2] for i, p in enumerate(part)], fill=colour)
    picture = picture.filter(ImageFilter.GaussianBlur(width / 400))
    # The same at each run, which Pillow's own noise is not.
    noise = Image.frombytes("L", size, random.Random(14).randbytes(width * height))  # noqa: S311
    grain = Image.merge("RGB", [noise.point(lambda v: 104 + v * 48 // 255)] * 3)
    return ImageChops.add(picture, grain, 1, -128).convert(mode)


def quarters(turned=None) -> Image.Image:
    """Red and green above, blue and white below; `turned` as a camera that was held so stores."""
    picture = Image.new("RGB", (400, 500), WHITE)
    for box, colour in (((0, 0), RED), ((200, 0), GREEN), ((0, 250), BLUE)):
        picture.paste(colour, (*box, box[0] + 200, box[1] + 250))
    return picture if turned is None else picture.transpose(turned)


def saved(picture, kind="JPEG", **options) -> bytes:
    out = BytesIO()
    picture.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, content: bytes) -> bytes:
    total = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + total


def png(width, height, lines: bytes, *, depth=8, colour=2, extra=b"", interlaced=0) -> bytes:
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
        + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b"")
    )  # fmt: skip


def with_right_sums(data: bytearray) -> bytearray:
    """A damaged PNG whose damage its sums don't show, so that it is read further."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4])
        data[end : end + 4] = struct.pack(">I", zlib.crc32(data[at + 4 : end]))
        at = end + 4
    return data


def resized_header(data: bytes, width: int, height: int) -> bytes:
    """A JPEG whose header says another size than it has."""
    at = data.index(b"\xff\xc0") + 5
    return data[:at] + struct.pack(">HH", height, width) + data[at + 4 :]


def seen(data: bytes, kind="jpeg") -> Image.Image:
    largest = [r for r in pictures.renditions(data) if r.format == kind][-1]
    return Image.open(BytesIO(largest.data)).convert("RGB")


def near(colour, other, by=14) -> bool:
    return all(abs(a - b) <= by for a, b in zip(colour, other, strict=True))


def corners(picture):
    right, low = picture.width * 3 // 4, picture.height * 3 // 4
    left, high = picture.width // 4, picture.height // 4
    return [picture.getpixel(p) for p in ((left, high), (right, high), (left, low), (right, low))]


def with_everything(kind: str) -> bytes:
    """A picture with a place, a camera, XMP, a thumbnail, a profile, comments and a tail."""
    exif = Image.Exif()
    exif[0x010E] = exif[0x013B] = PLACE.decode()
    exif.get_ifd(0x8825).update({1: "N", 2: (33.0, 53.0, 0.0), 0x1D: PLACE.decode()})
    exif.get_ifd(0x8769)[0xA431] = PLACE.decode()
    thumbnail = saved(Image.new("RGB", (160, 120), RED), comment=PLACE, exif=exif.tobytes())
    xmp = b"<x:xmpmeta xmlns='adobe:ns:meta/' xmlns:e='http://ns.adobe.com/'>" + PLACE
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"exif": exif.tobytes() + thumbnail, "icc_profile": profile}
    if kind == "JPEG":
        data = saved(portrait((400, 500)), kind, xmp=xmp, comment=PLACE, dpi=(300, 300), **options)
        iptc = b"Photoshop 3.0\0" + b"8BIM\x04\x04\0\0" + struct.pack(">I", len(PLACE)) + PLACE
        data = data[:2] + b"\xff\xed" + struct.pack(">H", len(iptc) + 2) + iptc + data[2:]
    elif kind == "PNG":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", PLACE.decode())
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode(), zip=True)
        data = saved(portrait((400, 500)), kind, pnginfo=texts, **options)
    else:
        data = saved(portrait((400, 500)), kind, xmp=xmp, **options)
    return data + PLACE


@pytest.fixture(autouse=True)
def _encoded_quickly(request, monkeypatch):
    """What most tests look at is the same however hard an encoder tries to make it small."""
    if not request.node.get_closest_marker("as_sent"):
        monkeypatch.setitem(pictures.ENCODERS["avif"], "speed", 10)
        monkeypatch.setitem(pictures.ENCODERS["webp"], "method", 0)


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


def profile_with_red_and_blue_exchanged() -> bytes:
    """sRGB, but that its tags for red and for blue point to each other's colour."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")


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


# What is refused.


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x7fELF\x02\x01\x01" + b"\0" * 200,
        b"MZ" + b"\0" * 200,
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"<html>" + saved(Image.new("RGB", (200, 250), RED)),
        saved(Image.new("RGB", (200, 250), RED), "GIF"),
        saved(Image.new("RGB", (200, 250), RED), "TIFF"),
        saved(Image.new("RGB", (200, 250), RED), "BMP"),
        saved(Image.new("RGB", (200, 250), RED), "AVIF"),
        saved(Image.new("RGB", (200, 250), RED), "PDF"),
        b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 200 250\n",
        b"lies" + b"\0" * 4 + b"WEBPVP8X" + b"\0" * 40,
    ],
)
def test_what_is_no_jpeg_png_or_webp_is_refused_whatever_its_name(data):
    with pytest.raises(pictures.UnknownType):
        pictures.renditions(data)


def test_a_file_of_more_than_eight_megabytes_is_refused():
    data = saved(Image.new("RGB", (200, 250), RED))
    fitting = data + b"\0" * (pictures.MAX_BYTES - len(data))
    assert pictures.renditions(fitting)
    with pytest.raises(pictures.TooLarge):
        pictures.renditions(fitting + b"\0")


@pytest.mark.parametrize("size", [(159, 400), (400, 159), (1, 1)])
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_a_picture_that_is_too_small_is_refused(size, kind):
    with pytest.raises(pictures.TooSmall):
        pictures.renditions(saved(Image.new("RGB", size, RED), kind))


def bombs():
    small = saved(Image.new("RGB", (200, 250), RED))
    for size in ((65535, 65535), (5000, 5001), (65500, 382), (20000, 5000)):
        yield resized_header(small, *size)
    for size in ((65535, 65535), (5000, 5001), (2**31 - 1, 2**31 - 1), (7100, 7100)):
        yield png(*size, b"")
        yield png(*size, b"", interlaced=1)
    for size in ((16383, 16383), (4000, 3126)):
        extended = b"\x10\0\0\0" + b"".join((s - 1).to_bytes(3, "little") for s in size)
        bits = ((size[0] - 1) | (size[1] - 1) << 14).to_bytes(4, "little")
        for chunks in (
            b"VP8X\x0a\0\0\0" + extended,
            b"VP8L\x40\0\0\0\x2f" + bits + b"\0" * 60,
            b"VP8 \x40\0\0\0\x10\0\0\x9d\x01\x2a" + struct.pack("<HH", *size) + b"\0" * 56,
        ):
            yield b"RIFF" + struct.pack("<I", 4 + len(chunks)) + b"WEBP" + chunks


def test_too_many_pixels_are_refused_by_the_header_alone():
    for data in bombs():
        with pytest.raises(pictures.TooManyPixels):
            pictures.renditions(data)


def test_a_small_page_with_a_giant_picture_in_it_is_refused():
    inner = saved(Image.new("RGB", (4000, 3500), RED), "WEBP", lossless=True)[12:]
    page = b"VP8X\x0a\0\0\0" + b"\0" * 4 + (199).to_bytes(3, "little") + (249).to_bytes(3, "little")
    data = b"RIFF" + struct.pack("<I", 4 + len(page + inner)) + b"WEBP" + page + inner
    with pytest.raises(pictures.Broken):
        pictures.renditions(data)


LINES = (b"\0" + bytes(RED) * 200) * 250


def test_texts_of_a_png_that_unfold_to_gigabytes_are_never_unfolded():
    text = chunk(b"zTXt", b"sample\0\0" + zlib.compress(b"\0" * 1_000_000))
    assert pictures.renditions(png(200, 250, LINES, extra=text * 5000))
    giant = chunk(b"iTXt", b"sample\0\1\0\0\0" + zlib.compress(b"\0" * 100_000_000))
    assert pictures.renditions(png(200, 250, LINES, extra=giant))


def test_only_the_first_profile_of_a_png_is_read():
    wrong = ImageCms.ImageCmsProfile(BytesIO(profile_with_red_and_blue_exchanged())).tobytes()
    right = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    first, second = (chunk(b"iCCP", b"x\0\0" + zlib.compress(p)) for p in (right, wrong))
    assert near(seen(png(200, 250, LINES, extra=first + second)).getpixel((100, 100)), RED)


def test_a_profile_that_unfolds_to_a_giant_is_refused():
    giant = chunk(b"iCCP", b"sample\0\0" + zlib.compress(b"\0" * 100_000_000))
    with pytest.raises(pictures.Broken):
        pictures.renditions(png(200, 250, LINES, extra=giant))


def test_a_jpeg_of_endless_passes_is_refused():
    data = saved(portrait((400, 500)), progressive=True)
    last = data[data.rindex(b"\xff\xda") : -2]
    with pytest.raises(pictures.Broken):
        pictures.renditions(data[:-2] + last * pictures.MAX_SCANS + data[-2:])


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_an_incomplete_picture_is_refused(kind):
    data = saved(portrait((400, 500)), kind)
    for share in (0.1, 0.5, 0.9):
        with pytest.raises(pictures.Broken):
            pictures.renditions(data[: int(len(data) * share)])


def test_every_refusal_says_what_is_wrong_and_what_to_do():
    with translation.override("en"):
        kinds = pictures.Refused.__subclasses__()
        assert len(kinds) == 5
        assert len({str(kind.says) for kind in kinds}) == 5
        for kind in kinds:
            assert str(kind.says).count(".") >= 2
        assert f"{pictures.MAX_BYTES >> 20} MB" in str(pictures.TooLarge.says)
        assert f"{pictures.MIN_SIDE} pixels" in str(pictures.TooSmall.says)


@pytest.mark.property
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_whatever_is_damaged_ends_as_a_picture_or_as_a_refusal(kind):
    chance = random.Random(kind)  # noqa: S311
    small = portrait((160, 200))
    profile = profile_with_red_and_blue_exchanged()
    exif = Image.Exif()
    exif[0x0112] = 6
    whole = saved(small, kind, exif=exif.tobytes(), icc_profile=profile, quality=50)
    ends = set()
    for turn in range(examples(120 if kind == "PNG" else 60)):
        data = bytearray(whole)
        reach = 4000 if turn % 2 else len(data)  # Headers and profiles, or anywhere.
        for _ in range(chance.randint(0, 12)):
            data[chance.randrange(min(reach, len(data)))] = chance.randrange(256)
        if turn % 3 == 0:
            del data[chance.randrange(len(data)) :]
        if kind == "PNG" and turn % 4:
            data = with_right_sums(data)
        try:
            ends.add(len(pictures.renditions(bytes(data))))
        except pictures.Refused as refusal:
            ends.add(type(refusal))
    assert ends & {6, 3}
    assert pictures.Broken in ends


# What it takes. Measured in a process of its own, whose highest mark is that picture's.

MEASURE = """
import sys
from concurrent.futures import ThreadPoolExecutor
from petition.cases import pictures
from PIL import Image

Image.init()

def highest():
    lines = open("/proc/self/status").read().splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) // 1024

def end(data):
    try:
        return str(len(pictures.renditions(data)))
    except pictures.Refused as refusal:
        return type(refusal).__name__

sent = [sys.stdin.buffer.read()] * int(sys.argv[1])
before = highest()
with ThreadPoolExecutor(len(sent)) as threads:
    ends = set(threads.map(end, sent))
print("/".join(ends), highest() - before)
"""


def megabytes(data: bytes, at_once=1) -> tuple[str, int]:
    """How it ends, and by how much the process grew for it."""
    done = subprocess.run(
        [sys.executable, "-c", MEASURE, str(at_once)],
        input=data, capture_output=True, check=True, cwd=settings.BASE_DIR,
    )  # fmt: skip
    end, grown = done.stdout.split()
    return end.decode(), int(grown)


def largest(kind):
    exif = Image.Exif()
    exif[0x0112] = 6
    if kind == "png":
        return saved(Image.new("RGBA", (4472, 5590), (*RED, 90)), "PNG")
    if kind == "long png":
        return saved(Image.new("RGBA", (3199, 7810), (*RED, 90)), "PNG", exif=exif.tobytes())
    if kind == "webp":
        flat = Image.new("RGBA", (3160, 3950), (*RED, 90))
        return saved(flat, "WEBP", lossless=True, method=0, exif=exif.tobytes())
    picture = portrait((400, 500)).resize((4472, 5590))
    if kind == "jpeg":
        return saved(picture, quality=70)
    return saved(picture, quality=60, progressive=True, subsampling=0)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    ("kind", "bound"),
    [("jpeg", 90), ("progressive jpeg", 200), ("png", 180), ("long png", 250), ("webp", 270)],
)
def test_the_largest_pictures_take_bounded_memory(kind, bound):
    end, grown = megabytes(largest(kind))
    assert end == "9"
    assert grown < bound


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_several_pictures_at_once_take_the_memory_of_one():
    end, grown = megabytes(largest("png"), at_once=4)
    assert end == "9"
    assert grown < 200


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_a_bomb_of_fifty_million_pixels_takes_nothing():
    data = saved(Image.new("1", (10000, 5000)), "PNG")
    assert len(data) < 10_000
    end, grown = megabytes(data)
    assert (end, grown < 4) == ("TooManyPixels", True)
