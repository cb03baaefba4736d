"""Turns a picture as somebody sent it into clean ones of our own sizes, or says why not.

What is sent is judged by its content, first by its header alone; the name and the type that a
browser gave it are never asked. Only pixels get through: they are copied to a new picture, so no
place, no camera, no name, no thumbnail and no hidden file goes with them.
"""

import re
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO

from django.utils.translation import gettext_lazy as _
from PIL import Image, ImageCms, ImageOps

from petition.ground.lazy import LazyText

MAX_BYTES = 8 * 1024 * 1024
# Phones take 12 or 24 million. In memory each takes four bytes, and decoders want two or three
# times that; for a WebP, Pillow has libwebp hold the picture twice and holds it twice itself.
MAX_PIXELS = 25_000_000
MAX_WEBP_PIXELS = 12_500_000
MIN_SIDE = 160  # In pixels.
# Each pass of a progressive JPEG may cost a few bytes and goes through the whole picture. Programs
# make some ten; a film that a phone hangs on has the mark by chance, once in 64 KB.
MAX_SCANS = 200

# Pixels: a card at one and at two dots, or a profile at one; a profile at two. Never enlarged.
WIDTHS = (160, 320, 640)
# All are cut to one ratio, that of portraits: pages know it before a picture is there, so that
# nothing moves, and cards stand in rows. Of what is too high, more is cut below than above faces.
RATIO = (4, 5)
CENTRE = (0.5, 0.3)
# What remains of a large picture before it is cut: twice the largest, for smooth edges.
WORKING_SIDE = 2 * WIDTHS[-1] * RATIO[1] // RATIO[0]
STRIP = 512  # Lines that are converted at a time, so that there is no second copy of a giant.

# The smallest first, as `<picture>` asks. One thread: signers need the other cores.
ENCODERS = {
    "avif": {"quality": 55, "speed": 5, "max_threads": 1},
    "webp": {"quality": 76, "method": 6},
    "jpeg": {"quality": 78, "progressive": True, "optimize": True},
}
BEGINNINGS = {
    "JPEG": rb"\xff\xd8\xff",
    "PNG": rb"\x89PNG\r\n\x1a\n",
    "WEBP": rb"RIFF(?s:.{4})WEBP",
}
# What a PNG's first picture is made of. Each other chunk is left unread: thousands of small texts
# can each unfold to a megabyte. So can profiles, of which a PNG has one.
PNG_CHUNKS = {b"IHDR", b"PLTE", b"tRNS", b"iCCP", b"eXIf", b"IDAT", b"IEND"}
SRGB = ImageCms.createProfile("sRGB")
# Modes of pictures by what a colour profile says it is for.
PROFILED = {"RGB": ("RGB", {"RGB", "L"}), "GRAY": ("L", {"L"}), "CMYK": ("CMYK", {"CMYK"})}
ORIENTATION = 0x0112  # EXIF's number for how the camera was held; these are its values.
TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# One at a time in a process, and always in the same thread: malloc keeps for each thread what it
# once took, so that four threads that take turns hold the memory of three pictures.
_reader = ThreadPoolExecutor(1, "pictures")


class Refused(Exception):
    """Why a picture is not taken; `says` is for whoever sent it."""

    says: LazyText = ""


class TooLarge(Refused):
    says = _("The file is larger than 8 MB. Save the picture smaller, then choose it again.")


class UnknownType(Refused):
    says = _(
        "The file is not a picture in JPEG, PNG or WebP. Save it as one of these "
        "(another name is not enough), then choose it again."
    )


class TooManyPixels(Refused):
    says = _(
        "The picture has too many pixels. Make it smaller, such as 2000 by 2500 pixels, then "
        "choose it again."
    )


class TooSmall(Refused):
    says = _("The picture is less than 160 pixels wide or high. Choose a larger one.")


class Broken(Refused):
    says = _(
        "The picture is damaged or incomplete. Open it in a picture program, save it anew as "
        "JPEG, then choose that file."
    )


@dataclass(frozen=True)
class Rendition:
    """One of our pictures. `width` and `height` are in pixels, always in our ratio."""

    width: int
    height: int
    format: str
    content_type: str
    data: bytes


def renditions(data: bytes) -> list[Rendition]:
    """The picture in each of our sizes that it is large enough for, in each of our formats.

    The smallest size comes first, and in each size the format that weighs least. Raises Refused.
    """
    return _reader.submit(_renditions, data).result()


def _renditions(data: bytes) -> list[Rendition]:
    picture = _read(data)
    return [_encode(size, name) for size in _sizes(picture) for name in ENCODERS]


def _sizes(picture: Image.Image):
    """The picture in our ratio, in our widths or the widest that it has."""
    across, down = RATIO
    widest = min(picture.width // across, picture.height // down) * across
    for width in sorted({min(width, widest) for width in WIDTHS}):
        size = (width, width // across * down)
        yield ImageOps.fit(picture, size, Image.Resampling.LANCZOS, centering=CENTRE)


def _encode(picture: Image.Image, name: str) -> Rendition:
    out = BytesIO()
    picture.save(out, name, **ENCODERS[name])
    return Rendition(picture.width, picture.height, name, f"image/{name}", out.getvalue())


def _read(data: bytes) -> Image.Image:
    """What the picture shows, upright, in sRGB, of a size to work with. Raises Refused."""
    if len(data) > MAX_BYTES:
        raise TooLarge
    kind = _kind(data)
    try:
        # Warnings are about metadata, which go anyway, and about sizes, which we judge ourselves.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            if kind == "WEBP":
                _judge(_webp_size(data), MAX_WEBP_PIXELS)
            elif kind == "PNG":
                data = _png_without_extras(data)
            with Image.open(BytesIO(data), formats=[kind]) as source:
                _judge(source.size, MAX_PIXELS)
                picture, turn = _pixels(source), _turn(source)
            source.close()  # Its memory is needed for the turn.
            return picture if turn is None else picture.transpose(turn)
    except Refused:
        raise
    except Image.DecompressionBombError as error:
        raise TooManyPixels from error
    except Exception as error:  # Whatever a broken file provokes in decoders, lack of memory too.
        raise Broken from error


def _kind(data: bytes) -> str:
    """Which of the formats that we take the content is. Raises UnknownType, or Broken."""
    kind = next((kind for kind, start in BEGINNINGS.items() if re.match(start, data)), None)
    if kind is None:
        raise UnknownType
    if kind == "JPEG" and data.count(b"\xff\xda") > MAX_SCANS:
        raise Broken
    return kind


def _judge(size: tuple[int, int], most: int) -> None:
    """Raises TooManyPixels or TooSmall."""
    if size[0] * size[1] > most:
        raise TooManyPixels
    if min(size) < MIN_SIDE:
        raise TooSmall


def _webp_size(data: bytes) -> tuple[int, int]:
    """What the header says (RFC 9649). Pillow has libwebp take memory for it before it tells."""
    chunk = data[12:16]
    if chunk == b"VP8X":
        return 1 + int.from_bytes(data[24:27], "little"), 1 + int.from_bytes(data[27:30], "little")
    if chunk == b"VP8L":
        bits = int.from_bytes(data[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if chunk == b"VP8 ":
        bits = int.from_bytes(data[26:30], "little")
        return bits & 0x3FFF, bits >> 16 & 0x3FFF
    raise Broken


def _png_without_extras(data: bytes) -> bytes:
    """Without texts, without what makes it move, without a second profile, without a tail."""
    kept, wanted, at, kind = [data[:8]], set(PNG_CHUNKS), 8, b""
    while at < len(data) and kind != b"IEND":
        kind = data[at + 4 : at + 8]
        end = at + 12 + int.from_bytes(data[at : at + 4])  # Length and kind before, sum after.
        if kind in wanted:
            kept.append(data[at:end])
        wanted -= {kind} & {b"iCCP"}
        at = end
    return b"".join(kept)


def _pixels(source: Image.Image) -> Image.Image:
    """The colours of the first frame on white, as a new picture without anything else.

    Large pictures are made smaller: a JPEG while it is decoded, others as they are copied.
    """
    source.draft(None, (WORKING_SIDE, WORKING_SIDE))  # Does nothing but to a JPEG.
    source.load()
    factor = max(1, min(source.size) // WORKING_SIDE)
    to_srgb = _profile(source)
    picture = Image.new("RGB", (-(-source.width // factor), -(-source.height // factor)))
    lines = STRIP // factor * factor
    for top in range(0, source.height, lines):
        bottom = min(top + lines, source.height)
        strip = _rgb(source.crop((0, top, source.width, bottom)), to_srgb)
        picture.paste(strip.reduce(factor), (0, top // factor))
    return picture


def _rgb(strip: Image.Image, to_srgb: tuple[str, ImageCms.ImageCmsTransform] | None) -> Image.Image:
    alpha = strip.convert("RGBA").getchannel("A") if strip.has_transparency_data else None
    if strip.mode.startswith("I;16"):
        strip = strip.point(lambda value: value * (1 / 256)).convert("L")
    if to_srgb:
        mode, transform = to_srgb
        # None is for pictures changed in place, which this is not.
        strip = ImageCms.applyTransform(strip.convert(mode), transform) or strip
    strip = strip.convert("RGB")
    if alpha is None:
        return strip
    white = Image.new("RGB", strip.size, "white")
    white.paste(strip, mask=alpha)
    return white


def _profile(source: Image.Image) -> tuple[str, ImageCms.ImageCmsTransform] | None:
    """The way from the picture's colours to sRGB, and the mode to be in for it.

    None where there is no profile, or none that fits: the colours are then taken as they are.
    """
    if not source.info.get("icc_profile"):
        return None
    base = {"1": "L", "LA": "L", "I;16": "L", "CMYK": "CMYK"}.get(source.mode, source.mode)
    base = "RGB" if base in {"P", "PA", "RGBA", "RGBX"} else base
    try:
        profile = ImageCms.ImageCmsProfile(BytesIO(source.info["icc_profile"]))
        mode, fitting = PROFILED[profile.profile.xcolor_space.strip()]
        if base in fitting:
            return mode, ImageCms.buildTransform(profile, SRGB, mode, "RGB")
    except (KeyError, OSError, ImageCms.PyCMSError):
        return None
    return None


def _turn(source: Image.Image) -> Image.Transpose | None:
    """How to set it upright, as the camera says that it was held; None where that is unreadable."""
    try:
        return TURNS.get(source.getexif().get(ORIENTATION, 1))
    except Exception:  # As for decoders. The picture itself is good.
        return None
