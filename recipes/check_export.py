"""The part of `check-export` that makes models, exports them and opens the files with their peers."""

import argparse
import csv
import json
import logging
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
import onnx
import onnxruntime
import safetensors.numpy

from check_export_keras2 import leaves
from check_parity import PREPROCESSING

# Keras says of every file that it is in an old format or not compiled.
logging.getLogger("absl").setLevel(logging.ERROR)
logging.getLogger("tensorflow").setLevel(logging.ERROR)

TOLERANCE = 1e-5
KERAS2_WORKER = pathlib.Path(__file__).parent / "check_export_keras2.py"
FORMATS = {"keras-h5": ".h5", "keras": ".keras", "weights-h5": ".weights.h5", "onnx": ".onnx",
           "safetensors": ".safetensors"}


def arguments():
    parser = argparse.ArgumentParser(
        prog="check-export", description="Open what tl exports with Keras, onnxruntime and others.")
    parser.add_argument("--data", type=pathlib.Path, required=True, metavar="DIR",
                        help="folder with two subfolders of photos")
    parser.add_argument("--model", type=pathlib.Path, nargs="*", default=[], metavar="MODEL.h5",
                        help="models of tl to check besides")
    parser.add_argument("--only", help="names of the models to make, with commas")
    parser.add_argument("--photos", type=int, default=20, help="how many photos (20)")
    parser.add_argument("--keep", type=pathlib.Path, metavar="DIR", help="where files are kept")
    parser.add_argument("--keras2", required=True, help="a Python that has Keras 2.15")
    parser.add_argument("--tl", type=pathlib.Path, help="the program (.build/release/tl)")
    options = parser.parse_args()
    if not options.tl.exists():
        sys.exit(f"check-export: no '{options.tl}'\nrun 'swift build -c release --product tl'")
    return options


def run(tl, *words):
    """Runs tl and returns what it prints; raises its error if it fails."""
    command = [str(tl)] + [str(word) for word in words]
    result = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if result.returncode != 0:
        raise RuntimeError(f"'{' '.join(command)}' ended with {result.returncode}: {result.stderr}")
    return result.stdout


def copy_photos(data, count, folder):
    """Copies `count` photos, half of each class, and returns their new paths."""
    copies = []
    for source in sorted(p for p in data.iterdir() if p.is_dir()):
        (folder / source.name).mkdir(parents=True)
        for path in sorted(source.iterdir())[:count // 2]:
            copies.append(folder / source.name / path.name)
            shutil.copyfile(path, copies[-1])
    return copies


# Models made by Keras; every one ends in one sigmoid.


def randomized(model, seed=0):
    """The model with statistics and weights that let numbers reach the end."""
    random = np.random.default_rng(seed)

    def change(layer):
        for inner in getattr(layer, "layers", []):
            change(inner)
        if type(layer).__name__ == "BatchNormalization":
            layer.set_weights([
                (random.uniform(0.5, 1.5, w.shape) if name in ("gamma", "moving_variance")
                 else random.normal(0, 0.2, w.shape)).astype("f4")
                for name, w in zip(
                    [v.name for v in layer.weights], layer.get_weights())])

    change(model)
    return model


def with_head(base, seed=0):
    x = keras.layers.GlobalAveragePooling2D()(base.output)
    x = keras.layers.BatchNormalization(name="last_bn")(x)
    output = keras.layers.Dense(1, activation="sigmoid", name="last")(x)
    return randomized(keras.Model(base.input, output), seed)


def resnet50():
    return with_head(keras.applications.ResNet50(
        weights=None, include_top=False, input_shape=(64, 64, 3)))


def mobilenet_v2():
    return with_head(keras.applications.MobileNetV2(
        weights=None, include_top=False, input_shape=(64, 64, 3), alpha=0.35))


def xception():
    return with_head(keras.applications.Xception(
        weights=None, include_top=False, input_shape=(96, 96, 3)))


def nested():
    """The book's second edition: a base within a Sequential."""
    layers = keras.layers
    start = keras.Input((48, 48, 3))
    x = layers.Conv2D(8, 3, padding="same", activation="relu", name="block1_conv1")(start)
    x = layers.BatchNormalization(name="block1_bn")(x)
    x = layers.MaxPooling2D(name="block1_pool")(x)
    side = layers.Conv2D(8, 3, padding="same", name="block2_conv1")(x)
    x = layers.Add(name="block2_add")([x, side])
    base = keras.Model(start, layers.MaxPooling2D(name="block2_pool")(x), name="base")
    base.get_layer("block1_conv1").trainable = False
    return randomized(keras.Sequential([
        keras.Input((80, 70, 3)), layers.RandomFlip("horizontal"), layers.Resizing(61, 57),
        layers.CenterCrop(48, 48), base, layers.Flatten(), layers.Dense(16, activation="relu"),
        layers.Dropout(0.5), layers.Dense(1, activation="sigmoid")]))


def activations():
    """Every function that Keras 2 and 3 know under the same name."""
    layers = keras.layers
    start = keras.Input((24, 24, 3))
    x = layers.Conv2D(6, 3, strides=2)(start)
    outputs = [layers.Conv2D(4, 3, strides=2, activation=name)(x) for name in (
        "relu", "relu6", "elu", "selu", "gelu", "silu", "softplus", "softsign", "tanh", "sigmoid",
        "exponential", "leaky_relu", "softmax", "linear")]
    outputs += [layer(outputs[-1]) for layer in (
        layers.ReLU(), layers.ReLU(max_value=0.5, negative_slope=0.2), layers.ReLU(threshold=0.2),
        layers.LeakyReLU(0.15), layers.ELU(0.7), layers.Softmax(), layers.PReLU(
            shared_axes=[1, 2], alpha_initializer="random_normal"), layers.Activation("swish"))]
    x = layers.Concatenate()(outputs)
    return with_head(keras.Model(start, layers.DepthwiseConv2D(3, depth_multiplier=2)(x)))


def every_layer():
    """A network with every layer that tl knows besides those of the others."""
    layers = keras.layers
    start = keras.Input((33, 40, 3))
    x = layers.Rescaling(1 / 127.5, offset=-1)(start)
    x = layers.Normalization(mean=[0.1, 0, -0.1], variance=[0.5, 0.6, 0.7])(x)
    adapted = layers.Normalization()
    adapted.adapt(np.random.default_rng(0).normal(size=(8, 4, 4, 3)))
    x = adapted(x)
    x = layers.ZeroPadding2D(((1, 2), (0, 1)))(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", activation="gelu")(x)
    x = layers.Conv2D(16, 3, groups=4, dilation_rate=2, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization(scale=False)(x)
    x = layers.LeakyReLU()(x)
    x = layers.DepthwiseConv2D(3, depth_multiplier=2, padding="same")(x)
    x = layers.PReLU(shared_axes=[1, 2])(x)
    a = layers.SeparableConv2D(12, 3, strides=2, padding="same", activation="selu")(x)
    a = layers.Conv2DTranspose(12, 3, strides=2, padding="same", activation="elu")(a)
    a = layers.Cropping2D(((0, a.shape[1] - x.shape[1]), (0, a.shape[2] - x.shape[2])))(a)
    b = layers.Conv2D(12, 1, activation="silu")(x)
    both = layers.Maximum()([a, b])
    x = layers.Concatenate()([
        layers.Average()([a, b]), both, layers.Subtract()([a, b]), layers.Multiply()([a, b])])
    x = layers.LayerNormalization()(x)
    x = layers.AveragePooling2D(3, strides=2, padding="same")(x)
    x = layers.UpSampling2D(2, interpolation="bilinear")(x)
    x = layers.UpSampling2D(2)(x)
    x = layers.Cropping2D(((3, 4), (6, 5)))(x)
    x = layers.MaxPooling2D(3, strides=2, padding="same")(x)
    x = layers.Permute((2, 1, 3))(x)
    x = layers.Multiply()([x, layers.GlobalAveragePooling2D(keepdims=True)(x)])
    x = layers.Conv2D(10, 3, activation="tanh")(x)
    x = layers.ReLU(max_value=0.9, negative_slope=0.1)(x)
    x = layers.SpatialDropout2D(0.3)(x)
    x = layers.GaussianNoise(0.1)(x)
    flat = layers.Flatten()(layers.Reshape((5, -1))(x))
    peak = layers.GlobalMaxPooling2D()(x)
    y = layers.Dense(10, activation="softmax")(flat)
    y = layers.Add()([y, layers.Dense(10)(peak)])
    y = layers.ELU()(y)
    return randomized(keras.Model(start, layers.Dense(1, activation="sigmoid")(y)))


def spread(model, ready):
    """The model with statistics of the photos, as after training, and probabilities of all sizes."""
    norms = [layer for layer in model._flatten_layers() if hasattr(layer, "moving_variance")]
    for layer in norms:
        momentum, layer.momentum = layer.momentum, 0.0
    if norms:
        model(ready, training=True)
    for layer in norms:
        layer.momentum = momentum
    last = model.layers[-1]
    inputs = keras.Model(model.inputs, last.input).predict(ready, verbose=0)
    # Along what differs most between the photos, or rounding would be most of the difference.
    kernel = np.linalg.svd(inputs - inputs.mean(0), full_matrices=False)[2][:1].T
    logits = inputs @ kernel
    last.set_weights([kernel / logits.std(), -logits.mean(0) / logits.std()])
    return model


KERAS_MADE = {  # the model, its preprocessing, what is unfrozen
    "resnet50": (resnet50, "caffe", "last,conv5_block3"),
    "nested": (nested, "rescale", "dense*,block2"),
    "activations": (activations, "tf", "last*"),
    "every-layer": (every_layer, "none", "dense*"),
    "mobilenet-v2": (mobilenet_v2, "tf", "last,Conv_1"),
    "xception": (xception, "tf", "last,block14"),
}


def mini(tl, photos, folder):
    """tl-mini with a head, block5 fine-tuned by tl."""
    path = folder / "mini.h5"
    base = pathlib.Path(__file__).parent.parent / "weights" / "tl-mini.h5"
    run(tl, "fine-tune", photos, "--base", base, "--image-size", "64", "--unfreeze", "block5",
        "--epochs", "1", "--seed", "1", "--output", path, "--run", folder / "run-mini")
    return path


def tuned(tl, name, photos, paths, folder):
    """A model made by Keras, fine-tuned by tl."""
    build, preprocessing, unfreeze = KERAS_MADE[name]
    source, path = folder / f"{name}-keras.h5", folder / f"{name}.h5"
    keras.utils.set_random_seed(1)
    model = build()
    raw = pictures(paths, model.input_shape[1:3], "nearest")
    spread(model, PREPROCESSING[preprocessing](raw)).save(source)
    run(tl, "fine-tune", photos, "--model", source, "--preprocess", preprocessing,
        "--unfreeze", unfreeze, "--epochs", "1", "--learning-rate", "1e-6", "--seed", "1",
        "--output", path, "--run", folder / f"run-{name}")
    return path


# Comparing.


def extras(path):
    """What tl keeps in a model file besides Keras's own."""
    with h5py.File(path) as file:
        return {name: value.tolist() if hasattr(value, "tolist") else value
                for name, value in file.attrs.items() if name.startswith("tl_")}


def pictures(paths, size, interpolation):
    return np.stack([
        keras.utils.img_to_array(keras.utils.load_img(
            path, target_size=size, interpolation=interpolation)) for path in paths])


def predicted(tl, model, folder, paths):
    """The last class's probability by tl for each path."""
    text = run(tl, "predict", folder, "--model", model, "--format", "csv", "--quiet")
    rows = {"/".join(pathlib.PurePath(r[0]).parts[-2:]): float(r[4])
            for r in list(csv.reader(text.splitlines()))[1:]}
    return np.array([rows["/".join(path.parts[-2:])] for path in paths])


def tensors(model, prefix=""):
    """All tensors of a Keras 3 model by name."""
    found = {}
    for layer in model.layers:
        if hasattr(layer, "layers"):
            found.update(tensors(layer, prefix + layer.name + "/"))
        else:
            for variable in layer.weights:
                # Keras 3 calls "kernel" what is "depthwise_kernel" in Keras 2.
                is_depthwise = type(layer).__name__ == "DepthwiseConv2D"
                name = variable.name.replace("kernel", "depthwise_kernel" * is_depthwise or "kernel")
                found[f"{prefix}{layer.name}/{name}"] = variable.numpy()
    return found


class Failures(list):
    def check(self, what, condition):
        if not condition:
            self.append(what)
            print(f"  FAILED: {what}", flush=True)


def compare(options, name, model, photos, paths, folder, failures):
    """Exports a model in every format and prints by how much each peer differs from tl."""
    known = extras(model)
    size = tuple(int(n) for n in known["tl_image_size"])
    raw = pictures(paths, size, known["tl_interpolation"])
    ready = PREPROCESSING[known["tl_preprocessing"]](raw)
    expected = predicted(options.tl, model, photos, paths)
    files = {}
    for kind, ending in FORMATS.items():
        files[kind] = folder / f"{name}-out{ending}"
        run(options.tl, "export", model, "--format", kind, "--output", files[kind])
    row = {}

    def differ(what, found):
        found = np.asarray(found, dtype=np.float64).ravel()
        row[what] = float(np.abs(found - expected).max())
        failures.check(f"{name}: {what} differs by {row[what]:.1e}", row[what] <= TOLERANCE)

    states, reference = [], None
    try:
        for kind, path in (("own file", model), *((k, files[k]) for k in ("keras-h5", "keras"))):
            opened = keras.models.load_model(path)
            differ(f"Keras 3 {kind}", opened.predict(ready, verbose=0))
            states.append(leaves(opened))
        opened.set_weights([np.zeros_like(w) for w in opened.get_weights()])
        opened.load_weights(files["weights-h5"])
        differ("Keras 3 weights-h5", opened.predict(ready, verbose=0))
        reference = tensors(opened)
    except Exception as error:  # what a library cannot open is what is looked for
        failures.check(f"{name}: Keras 3: {str(error)[:300]}", False)
    inputs = folder / "inputs.npy"
    np.save(inputs, ready)
    worker = subprocess.run(
        [options.keras2, KERAS2_WORKER, inputs, model, files["keras-h5"], files["keras"],
         files["weights-h5"]], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    answers = [json.loads(line.removeprefix("answer ")) for line in worker.stdout.splitlines()
               if line.startswith("answer ")]
    if worker.returncode != 0:
        failures.check(f"{name}: Keras 2: {worker.stderr.strip()[-300:]}", False)
    for kind, answer in zip(("own file", "keras-h5", "keras", "weights-h5"), answers[1:]):
        differ(f"Keras {answers[0]['version']} {kind}", answer["predictions"])
        states.append(answer["leaves"])

    failures.check(f"{name}: frozen layers differ", all(s == states[0] for s in states))

    onnx.checker.check_model(str(files["onnx"]), full_check=True)
    session = onnxruntime.InferenceSession(files["onnx"])
    differ("onnxruntime", session.run(None, {"input": ready})[0])
    one = session.run(None, {"input": ready[:1]})[0]
    failures.check(f"{name}: a batch of one differs", abs(one.ravel()[0] - expected[0]) <= TOLERANCE)
    inside = folder / f"{name}-inside.onnx"
    run(options.tl, "export", model, "--format", "onnx", "--include-preprocessing",
        "--output", inside)
    onnx.checker.check_model(str(inside), full_check=True)
    session = onnxruntime.InferenceSession(inside)
    differ("onnxruntime, raw", session.run(None, {"input": raw})[0])
    properties = session.get_modelmeta().custom_metadata_map
    failures.check(f"{name}: ONNX names its classes", json.loads(properties["tl_class_names"])
                   == [n.decode() if isinstance(n, bytes) else n for n in known["tl_class_names"]])

    stored = safetensors.numpy.load_file(files["safetensors"])
    same = reference is not None and stored.keys() == reference.keys() and all(
        np.array_equal(stored[key], reference[key]) for key in stored)
    failures.check(f"{name}: tensors of safetensors differ from Keras's", same)

    for kind in ("keras-h5", "keras", "weights-h5", "safetensors"):
        try:
            differ(f"tl {kind}", predicted(options.tl, files[kind], photos, paths))
            back = folder / f"{name}-back.h5"
            run(options.tl, "export", files[kind], "--format", "keras-h5", "--output", back)
            failures.check(f"{name}: {kind} loses something on the way back",
                           back.read_bytes() == files["keras-h5"].read_bytes())
        except RuntimeError as error:
            failures.check(f"{name}: {error}", False)
    half = folder / f"{name}-half.keras"
    run(options.tl, "export", model, "--format", "keras", "--dtype", "float16", "--output", half)
    row["float16"] = float(np.abs(predicted(options.tl, half, photos, paths) - expected).max())
    print(f"{name}: {len(expected)} photos, probabilities {expected.min():.3f} to "
          f"{expected.max():.3f}, {sum(states[0].values())} of {len(states[0])} layers trainable")
    for what, value in row.items():
        print(f"  {what:22} {value:.1e}", flush=True)


def main():
    options = arguments()
    only = options.only.split(",") if options.only else ["mini", *KERAS_MADE]
    print(f"keras {keras.__version__}, onnx {onnx.__version__}, onnxruntime "
          f"{onnxruntime.__version__}; largest differences of a probability from tl's")
    failures = Failures()
    with tempfile.TemporaryDirectory(prefix="tl-export-") as name:
        folder = pathlib.Path(name)
        if options.keep:
            folder = options.keep
            folder.mkdir(parents=True, exist_ok=True)
        photos = folder / "photos"
        shutil.rmtree(photos, ignore_errors=True)
        paths = copy_photos(options.data, options.photos, photos)
        models = {path.stem: path for path in options.model}
        for kind in only:
            shutil.rmtree(folder / f"run-{kind}", ignore_errors=True)
            models[kind] = (mini(options.tl, photos, folder) if kind == "mini"
                            else tuned(options.tl, kind, photos, paths, folder))
        for kind, path in models.items():
            compare(options, kind, path, photos, paths, folder, failures)
    if failures:
        sys.exit(f"check-export: {len(failures)} failures")
    print("all agree")


if __name__ == "__main__":
    main()
