"""Makes the fixtures and goldens of ImagesTests: synthetic pictures, and what Pillow and Keras do.

Versions: Python 3.11, Pillow 13.0.0 (libjpeg-turbo 3.2.0), numpy 2.4, Keras 3.15, TensorFlow 2.21;
YCCK by the system's libturbojpeg 2.1.5.
Run from anywhere: python make_image_fixtures.py

Photos/   files that decode (JPEG, PNG, WebP, GIF, BMP); Decoded/NAME.rgb is Image.open(NAME).convert("RGB"), turned upright by
          ImageOps.exif_transpose before
Resized/  SOURCE-WxH-FILTER.rgb: the source's RGB pixels after Pillow's resize
Preprocessed/  MODE.f32: float32 values of the picture ramp.rgb (16 x 16)
Refused/  files that are not decoded

An .rgb file is width and height as little-endian uint32, then the interleaved samples.
"""

import ctypes
import io
import pathlib
import shutil
import struct
import zlib

import numpy as np
from PIL import Image, ImageDraw, ImageOps

ROOT = pathlib.Path(__file__).resolve().parent.parent / "ImagesTests" / "Fixtures"


def picture(width, height, seed=0):
    """A smooth gradient with shapes and a little noise, uint8 [height, width, 3]."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    base = np.stack(
        [255 * x / max(width - 1, 1), 255 * y / max(height - 1, 1), 127 + 100 * np.sin((x + y) / 9)],
        axis=-1,
    )
    noise = np.random.default_rng(seed).normal(0, 6, base.shape)
    image = Image.fromarray(np.clip(base + noise, 0, 255).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.ellipse([width // 5, height // 4, width // 2, height * 3 // 4], fill=(230, 40, 60))
    draw.rectangle([width * 3 // 5, height // 8, width * 4 // 5, height // 3], fill=(20, 60, 240))
    draw.line([0, height - 1, width - 1, 0], fill=(255, 255, 255), width=2)
    return np.asarray(image)


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


ADAM7 = [(0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2),
         (0, 1, 1, 2)]


def png(samples, depth, color_type, interlaced=False, extra=b"", late=b""):
    """A PNG of samples [height, width, channels], each of `depth` bits; filters vary by row."""
    height, width, channels = samples.shape

    def rows(part):
        data = bytearray()
        for index, row in enumerate(part):
            if depth == 16:
                packed = row.astype(">u2").tobytes()
            elif depth == 8:
                packed = row.astype(np.uint8).tobytes()
            else:
                bits = ((row.reshape(-1, 1) >> np.arange(depth - 1, -1, -1)) & 1).astype(np.uint8)
                packed = np.packbits(bits.ravel()).tobytes()
            step = max(1, channels * depth // 8)
            if index % 2 and depth >= 8:  # the Sub filter
                values = np.frombuffer(packed, np.uint8)
                shifted = np.concatenate([np.zeros(step, np.uint8), values[:-step]])
                data += b"\1" + (values - shifted).tobytes()
            else:
                data += b"\0" + packed
        return bytes(data)

    if interlaced:
        parts = [samples[y0::dy, x0::dx] for x0, y0, dx, dy in ADAM7]
        raw = b"".join(rows(part) for part in parts if part.size)
    else:
        raw = rows(samples)
    header = struct.pack(">IIBBBBB", width, height, depth, color_type, 0, 0, int(interlaced))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + extra
            + chunk(b"IDAT", zlib.compress(raw, 9)) + late + chunk(b"IEND", b""))


def exif(orientation, order="<", kind=3):
    """An EXIF block with two entries, the second the orientation as SHORT (3) or LONG (4)."""
    value = struct.pack(order + ("HH" if kind == 3 else "I"), *([orientation, 0][: 5 - kind]))
    return ((b"II*\0" if order == "<" else b"MM\0*") + struct.pack(order + "IH", 8, 2)
            + struct.pack(order + "HHII", 0x0100, 4, 1, 37)
            + struct.pack(order + "HHI", 0x0112, kind, 1) + value + struct.pack(order + "I", 0))


def jpeg(image, **options):
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", **({"quality": 88} | options))
    return buffer.getvalue()


def with_app1(data, block):
    segment = b"Exif\0\0" + block
    return data[:2] + b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment + data[2:]


def turbo_jpeg(samples, pixel_format, subsampling):
    """Compresses by TurboJPEG, which makes YCCK of CMYK and knows 4:4:0 and 4:1:1."""
    library = ctypes.CDLL("libturbojpeg.so.0")
    library.tjInitCompress.restype = ctypes.c_void_p
    target = ctypes.POINTER(ctypes.c_ubyte)()
    size = ctypes.c_ulong(0)
    height, width = samples.shape[:2]
    handle = ctypes.c_void_p(library.tjInitCompress())
    source = np.ascontiguousarray(samples)
    code = library.tjCompress2(
        handle, source.ctypes.data_as(ctypes.c_void_p), width, 0, height, pixel_format,
        ctypes.byref(target), ctypes.byref(size), subsampling, 88, 0)
    assert code == 0
    return ctypes.string_at(target, size.value)


def jpegs():
    image = Image.fromarray(picture(37, 53))
    wide = Image.fromarray(picture(64, 48, seed=1))
    cmyk = Image.fromarray(np.dstack([picture(37, 53, seed=2), picture(37, 53, seed=3)[..., 2]]),
                           mode="CMYK")
    yield "444.jpg", jpeg(image, subsampling=0)
    yield "422.jpg", jpeg(image, subsampling=1)
    yield "420.jpg", jpeg(image, subsampling=2)
    yield "440.jpg", turbo_jpeg(picture(37, 53), 0, 4)
    yield "411.jpg", turbo_jpeg(picture(37, 53), 0, 5)
    yield "large.jpg", jpeg(Image.fromarray(picture(150, 101, seed=4)), quality=70)
    yield "gray.jpg", jpeg(image.convert("L"))
    yield "progressive.jpg", jpeg(wide, progressive=True)
    yield "progressive-gray.jpg", jpeg(wide.convert("L"), progressive=True)
    yield "rgb-stored.jpg", jpeg(image, keep_rgb=True)
    yield "cmyk.jpg", jpeg(cmyk)
    yield "ycck.jpg", turbo_jpeg(np.asarray(cmyk), 11, 0)
    yield "ycck-420-progressive.jpg", turbo_jpeg(np.asarray(cmyk), 11, 2)
    yield "restarts.jpg", jpeg(wide, restart_marker_blocks=2)
    yield "garbage-behind.jpg", jpeg(wide) + b"\xff\xd8 this is not part of the picture" * 5
    yield "one-pixel.jpg", jpeg(Image.new("RGB", (1, 1), (200, 30, 90)))
    yield "misnamed-jpeg.png", jpeg(image)
    damaged = bytearray(jpeg(wide, subsampling=0))
    middle = len(damaged) * 2 // 3
    damaged[middle:middle + 6] = bytes([0x12, 0x55, 0xFE, 0x00, 0x31, 0x70])
    yield "damaged-but-whole.jpg", bytes(damaged).replace(b"\xfe\x00", b"\xfe\x01")
    for orientation in range(1, 9):
        order = "<" if orientation % 2 else ">"
        yield f"exif{orientation}.jpg", with_app1(jpeg(image), exif(orientation, order))
    yield "exif-long-type.jpg", with_app1(jpeg(image), exif(6, ">", kind=4))
    yield "exif-out-of-range.jpg", with_app1(jpeg(image), exif(9))
    yield "exif-cut-short.jpg", with_app1(jpeg(image), exif(6)[:24])


def pngs():
    rgb = picture(37, 53, seed=5)
    gray = rgb[..., :1]
    alpha = picture(37, 53, seed=6)[..., 2:]
    wide = (rgb.astype(np.int64) * 257 + np.arange(37)[None, :, None] * 5) % 65536
    palette = np.random.default_rng(7).integers(0, 256, (256, 3)).astype(np.uint8)

    def colors(count):
        return chunk(b"PLTE", palette[:count].tobytes())

    yield "rgb.png", png(rgb, 8, 2)
    yield "rgb-transparent-color.png", png(rgb, 8, 2, extra=chunk(b"tRNS", bytes([0, 9] * 3)))
    yield "rgb-gamma.png", png(rgb, 8, 2, extra=chunk(b"gAMA", struct.pack(">I", 100000)))
    yield "gray.png", png(gray, 8, 0)
    yield "gray-transparent-level.png", png(gray, 8, 0, extra=chunk(b"tRNS", bytes([0, 90])))
    yield "gray-alpha.png", png(np.dstack([gray, alpha]), 8, 4)
    yield "rgba.png", png(np.dstack([rgb, alpha]), 8, 6)
    yield "rgb16.png", png(wide, 16, 2)
    yield "gray-alpha16.png", png(wide[..., :2], 16, 4)
    yield "rgba16.png", png(np.dstack([wide, wide[..., :1]]), 16, 6)
    yield "gray16.png", png(wide[..., :1], 16, 0)
    yield "gray16-dark.png", png(wide[..., :1] // 100, 16, 0)
    for depth in (1, 2, 4):
        yield f"gray{depth}.png", png(gray >> (8 - depth), depth, 0)
        yield f"palette{depth}.png", png(gray >> (8 - depth), depth, 3, extra=colors(1 << depth))
    yield "palette8.png", png(gray, 8, 3, extra=colors(256))
    yield "palette-transparent.png", png(
        gray % 100, 8, 3, extra=colors(100) + chunk(b"tRNS", bytes(range(0, 200, 2))))
    yield "palette-too-short.png", png(gray, 8, 3, extra=colors(100))
    for name, samples, depth, kind in [
        ("rgb", rgb, 8, 2), ("rgba16", np.dstack([wide, wide[..., :1]]), 16, 6),
        ("gray4", gray >> 4, 4, 0), ("gray1", gray >> 7, 1, 0), ("gray16", wide[..., :1], 16, 0),
    ]:
        yield f"{name}-interlaced.png", png(samples, depth, kind, interlaced=True)
    yield "palette2-interlaced.png", png(gray >> 6, 2, 3, interlaced=True, extra=colors(4))
    yield "exif6.png", png(rgb, 8, 2, extra=chunk(b"eXIf", exif(6, ">")))
    yield "exif5-behind.png", png(rgb, 8, 2, late=chunk(b"eXIf", exif(5)))
    yield "one-pixel.png", png(rgb[:1, :1], 8, 2)
    yield "misnamed-png.jpg", png(rgb, 8, 2)
    whole = png(rgb, 8, 2)
    yield "without-end-chunk.png", whole[:-12]


def encoded(image, kind, **options):
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def webps():
    image = Image.fromarray(picture(37, 53, seed=9))
    alpha = image.copy()
    alpha.putalpha(Image.fromarray(picture(37, 53, seed=10)[..., 0]))
    small = image.resize((20, 30))
    yield "lossy.webp", encoded(image, "WEBP", quality=80)
    yield "lossless.webp", encoded(image, "WEBP", lossless=True)
    yield "alpha.webp", encoded(alpha, "WEBP", quality=70)
    yield "alpha-lossless.webp", encoded(alpha, "WEBP", lossless=True, exact=True)
    yield "animated.webp", encoded(
        image, "WEBP", save_all=True, append_images=[image.rotate(90)], duration=100)
    yield "exif6.webp", encoded(small, "WEBP", exif=b"Exif\0\0" + exif(6, ">"))
    yield "misnamed-webp.jpg", encoded(small, "WEBP")


def gifs():
    image = Image.fromarray(picture(37, 53, seed=11))
    plain = encoded(image.quantize(64), "GIF", interlace=0)
    yield "plain.gif", plain
    yield "interlaced.gif", encoded(image.quantize(200), "GIF", interlace=1)
    yield "gray.gif", encoded(image.convert("L"), "GIF")
    yield "two-colors.gif", encoded(image.convert("1"), "GIF")
    yield "transparent.gif", encoded(image.quantize(16), "GIF", transparency=3)
    yield "animated.gif", encoded(
        image.quantize(32), "GIF", save_all=True,
        append_images=[image.rotate(90).resize(image.size).quantize(8)], duration=50)
    # The frame starts at (5, 7) in a screen of 60 x 70; and one that is larger than its screen.
    start = plain.index(b",\0\0\0\0")
    moved = plain[:6] + struct.pack("<HH", 60, 70) + plain[10:start + 1] + struct.pack("<HH", 5, 7)
    yield "moved-frame.gif", moved + plain[start + 5:]
    transparent = encoded(image.quantize(16), "GIF", transparency=3)
    start = transparent.index(b",\0\0\0\0", 13 + 48)
    yield "moved-transparent.gif", (
        transparent[:6] + struct.pack("<HH", 60, 70) + transparent[10:start + 1]
        + struct.pack("<HH", 5, 7) + transparent[start + 5:])
    yield "larger-than-screen.gif", plain[:6] + struct.pack("<HH", 20, 20) + plain[10:]
    yield "misnamed-gif.jpg", plain


def bmp(width, height, bits, rows, palette=b"", compression=0, masks=b"", header=40):
    """A BMP file of already packed rows."""
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        colors = len(palette) // 4
        info = struct.pack("<IIIHHIIIIII", 40, width, height & 0xFFFFFFFF, 1, bits, compression,
                           len(rows), 0, 0, colors, 0)
    offset = 14 + len(info) + len(masks) + len(palette)
    return (b"BM" + struct.pack("<IHHI", offset + len(rows), 0, 0, offset) + info + masks + palette
            + rows)


def padded(rows):
    return b"".join(row + b"\0" * (-len(row) % 4) for row in rows)


def bmps():
    samples = picture(37, 53, seed=12)
    image = Image.fromarray(samples)
    for name, kind in [("rgb", "RGB"), ("gray", "L"), ("bilevel", "1")]:
        yield f"{name}.bmp", encoded(image.convert(kind), "BMP")
    yield "palette.bmp", encoded(image.quantize(200), "BMP")
    yield "palette-few.bmp", encoded(image.quantize(7), "BMP")
    alpha = image.copy()
    alpha.putalpha(100)
    yield "rgba.bmp", encoded(alpha, "BMP")
    values = samples.astype(np.int64)
    wide = lambda green: (values[..., 0] >> 3 << (5 + green) | values[..., 1] >> (8 - green) << 5
                          | values[..., 2] >> 3).astype("<u2")
    yield "rgb555.bmp", bmp(37, 53, 16, padded(row.tobytes() for row in wide(5)[::-1]))
    masks = struct.pack("<III", 0xF800, 0x7E0, 0x1F)
    yield "rgb565.bmp", bmp(
        37, 53, 16, padded(row.tobytes() for row in wide(6)[::-1]), compression=3, masks=masks)
    bgrx = np.dstack([samples[..., ::-1], samples[..., :1]])
    masks = struct.pack("<III", 0xFF0000, 0xFF00, 0xFF)
    yield "bgrx.bmp", bmp(37, 53, 32, bgrx[::-1].tobytes(), compression=3, masks=masks)
    masks = struct.pack("<III", 0xFF000000, 0xFF0000, 0xFF00)
    yield "xbgr.bmp", bmp(
        37, 53, 32, np.roll(bgrx, 1, axis=-1)[::-1].tobytes(), compression=3, masks=masks)
    bgr = padded(row.tobytes() for row in samples[..., ::-1])
    yield "from-top.bmp", bmp(37, -53, 24, bgr)
    yield "old-header.bmp", bmp(37, 53, 24, bgr, header=12)
    palette = np.random.default_rng(13).integers(0, 256, (16, 4)).astype(np.uint8)
    palette[:, 3] = 0
    index = (samples[..., 0] >> 4).astype(np.uint8)
    packed = padded(
        bytes((a << 4 | b) for a, b in zip(row[::2], [*row[1::2], 0])) for row in index[::-1])
    yield "palette4.bmp", bmp(37, 53, 4, packed, palette=palette.tobytes())
    runs = b"".join(
        b"".join(bytes([1, value]) for value in row[:10])
        + bytes([0, 27]) + row[10:].tobytes() + b"\0" + b"\0\0" for row in index[::-1]) + b"\0\1"
    yield "runs8.bmp", bmp(37, 53, 8, runs, palette=palette.tobytes(), compression=1)
    runs = b"".join(bytes([20, row[0] << 4 | row[1], 17, row[2] << 4 | row[3], 0, 0])
                    for row in index[::-1]) + b"\0\1"
    yield "runs4.bmp", bmp(37, 53, 4, runs, palette=palette.tobytes(), compression=2)
    skipping = (bytes([5, 3, 0, 2, 9, 2, 40, 4, 0, 0]) + bytes([37, 1, 0, 0]) * 50)
    yield "runs8-skipping.bmp", bmp(37, 53, 8, skipping, palette=palette.tobytes(), compression=1)


def refused():
    image = Image.fromarray(picture(64, 48, seed=8))
    whole = jpeg(image)
    frame = whole.index(b"\xff\xc0")
    for name in ("TIFF", "PPM", "ICO", "JPEG2000", "AVIF"):
        buffer = io.BytesIO()
        image.resize((16, 16)).save(buffer, name)
        yield f"{name.lower()}.jpg", buffer.getvalue()
    yield "empty.jpg", b""
    yield "half.jpg", whole[: len(whole) // 2]
    yield "without-last-bytes.jpg", whole[:-2]
    yield "progressive-half.jpg", (lambda data: data[: len(data) // 2])(jpeg(image, progressive=True))
    yield "header-only.jpg", whole[:200]
    yield "three-bytes.jpg", whole[:3]
    yield "no-pixels.jpg", b"\xff\xd8\xff\xd9"
    yield "zero-size.jpg", whole[: frame + 5] + bytes(4) + whole[frame + 9 :]
    yield "huge-claim.jpg", whole[: frame + 5] + b"\xff" * 4 + whole[frame + 9 :]
    yield "twelve-bits.jpg", whole[: frame + 4] + b"\x0c" + whole[frame + 5 :]
    picture_file = png(picture(37, 53), 8, 2)
    yield "half.png", picture_file[: len(picture_file) // 2]
    yield "signature-only.png", picture_file[:8]
    header = struct.pack(">IIBBBBB", 60000, 60000, 8, 2, 0, 0, 0)
    start = picture_file[:8]
    end = chunk(b"IDAT", zlib.compress(b"\0" * 9)) + chunk(b"IEND", b"")
    yield "huge-claim.png", start + chunk(b"IHDR", header) + end
    header = struct.pack(">IIBBBBB", 12000, 12000, 8, 2, 0, 0, 0)
    yield "more-than-it-holds.png", start + chunk(b"IHDR", header) + end
    header = struct.pack(">IIBBBBB", 0, 7, 8, 2, 0, 0, 0)
    yield "zero-size.png", start + chunk(b"IHDR", header) + end
    middle = len(picture_file) // 2
    yield "flipped.png", (
        picture_file[:middle] + bytes([picture_file[middle] ^ 0x40]) + picture_file[middle + 1 :])
    yield "no-palette.png", png(picture(9, 9)[..., :1], 8, 3)
    webp = encoded(image, "WEBP")
    yield "half.webp", webp[: len(webp) // 2]
    damaged = bytearray(webp)
    damaged[16:24] = bytes(8)
    yield "damaged.webp", bytes(damaged)
    gif = encoded(image.quantize(32), "GIF")
    yield "half.gif", gif[: len(gif) // 2]
    yield "huge-claim.gif", gif[:6] + b"\xff" * 4 + gif[10:]
    yield "without-frame.gif", gif[:13 + 96] + b";"
    bitmap = encoded(image, "BMP")
    yield "half.bmp", bitmap[: len(bitmap) // 2]
    yield "huge-claim.bmp", bitmap[:18] + struct.pack("<II", 60000, 60000) + bitmap[26:]
    yield "compressed.bmp", bitmap[:30] + b"\4" + bitmap[31:]
    yield "page.jpg", b"<!DOCTYPE html><html><body>404 not found</body></html>"
    yield "pointer.jpg", b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12\n"
    yield "text.jpg", "plain words, mit Umlauten: äöü\n".encode()
    yield "noise.jpg", bytes(range(1, 250))


def write_rgb(path, image):
    path.write_bytes(struct.pack("<II", *image.size) + np.asarray(image).tobytes())


SIZES = {
    "444.jpg": [(60, 45), (20, 53), (37, 20), (1, 1), (150, 100)],
    "large.jpg": [(32, 32), (149, 100), (75, 50), (7, 90)],
    "rgb.png": [(36, 10), (50, 17), (12, 52), (37, 53)],
    "one-pixel.png": [(5, 4)],
}


def preprocessed():
    from keras.layers import Rescaling
    from keras.src.applications.imagenet_utils import preprocess_input

    values = np.arange(256)
    ramp = np.stack([values, 255 - values, values * 7 % 256], axis=-1).reshape(16, 16, 3)
    write_rgb(ROOT / "Preprocessed" / "ramp.rgb", Image.fromarray(ramp.astype(np.uint8)))
    for mode in ("caffe", "tf", "torch"):
        yield mode, preprocess_input(ramp.astype(np.float32), data_format="channels_last", mode=mode)
    yield "rescale", np.asarray(Rescaling(1 / 255)(ramp.astype(np.float32)))
    yield "none", ramp


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    for folder in ("Photos", "Decoded", "Resized", "Preprocessed", "Refused"):
        (ROOT / folder).mkdir(parents=True)
    for name, data in [*jpegs(), *pngs(), *webps(), *gifs(), *bmps()]:
        path = ROOT / "Photos" / name
        path.write_bytes(data)
        with Image.open(path) as file:
            image = ImageOps.exif_transpose(file).convert("RGB")
        write_rgb(ROOT / "Decoded" / f"{name}.rgb", image)
    for name, sizes in SIZES.items():
        image = Image.open(ROOT / "Photos" / name).convert("RGB")
        for size in sizes:
            for label in ("nearest", "bilinear", "bicubic", "lanczos", "box", "hamming"):
                kind = Image.Resampling[label.upper()]
                write_rgb(ROOT / "Resized" / f"{name}-{size[0]}x{size[1]}-{label}.rgb",
                          image.resize(size, kind))
    for name, data in refused():
        (ROOT / "Refused" / name).write_bytes(data)
    for mode, values in preprocessed():
        (ROOT / "Preprocessed" / f"{mode}.f32").write_bytes(values.astype("<f4").tobytes())


if __name__ == "__main__":
    main()
