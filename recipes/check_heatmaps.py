"""The part of `check-heatmaps` that runs tl and Keras and compares."""

import argparse
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import tensorflow as tf
from PIL import Image

from check_parity import PREPROCESSING, usable

BOXES = pathlib.Path(__file__).resolve().parents[1] / "Tests" / "ExplainTests" / "boxes.txt"
TOLERANCE = 1e-3
LEAST = 1.5
SIDE = 256


def arguments():
    parser = argparse.ArgumentParser(
        prog="check-heatmaps", description="Check tl's heat maps against Keras and boxes.")
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR",
                        help="folder with test/cats and test/dogs")
    parser.add_argument("--model", type=pathlib.Path, required=True, metavar="MODEL.h5",
                        help="model made by tl")
    parser.add_argument("--photos", type=int, default=100, help="how many photos (100)")
    parser.add_argument("--tl", type=pathlib.Path, help="the program (.build/release/tl)")
    options = parser.parse_args()
    if not options.tl.exists():
        sys.exit(f"check-heatmaps: no '{options.tl}'\nrun 'swift build -c release'")
    return options


def tl_maps(options, photos, folder, *words):
    """What `tl show heatmap --raw` gives: maps [n, h, w], labels and probabilities by photo."""
    path = folder / "maps.h5"
    command = [options.tl, "show", "heatmap", *photos, "--model", options.model, "--raw", path,
               "--quiet", *words]
    result = subprocess.run(command, stdout=subprocess.DEVNULL)
    if result.returncode != 0:
        sys.exit(f"check-heatmaps: tl show heatmap ended with {result.returncode}")
    with h5py.File(path) as file:
        assert [name.decode() for name in file["paths"]] == [str(photo) for photo in photos]
        return file["heatmaps"][()], file["labels"][()], file["probabilities"][()]


def keras_maps(model, photos, labels):
    """Grad-CAM [n, h, w] of the last convolution, and the probability of each photo's class.

    As in the book, but for the sigmoid, which is taken away: its slope scales a map as a whole, and
    is 0 in float32 where the model is sure. For the first class the score is that of 1 - p.
    """
    index = [isinstance(layer, keras.layers.Conv2D) for layer in model.layers]
    index = len(index) - 1 - index[::-1].index(True)
    lower = keras.Model(model.inputs[0], model.layers[index].output)
    last = model.layers[-1]
    assert last.activation is keras.activations.sigmoid, "a model of two classes is expected"
    last.activation = keras.activations.linear
    maps, scores = [], []
    for start in range(0, len(photos), 10):
        signs = np.where(labels[start:start + 10] == 1, 1, -1).astype(np.float32)[:, None]
        values = lower(photos[start:start + 10], training=False)
        with tf.GradientTape() as tape:
            tape.watch(values)
            x = values
            for layer in model.layers[index + 1:]:
                x = layer(x, training=False)
            score = x * signs
        weights = tf.reduce_mean(tape.gradient(score, values), axis=(1, 2), keepdims=True)
        found = tf.nn.relu(tf.reduce_sum(values * weights, axis=-1)).numpy()
        largest = found.max(axis=(1, 2), keepdims=True)
        maps.append(found / np.where(largest > 0, largest, 1))
        scores.append(1 / (1 + np.exp(-score.numpy()[:, 0])))
    return np.concatenate(maps), np.concatenate(scores)


def load_picture(path, size, interpolation):
    """A photo as the model sees it before its preprocessing, float32 [h, w, 3]."""
    if interpolation == "tf-bilinear":
        return tf.image.resize(keras.utils.img_to_array(keras.utils.load_img(path)), size).numpy()
    return keras.utils.img_to_array(
        keras.utils.load_img(path, target_size=size, interpolation=interpolation))


def check_parity(options, folder):
    classes = [options.data / "test" / name for name in ("cats", "dogs")]
    photos = [path for source in classes
              for path in sorted(filter(usable, source.iterdir()))[:options.photos // 2]]
    ours, labels, probabilities = tl_maps(options, photos, folder)
    with h5py.File(options.model) as file:
        size = tuple(int(side) for side in file.attrs["tl_image_size"])
        preprocess = file.attrs["tl_preprocessing"]
        interpolation = file.attrs["tl_interpolation"]
    pictures = PREPROCESSING[preprocess](np.stack([
        load_picture(path, size, interpolation) for path in photos]))
    model = keras.models.load_model(options.model, compile=False)
    theirs, scores = keras_maps(model, pictures, labels)
    difference = np.abs(ours - theirs).max(axis=(1, 2))
    worst = int(difference.argmax())
    print(f"Grad-CAM of {len(photos)} photos, maps of {ours.shape[1]} x {ours.shape[2]}: largest "
          f"difference to Keras {difference.max():.1e} of the largest value "
          f"({photos[worst].name}), median {np.median(difference):.1e}; probabilities differ by at "
          f"most {np.abs(probabilities[np.arange(len(labels)), labels] - scores).max():.1e}")
    return difference.max() <= TOLERANCE


def check_boxes(options, folder):
    rows = [line.split() for line in BOXES.read_text().splitlines()
            if line and not line.startswith("#")]
    boxes = {name: [float(side) for side in sides] for name, *sides in rows}
    y, x = (np.mgrid[0:SIDE, 0:SIDE] + 0.5) / SIDE
    ratios, right = {}, 0
    for kind in ("cats", "dogs"):
        names = [name for name in boxes if name.startswith(kind)]
        maps, labels, probabilities = tl_maps(
            options, [options.data / "test" / name for name in names], folder, "--class", kind)
        right += int((probabilities[np.arange(len(labels)), labels] > 0.5).sum())
        for name, heat in zip(names, maps):
            left, top, end, bottom = boxes[name]
            inside = (x > left) & (x < end) & (y > top) & (y < bottom)
            mass = np.asarray(Image.fromarray(heat).resize((SIDE, SIDE), Image.BILINEAR))
            ratios[name] = float(mass[inside].sum() / mass.sum() / inside.mean())
    for name, ratio in ratios.items():
        left, top, end, bottom = boxes[name]
        print(f"  {name}  {ratio:.2f} of at most {1 / ((end - left) * (bottom - top)):.2f}")
    values = list(ratios.values())
    mean = sum(values) / len(values)
    print(f"mass in the box of the animal next to an even map, each photo's own class: mean "
          f"{mean:.2f}, least {min(values):.2f}, {sum(v >= LEAST for v in values)} of "
          f"{len(values)} photos at {LEAST} or more; {right} of {len(values)} are classified right")
    return min(values) >= LEAST


def main():
    options = arguments()
    with tempfile.TemporaryDirectory(prefix="check-heatmaps-") as folder:
        good = [check_parity(options, pathlib.Path(folder)),
                check_boxes(options, pathlib.Path(folder))]
    print("passed" if all(good) else "FAILED")
    sys.exit(0 if all(good) else 1)


if __name__ == "__main__":
    main()
