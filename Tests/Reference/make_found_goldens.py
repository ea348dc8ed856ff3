"""Writes Tests/WeightsTests/Fixtures/found_expected.h5: what Keras makes of random inputs with the
models in weights/found of TL_SHARED, which other people made with many versions of Keras.

For each file that Keras opens: `<file>/input` and `<file>/output`. None of the weights is kept.
Files that this Keras cannot open are built by hand from their configuration (Keras 1).

Made with Python 3.11, Keras 3.15.1 on torch 2.15.0, tf_keras 2.21.0, h5py 3.14.0:
    TL_SHARED=... python Tests/Reference/make_found_goldens.py [FILE SEED]
"""

import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "torch"  # computes channels_first on a CPU
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parents[2]
FOUND = pathlib.Path(os.environ.get("TL_SHARED", ROOT.parent / "shared")) / "weights" / "found"
TARGET = ROOT / "Tests" / "WeightsTests" / "Fixtures" / "found_expected.h5"
TARGET, SEED = sys.argv[1:] or (TARGET, 5)


def keras1(path):
    """The two models of Keras 1.2.2, whose configuration Keras 3 no longer reads."""
    layers = keras.layers
    model = keras.Sequential([
        keras.Input((100,)), layers.Dense(490), layers.Reshape((7, 7, 10)),
        layers.BatchNormalization(epsilon=1e-3), layers.Conv2D(5, 3)])
    with h5py.File(path) as file:
        for layer in model.layers:
            stored = {layers.Dense: "dense_1", layers.BatchNormalization: "batchnormalization_1",
                      layers.Conv2D: "convolution2d_1"}.get(type(layer))
            if stored:
                group = file["model_weights"][stored]
                layer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    return model


def opened(path):
    with h5py.File(path) if path.suffix != ".keras" else open(path, "rb") as file:
        version = getattr(file, "attrs", {}).get("keras_version", b"3")
    if str(version).strip("b'").startswith("1."):
        return keras1(path)
    try:
        return keras.models.load_model(path, compile=False)
    except (TypeError, ValueError):
        # Keras 3 stumbles over some configurations of Keras 2.
        import tf_keras
        return tf_keras.models.load_model(path, compile=False)


def turn_theanos(model, path):
    """What Keras 2 with TensorFlow did to a file of Theano (`convert_kernel`), and newer versions
    leave undone: Theano convolves where others correlate."""
    if path.suffix == ".keras":
        return
    with h5py.File(path) as file:
        if file.attrs.get("backend") not in ("theano", b"theano"):
            return
    for layer in model.layers:
        if type(layer).__name__ == "Conv2D":
            kernel, *rest = layer.get_weights()
            layer.set_weights([kernel[::-1, ::-1], *rest])


def main():
    random = np.random.default_rng(int(SEED))
    with h5py.File(TARGET, "w") as target:
        for path in sorted(FOUND.iterdir()):
            try:
                model = opened(path)
            except Exception as error:
                print(f"{path.name}: not opened: {type(error).__name__}: {str(error)[:100]}")
                continue
            turn_theanos(model, path)
            # Few different numbers, which compress well.
            x = (random.integers(-2, 3, (1, *model.input_shape[1:])) / 2).astype(np.float32)
            try:
                y = np.asarray(model.predict(x, verbose=0))
            except Exception as error:
                print(f"{path.name}: not computed: {type(error).__name__}: {str(error)[:100]}")
                continue
            if y.size > 10_000:
                print(f"{path.name}: left out: {y.size} numbers")
                continue
            group = target.create_group(path.name)
            group.create_dataset("input", data=x, compression="gzip", shuffle=True)
            group.create_dataset("output", data=y, compression="gzip", shuffle=True)
            print(f"{path.name}: {x.shape} gives {y.shape}")


if __name__ == "__main__":
    main()
