"""Makes the goldens of ImagesTests/AugmentationGoldenTests: what Keras's ImageDataGenerator does.

Versions: Python 3.11, Keras 3.15, TensorFlow 2.21, SciPy 1.17, Pillow 13.0, numpy 2.4.
Run from anywhere: python make_augmentation_goldens.py

ImagesTests/Fixtures/Augmented/
PICTURE.rgb  width and height as little-endian uint32, then the interleaved samples
cases.json   a list of cases: name, picture, parameters, fill mode and value
NAME.f32     apply_transform's float32 values for the case, [height, width, 3]
"""

import json
import os
import pathlib
import shutil

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from keras.src.legacy.preprocessing.image import ImageDataGenerator
from make_image_fixtures import picture, write_rgb
from PIL import Image

ROOT = pathlib.Path(__file__).resolve().parent.parent / "ImagesTests" / "Fixtures" / "Augmented"

# Width x height.
PICTURES = {"square": (16, 16), "wide": (23, 9), "tall": (8, 21), "row": (11, 1), "pixel": (1, 1)}

# Tried with every fill mode: (name, picture, parameters).
MOVES = [
    ("rotation", "square", {"theta": 33.7}),
    ("rotation-far", "wide", {"theta": -147.0}),
    ("quarter", "square", {"theta": 90.0}),
    ("shift", "square", {"tx": 3.2, "ty": -2.9}),
    ("whole-shift", "wide", {"tx": -4.0, "ty": 2.0}),
    ("shift-far", "tall", {"tx": 37.5, "ty": -61.25}),
    ("shear", "square", {"shear": -25.0}),
    ("zoom", "tall", {"zx": 0.8, "zy": 1.2}),
    ("zoom-out", "square", {"zx": 3.7, "zy": 2.6}),
    ("book", "square",
     {"theta": -27.3, "tx": 2.13, "ty": -1.71, "shear": 0.15, "zx": 0.87, "zy": 1.14}),
    ("all", "wide",
     {"theta": 71.1, "tx": -3.4, "ty": 2.6, "shear": 17.0, "zx": 1.3, "zy": 0.6}),
    ("row", "row", {"theta": 10.0, "tx": 1.5, "ty": 0.5}),
    ("pixel", "pixel", {"theta": 20.0, "tx": 0.25, "zx": 1.5}),
]

# (name, picture, parameters, fill mode, fill value)
OTHERS = [
    ("identity", "square", {}, "nearest", 0),
    ("flip-h", "wide", {"flip_horizontal": True}, "nearest", 0),
    ("flip-v", "tall", {"flip_vertical": True}, "nearest", 0),
    ("flip-moved", "square",
     {"theta": 20.0, "tx": 3.0, "flip_horizontal": True, "flip_vertical": True}, "constant", 9),
    ("channels-up", "square", {"channel_shift_intensity": 41.5}, "nearest", 0),
    ("channels-down", "wide", {"channel_shift_intensity": -60.25, "theta": 5.0}, "nearest", 0),
    ("darker", "square", {"brightness": 0.41}, "nearest", 0),
    ("brighter", "square", {"brightness": 1.63}, "nearest", 0),
    ("same-brightness", "square", {"brightness": 1.0, "zx": 0.9}, "nearest", 0),
    ("brighter-moved", "wide", {"brightness": 1.2, "theta": 31.0, "shear": 4.0}, "reflect", 0),
    ("below-black", "square", {"brightness": 1.3, "theta": 40.0}, "constant", -50),
    ("above-white", "square", {"brightness": 0.7, "theta": 40.0}, "constant", 300),
    ("everything", "wide",
     {"theta": 12.0, "tx": 1.1, "ty": -0.6, "shear": 8.0, "zx": 0.9, "zy": 0.8,
      "flip_horizontal": True, "channel_shift_intensity": 20.0, "brightness": 0.8},
     "wrap", 0),
]


def cases():
    for mode in ("nearest", "constant", "reflect", "wrap"):
        for name, source, parameters in MOVES:
            yield f"{name}-{mode}", source, parameters, mode, 120.5 if mode == "constant" else 0
    yield from OTHERS


def main():
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    pictures = {}
    for index, (name, (width, height)) in enumerate(PICTURES.items()):
        pictures[name] = picture(width, height, seed=20 + index)
        write_rgb(ROOT / f"{name}.rgb", Image.fromarray(pictures[name]))
    manifest = []
    for name, source, given, mode, value in cases():
        generator = ImageDataGenerator(fill_mode=mode, cval=value, data_format="channels_last")
        result = generator.apply_transform(pictures[source].astype(np.float32), dict(given))
        (ROOT / f"{name}.f32").write_bytes(np.asarray(result).astype("<f4").tobytes())
        parameters = {"theta": 0, "tx": 0, "ty": 0, "shear": 0, "zx": 1, "zy": 1,
                      "flipHorizontal": False, "flipVertical": False}
        names = {"flip_horizontal": "flipHorizontal", "flip_vertical": "flipVertical",
                 "channel_shift_intensity": "channelShift"}
        parameters |= {names.get(key, key): given[key] for key in given}
        manifest.append({"name": name, "picture": source, "parameters": parameters,
                         "fill": mode, "fillValue": value})
    (ROOT / "cases.json").write_text(json.dumps(manifest, indent=1) + "\n")


if __name__ == "__main__":
    main()
