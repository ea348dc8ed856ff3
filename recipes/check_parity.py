"""The part of `check-parity` that runs tl and Keras on the same photos and compares them."""

import argparse
import csv
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
from PIL import Image

POOLS = [f"block{block}_pool" for block in range(1, 6)]
ABSOLUTE, RELATIVE = 1e-4, 1e-4
NOISE = 5e-6
ORIENTATION = 0x0112
BATCH = 10

MEANS = {"caffe": [103.939, 116.779, 123.68], "torch": [0.485, 0.456, 0.406]}
PREPROCESSING = {
    "caffe": lambda x: x[..., ::-1] - np.float32(MEANS["caffe"]),
    "tf": lambda x: x / np.float32(127.5) - 1,
    "torch": lambda x: (x / np.float32(255) - np.float32(MEANS["torch"]))
    / np.float32([0.229, 0.224, 0.225]),
    "rescale": lambda x: x / np.float32(255),
    "none": lambda x: x,
}


def arguments():
    parser = argparse.ArgumentParser(
        prog="check-parity", description="Compare tl with Keras on real photos.")
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR",
                        help="folder with one subfolder of photos for each class")
    parser.add_argument("--base", type=pathlib.Path, metavar="FILE",
                        help="weights of VGG16 without top; compares the five pools")
    parser.add_argument("--model", type=pathlib.Path, metavar="MODEL.h5",
                        help="model made by tl; compares its predictions")
    parser.add_argument("--layers", action="store_true",
                        help="with --base: also every layer by itself, in float64, on what tl "
                        "gives it")
    parser.add_argument("--photos", type=int, default=100, help="how many photos (100)")
    parser.add_argument("--image-size", type=int, default=150,
                        help="side in pixels for --base (150)")
    parser.add_argument("--preprocess", choices=PREPROCESSING, default="caffe",
                        help="preprocessing of the photos; what --model was trained with (caffe)")
    parser.add_argument("--interpolation", choices=["nearest", "bilinear"], default="nearest",
                        help="resizing that --model was trained with (nearest)")
    parser.add_argument("--allow-noise", action="store_true",
                        help=f"pass features that differ from Keras in float64 by at most "
                        f"{NOISE} of the largest number of their block")
    parser.add_argument("--tl", type=pathlib.Path, help="the program (.build/release/tl)")
    options = parser.parse_args()
    if not options.base and not options.model:
        parser.error("one of --base and --model is needed")
    if not options.tl.exists():
        sys.exit(f"check-parity: no '{options.tl}'\nrun 'swift build -c release'")
    return options


def usable(path):
    """Whether Pillow decodes the photo and Keras shows it upright, as tl does."""
    try:
        with Image.open(path) as image:
            image.load()
            return image.getexif().get(ORIENTATION, 1) == 1
    except OSError:
        return False


def copy_photos(data, count, folder):
    """Copies `count` photos, as many of each class as possible, and returns their new paths."""
    classes = sorted(p for p in data.iterdir() if p.is_dir() and not p.name.startswith("."))
    if not classes:
        sys.exit(f"check-parity: no subfolders in '{data}'")
    copies, left_out = [], 0
    for index, source in enumerate(classes):
        wanted = count // len(classes) + (index < count % len(classes))
        (folder / source.name).mkdir()
        for path in sorted(p for p in source.iterdir() if not p.name.startswith(".")):
            if wanted == 0:
                break
            if not usable(path):
                left_out += 1
                continue
            copies.append(folder / source.name / path.name)
            shutil.copyfile(path, copies[-1])
            wanted -= 1
    if left_out:
        print(f"{left_out} files left out: not photos, or turned by EXIF, which Keras ignores")
    if not copies:
        sys.exit(f"check-parity: no photos in '{data}'")
    return copies


def load_batches(paths, size, preprocess, interpolation):
    """Yields (start, pictures [n, height, width, 3]) the way Keras loads them."""
    for start in range(0, len(paths), BATCH):
        pictures = [
            keras.utils.img_to_array(
                keras.utils.load_img(path, target_size=size, interpolation=interpolation))
            for path in paths[start:start + BATCH]
        ]
        yield start, PREPROCESSING[preprocess](np.stack(pictures))


def vgg16(path, size, number="float32"):
    """Keras's VGG16 without top, its tensors set by layer name from a weights or model file."""
    keras.config.set_dtype_policy(number)
    model = keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(size, size, 3))
    keras.config.set_dtype_policy("float32")
    with h5py.File(path, "r") as file:
        root = file["model_weights"] if "model_weights" in file else file
        for layer in model.layers:
            if layer.weights:
                group = root[layer.name]
                layer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    return model


def run(tl, *words):
    """Runs tl and returns what it prints; stops with its error if it fails."""
    command = [str(tl)] + [str(word) for word in words]
    result = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if result.returncode != 0:
        sys.exit(f"check-parity: '{' '.join(command)}' ended with {result.returncode}")
    return result.stdout


def key(path):
    """Class folder and file name, by which a row of tl finds its photo."""
    if isinstance(path, bytes):
        path = path.decode()
    return "/".join(pathlib.PurePath(path).parts[-2:])


class Differences:
    """The differences of many numbers from what Keras gives."""

    def __init__(self):
        self.count = self.bad = 0
        self.absolute = self.relative = self.size = 0.0

    def add(self, found, expected):
        difference = np.abs(found.astype(np.float64) - expected)
        size = np.abs(expected)
        self.count += difference.size
        self.size = max(self.size, float(size.max()))
        self.bad += int((~(difference <= ABSOLUTE + RELATIVE * size)).sum())
        self.absolute = max(self.absolute, float(np.nan_to_num(difference, nan=np.inf).max()))
        large = difference[size > 1] / size[size > 1]
        if large.size:
            self.relative = max(self.relative, float(np.nan_to_num(large, nan=np.inf).max()))

    def report(self, what):
        print(f"{what:40}  {self.count:>10} numbers  largest difference {self.absolute:.2e}, "
              f"of the largest number {self.absolute / max(self.size, 1e-30):.1e}  "
              f"relative {self.relative:.2e}  out of tolerance {self.bad}", flush=True)
        return self.bad == 0

    def is_noise(self):
        """Whether all differences are rounding next to the largest number."""
        return self.absolute <= NOISE * self.size


def compare_pool(options, models, photos, pool, folder):
    """Whether tl's features at `pool` are those of Keras, for every photo and every number.

    A sum of thousands of products that nearly cancel keeps only some of float32's digits, in Keras
    as in tl. So both are also compared with Keras in float64, to show how much of a difference is
    noise of Keras's own.
    """
    output = folder / f"{pool}.h5"
    run(options.tl, "extract-features", photos[0].parents[1], "--base", options.base,
        "--layer", pool, "--image-size", options.image_size, "--preprocess",
        options.preprocess,
        "--output", output)
    cut, exact_cut = [
        keras.Model(model.input, model.get_layer(pool).output) for model in models]
    differences, noise, exact = Differences(), Differences(), Differences()
    with h5py.File(output, "r") as file:
        features = file["features"]
        rows = {key(path): row for row, path in enumerate(file["paths"][()])}
        missing = [key(path) for path in photos if key(path) not in rows]
        expected_shape = (len(photos),) + cut.output_shape[1:]
        if missing or features.shape != expected_shape or features.dtype != np.float32:
            print(f"{pool}: expected features {list(expected_shape)} float32, found "
                  f"{list(features.shape)} {features.dtype}; {len(missing)} photos missing")
            return False
        names = [name.decode() for name in file["class_names"][()]]
        labels = file["labels"][()]
        wrong = [p for p in photos if names[int(labels[rows[key(p)]])] != p.parent.name]
        if wrong:
            print(f"{pool}: wrong label for {len(wrong)} photos, first '{key(wrong[0])}'")
        size = (options.image_size, options.image_size)
        for start, pictures in load_batches(photos, size, options.preprocess, "nearest"):
            expected = cut(pictures, training=False).numpy()
            truth = exact_cut(pictures.astype(np.float64), training=False).numpy()
            found = np.stack([
                features[rows[key(path)]] for path in photos[start:start + len(pictures)]])
            differences.add(found, expected)
            exact.add(found, truth)
            noise.add(expected, truth)
    output.unlink()
    same = differences.report(f"{pool}: tl and Keras")
    exact.report(f"{pool}: tl and Keras in float64")
    noise.report(f"{pool}: Keras and Keras in float64")
    return (same or (options.allow_noise and exact.is_noise())) and not wrong


class LayerDifferences:
    """The differences of a layer's outputs from those of float64, next to their usual size."""

    def __init__(self):
        self.bad = self.count = 0
        self.largest = self.squares = self.error = 0.0

    def add(self, found, expected):
        difference = np.abs(found - expected)
        usual = np.sqrt(np.mean(expected ** 2))
        self.count += difference.size
        self.bad += int((~(difference <= RELATIVE * (np.abs(expected) + usual))).sum())
        self.largest = max(self.largest, float(np.nan_to_num(difference / usual, nan=np.inf).max()))
        self.squares += float((expected ** 2).sum())
        self.error += float((difference ** 2).sum())

    def report(self, what):
        print(f"{what:40}  {self.count:>10} numbers  error of all "
              f"{(self.error / self.squares) ** 0.5:.1e}  largest {self.largest:.1e} of the usual "
              f"size  out of {RELATIVE} * (|x| + usual) {self.bad}", flush=True)
        return self.bad == 0


def layer_steps(model):
    """What is compared: (result, input, layers between), each a fused step of tl's plan or more.

    The first list has every layer's result; the second leaves out what tl then computes together:
    pooling while outputs are stored, and the first convolution within the second.
    """
    names = [layer.name for layer in model.layers]
    single = [(name, before, [name]) for before, name in zip(names, names[1:])]
    fused = [("block1_pool", names[0], ["block1_conv1", "block1_conv2", "block1_pool"])]
    for pool in POOLS[1:]:
        last = names[names.index(pool) - 1]
        fused.append((pool, names[names.index(last) - 1], [last, pool]))
    return single, fused


def compare_layers(options, model, photos, folder):
    """Whether each layer of tl gives what Keras's gives in float64 for the same input."""
    size, first = (options.image_size, options.image_size), model.layers[0].name
    results = True
    for kind, steps in zip(("", "fused: "), layer_steps(model)):
        wanted = {name for step in steps for name in step[:2]} - {first}
        found = {step[0]: LayerDifferences() for step in steps}
        for start, pictures in load_batches(photos, size, options.preprocess, "nearest"):
            source, target = folder / "layers-in.h5", folder / "layers-out.h5"
            with h5py.File(source, "w") as file:
                file["input"] = pictures.astype(np.float32)
            run(options.tl.with_name("tl-bench"), "probe", "--base", options.base, "--input", source,
                "--output", target, "--layers", ",".join(sorted(wanted)))
            with h5py.File(target, "r") as file:
                values = {name: file["outputs"][name][()] for name in wanted}
            values[first] = pictures
            for name, before, layers in steps:
                expected = values[before].astype(np.float64)
                for layer in layers:
                    expected = model.get_layer(layer)(expected).numpy()
                found[name].add(values[name].astype(np.float64), expected)
        for name, before, layers in steps:
            results &= found[name].report(kind + " + ".join(layers))
    return results


def probabilities(outputs):
    """One column per class: a sigmoid gives that of the second class."""
    return np.concatenate([1 - outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs


def compare_predictions(options, photos):
    """Whether `tl predict` gives the probabilities and labels of the model opened by Keras."""
    text = run(options.tl, "predict", photos[0].parents[1], "--model", options.model,
               "--format", "csv")
    table = list(csv.reader(text.splitlines()))
    names = table[0][3:-1]
    rows = {key(row[0]): row for row in table[1:]}
    model = keras.models.load_model(options.model)
    size = model.input_shape[1:3]
    differences, wrong, missing = Differences(), 0, 0
    for start, pictures in load_batches(photos, size, options.preprocess, options.interpolation):
        expected = probabilities(model(pictures, training=False).numpy())
        for path, values in zip(photos[start:start + BATCH], expected):
            row = rows.get(key(path))
            if row is None or row[-1] or len(row) != len(values) + 4:
                missing += 1
                continue
            differences.add(np.array([float(value) for value in row[3:-1]]), values)
            best = int(values.argmax())
            # Where two classes are this close either label is right.
            tie = np.sort(values)[-1] - np.sort(values)[-2] < 2 * ABSOLUTE
            differences.add(np.array([float(row[2])]), values[[best]])
            wrong += row[1] != names[best] and not tie
    if missing or wrong:
        print(f"predict: {missing} photos without a valid row, {wrong} wrong labels")
    return differences.report("predict") and not missing and not wrong


def main():
    options = arguments()
    print(f"keras {keras.__version__}, tolerance {ABSOLUTE} + {RELATIVE} * |keras|; "
          "relative differences are of numbers above 1")
    with tempfile.TemporaryDirectory(prefix="tl-parity-") as name:
        folder = pathlib.Path(name)
        (folder / "photos").mkdir()
        photos = copy_photos(options.data, options.photos, folder / "photos")
        print(f"{len(photos)} photos of {options.data}")
        results = []
        if options.base:
            models = [
                vgg16(options.base, options.image_size, number)
                for number in ("float32", "float64")]
            results = [compare_pool(options, models, photos, pool, folder) for pool in POOLS]
            if options.layers:
                results.append(compare_layers(options, models[1], photos, folder))
        if options.model:
            results.append(compare_predictions(options, photos))
    if not all(results):
        sys.exit("check-parity: tl and Keras differ")
    print("tl agrees with Keras")


if __name__ == "__main__":
    main()
