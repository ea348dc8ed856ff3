"""Makes the goldens of ImagesTests/ViewGoldenTests: fit modes, and what torchvision and Keras do.

Versions: Python 3.11, Pillow 13.0, torchvision 0.29, torch 2.15, Keras 3.15, TensorFlow 2.21.
Run from anywhere: python make_view_goldens.py

ImagesTests/Fixtures/Views/
NAME.rgb     width and height as little-endian uint32, then the interleaved samples
NAME.f32     float32 values 0 to 255, [height, width, 3]
cases.json   a list of cases: source, what is done with which parameters, the golden's file
"""

import json
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import numpy as np
from make_image_fixtures import picture, write_rgb
from PIL import Image

# TensorFlow and PyTorch do not load into one process: this script starts itself for the former.
IS_KERAS = sys.argv[1:] == ["keras"]
if IS_KERAS:
    from keras.utils import image_dataset_from_directory
else:
    import torch
    from torchvision import tv_tensors
    from torchvision.transforms import v2
    from torchvision.transforms.v2 import functional as F

ROOT = pathlib.Path(__file__).resolve().parent.parent / "ImagesTests" / "Fixtures" / "Views"
FILTERS = {"nearest": "NEAREST", "bilinear": "BILINEAR", "bicubic": "BICUBIC",
           "lanczos": "LANCZOS", "box": "BOX", "hamming": "HAMMING"}
SOURCES = {"wide": (64, 41), "tall": (37, 70), "square": (48, 48)}
CASES = []


def source(name):
    width, height = SOURCES[name]
    return Image.fromarray(picture(width, height, seed=len(name)))


def write(name, values, **case):
    """Stores a golden: 8-bit as .rgb, else float32."""
    values = np.asarray(values)
    if values.dtype == np.uint8:
        file = f"{name}.rgb"
        write_rgb(ROOT / file, Image.fromarray(values))
    else:
        file = f"{name}.f32"
        (ROOT / file).write_bytes(values.astype("<f4").tobytes())
    CASES.append({"golden": file} | case)


def pil_fit(image, fit, height, width, kind):
    resample = Image.Resampling[FILTERS[kind]]
    w, h = image.size
    if fit == "squash":
        return image.resize((width, height), resample)
    if fit == "crop":
        ch, cw = min(h, int(w * height / width)), min(w, int(h * width / height))
        top, left = (h - ch) // 2, (w - cw) // 2
        return image.crop((left, top, left + cw, top + ch)).resize((width, height), resample)
    if fit == "pad":
        top, left = max(0, int(w * height / width) - h) // 2, max(0, int(h * width / height) - w) // 2
        canvas = Image.new("RGB", (w + 2 * left, h + 2 * top))
        canvas.paste(image, (left, top))
        return canvas.resize((width, height), resample)
    side = int(fit.split("-")[1])
    modes = {"nearest": v2.InterpolationMode.NEAREST, "bilinear": v2.InterpolationMode.BILINEAR,
             "bicubic": v2.InterpolationMode.BICUBIC, "lanczos": v2.InterpolationMode.LANCZOS,
             "box": v2.InterpolationMode.BOX, "hamming": v2.InterpolationMode.HAMMING}
    return F.center_crop(F.resize(image, [side], modes[kind]), [height, width])


def fits():
    for name in SOURCES:
        image = source(name)
        for fit in ("crop", "pad", "shorter-32", "shorter-20"):
            for kind in ("bilinear", "lanczos") if fit != "shorter-20" else ("nearest",):
                height, width = (24, 31) if name == "wide" else (28, 28)
                write(f"{name}-{fit}-{kind}", pil_fit(image, fit, height, width, kind),
                      source=name, kind="fit", fit=fit, interpolation=kind, size=[height, width])


def keras_fits():
    for name in SOURCES:
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "a").mkdir()
            source(name).save(pathlib.Path(folder) / "a" / "1.png")
            for fit, options in [("squash", {}), ("crop", {"crop_to_aspect_ratio": True}),
                                 ("pad", {"pad_to_aspect_ratio": True})]:
                for height, width in [(20, 26), (90, 75)][: 2 if fit == "squash" else 1]:
                    data = image_dataset_from_directory(
                        folder, labels=None, image_size=(height, width), batch_size=1,
                        shuffle=False, verbose=False, **options)
                    write(f"{name}-{fit}-{height}-tf", next(iter(data)).numpy()[0], source=name,
                          kind="fit", fit=fit, interpolation="tf-bilinear", size=[height, width])


def crops():
    for name, (top, left, height, width) in [
        ("wide", (3, 11, 30, 40)), ("tall", (20, 0, 15, 37)), ("square", (0, 0, 48, 48))
    ]:
        for kind in ("bilinear", "bicubic"):
            image = F.resized_crop(source(name), top, left, height, width, [24, 24],
                                   v2.InterpolationMode[kind.upper()])
            write(f"{name}-resized-crop-{kind}", image, source=name, kind="crop",
                  window=[top, left, height, width], interpolation=kind, size=[24, 24])
    for name in ("wide", "square"):
        image = source(name)
        for count, crop in ((5, F.five_crop), (10, F.ten_crop)):
            pictures = crop(F.resize(image, [32, 32], v2.InterpolationMode.BILINEAR), [28, 28])
            for index, part in enumerate(pictures):
                if count == 5 or index >= 5:
                    write(f"{name}-crop{count}-{index}", part, source=name, kind="testViews",
                          views="five-crop" if count == 5 else "ten-crop", index=index,
                          interpolation="bilinear", size=[28, 28])


def colors():
    image = source("square")
    tensor = F.to_dtype(F.to_image(image), torch.float32, scale=True)
    steps = {"brightness": F.adjust_brightness, "contrast": F.adjust_contrast,
             "saturation": F.adjust_saturation, "hue": F.adjust_hue}
    orders = [(["brightness"], 1.4), (["brightness"], 0.3), (["contrast"], 1.7),
              (["contrast"], 0.2), (["saturation"], 2.1), (["saturation"], 0.4), (["hue"], 0.31),
              (["hue"], -0.45), (["hue", "contrast", "saturation", "brightness"], 0.4)]
    for order, factor in orders:
        result = tensor
        for step in order:
            result = steps[step](result, factor)
        write(f"jitter-{'-'.join(order)}-{factor}", (result * 255).permute(1, 2, 0).numpy(),
              source="square", kind="jitter", order=order, factor=factor)
    erased = F.erase(F.to_dtype(F.to_image(image), torch.float32), 5, 9, 20, 13,
                     torch.tensor([123.675, 116.28, 103.53])[:, None, None])
    write("erased", erased.permute(1, 2, 0).numpy(), source="square", kind="erase",
          window=[5, 9, 20, 13])


def operations():
    transform = v2.RandAugment()
    for name in ("square", "wide"):
        image = source(name)
        for operation, (magnitudes, signed) in transform._AUGMENTATION_SPACE.items():
            strengths = [9, 21, 30] if name == "square" else [13]
            values = magnitudes(31, image.size[1], image.size[0])
            for strength in strengths if values is not None else [0]:
                for sign in (1, -1) if signed else (1,):
                    magnitude = 0.0 if values is None else float(values[strength]) * sign
                    result = transform._apply_image_or_video_transform(
                        image, operation, magnitude, v2.InterpolationMode.NEAREST,
                        transform._fill)
                    write(f"{name}-{operation}-{strength}{'-negative' if sign < 0 else ''}",
                          result, source=name, kind="operation", operation=operation,
                          strength=strength, negative=sign < 0)


def mixtures():
    first, second = source("square"), source("wide").resize((48, 48))
    write_rgb(ROOT / "second.rgb", second)
    batch = torch.stack([F.to_dtype(F.to_image(i), torch.float32) for i in (first, second)])
    labels = torch.nn.functional.one_hot(torch.tensor([0, 1]), 2).to(torch.float32)
    for share in (0.8, 0.25):
        mix = v2.MixUp(num_classes=2)
        result = mix.transform(batch, {"labels": labels, "batch_size": 2, "lam": share})
        target = mix._mixup_label(labels, lam=share)
        write(f"mixup-{share}", result[0].permute(1, 2, 0).numpy(), source="square",
              kind="mix", share=share, target=target[0].tolist())
    for share, y, x in [(0.7, 20, 30), (0.3, 3, 44), (0.05, 24, 24)]:
        ratio = 0.5 * math.sqrt(1 - share)
        width, height = int(ratio * 48), int(ratio * 48)
        box = (max(x - width, 0), max(y - height, 0), min(x + width, 48), min(y + height, 48))
        adjusted = 1 - (box[2] - box[0]) * (box[3] - box[1]) / (48 * 48)
        mix = v2.CutMix(num_classes=2)
        parameters = {"labels": labels, "batch_size": 2, "box": box, "lam_adjusted": adjusted}
        result = mix.transform(tv_tensors.Image(batch), parameters)
        target = mix._mixup_label(labels, lam=adjusted)
        write(f"cutmix-{share}", result[0].permute(1, 2, 0).numpy(), source="square", kind="mix",
              share=share, middle=[y, x], target=target[0].tolist())


def main():
    if IS_KERAS:
        keras_fits()
        (ROOT / "cases.json").write_text(json.dumps(CASES))
        return
    shutil.rmtree(ROOT, ignore_errors=True)
    ROOT.mkdir(parents=True)
    for name in SOURCES:
        write_rgb(ROOT / f"{name}.rgb", source(name))
    subprocess.run([sys.executable, __file__, "keras"], check=True)
    CASES.extend(json.loads((ROOT / "cases.json").read_text()))
    fits()
    crops()
    colors()
    operations()
    mixtures()
    (ROOT / "cases.json").write_text(json.dumps(CASES, indent=1) + "\n")


if __name__ == "__main__":
    main()
