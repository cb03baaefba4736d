"""Pictures that tests draw and spoil, each of its kind."""

import random
import struct
import zlib
from io import BytesIO

from PIL import Image, ImageChops, ImageCms, ImageDraw, ImageFilter, PngImagePlugin

from petition.cases import pictures

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


def profile_with_red_and_blue_exchanged() -> bytes:
    """sRGB, but that its tags for red and for blue point to each other's colour."""
    data = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    return data.replace(b"rXYZ", b"tXYZ").replace(b"bXYZ", b"rXYZ").replace(b"tXYZ", b"bXYZ")
