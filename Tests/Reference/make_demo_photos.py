"""Makes the small labelled photos that the tests of the command line run on.

Two classes that a network can tell apart with a little effort: light blobs ("cats") and light
stripes ("dogs") on noisy ground of any colour, 40 to 56 pixels wide, JPEG with some PNG; and a few
files that cannot be used. Made with Python 3.11, numpy 2.4.6, Pillow 13.0.0:
    python Tests/Reference/make_demo_photos.py
"""

import pathlib

import numpy as np
from PIL import Image

HERE = pathlib.Path(__file__).resolve().parent.parent / "TLCommandsTests" / "Fixtures" / "photos"
random = np.random.default_rng(20)


def photo(kind):
    height, width = random.integers(40, 57, 2)
    y, x = np.mgrid[0:height, 0:width]
    ground = random.uniform(20, 130, 3) + random.normal(0, 6, (height, width, 1))
    if kind == "cats":
        cy, cx = random.uniform(0.3, 0.7, 2) * (height, width)
        shape = ((y - cy) ** 2 + (x - cx) ** 2) < random.uniform(9, 14) ** 2
    else:
        angle, period = random.uniform(0, np.pi), random.uniform(9, 13)
        shape = np.sin((x * np.cos(angle) + y * np.sin(angle)) * 2 * np.pi / period) > 0.3
    pixels = ground + shape[..., None] * random.uniform(60, 120, 3)
    return Image.fromarray(pixels.clip(0, 255).astype(np.uint8))


for split, count in [("train", 12), ("validation", 6)]:
    for kind in ["cats", "dogs"]:
        folder = HERE / split / kind
        folder.mkdir(parents=True, exist_ok=True)
        for index in range(count):
            name = f"{kind[:-1]}.{index}"
            if index == 3:
                photo(kind).save(folder / f"{name}.png", optimize=True)
            else:
                photo(kind).save(folder / f"{name}.jpg", quality=80)

broken = HERE / "broken"
broken.mkdir(exist_ok=True)
good = (HERE / "train" / "cats" / "cat.0.jpg").read_bytes()
(broken / "a_good.jpg").write_bytes(good)
(broken / "b_truncated.jpg").write_bytes(good[: len(good) // 2])
(broken / "c_empty.jpg").write_bytes(b"")
(broken / "d_text.jpg").write_bytes(b"This is not a photo.\n")
(broken / "notes.txt").write_bytes(b"A file that is no photo.\n")
