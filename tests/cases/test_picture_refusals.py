"""What is no picture, too large or a bomb is refused, and takes little memory."""

import random
import struct
import subprocess
import sys
import zlib
from io import BytesIO

import pytest
from django.conf import settings
from django.utils import translation
from PIL import Image, ImageCms

from petition.cases import pictures
from tests.budget import examples
from tests.cases.drawing import (
    RED,
    chunk,
    near,
    png,
    portrait,
    profile_with_red_and_blue_exchanged,
    resized_header,
    saved,
    seen,
    with_right_sums,
)

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("encoded_quickly")]


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
