"""Writes Tests/ArchitecturesTests/Goldens/<network>.h5: Keras's networks an eighth as wide.

Each file has `layers`, a line `name|shape;shape` for each layer with tensors in the order of Keras's
`model.layers`; and `outputs/<layer>`, what the network makes of one picture after some blocks and at
the end. Tensors and picture are not stored: `tensor` and `picture` draw them by a formula that the
tests have too. Layers that Keras only numbers start at 3.

The networks are those of keras.applications with fewer filters in every convolution, and those of
recipes/history_networks.py.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_network_goldens.py [NAME ...]
"""

import contextlib
import os
import pathlib
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
from keras.src import applications, layers

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "recipes"))
import history_networks

GOLDENS = ROOT / "Tests" / "ArchitecturesTests" / "Goldens"
NARROWER = 8


def mobilenet_v2(weights, size):
    return keras.applications.MobileNetV2(
        alpha=0.35, weights=weights, input_shape=(size, size, 3), classes=10)


# The module whose network it is, what builds it, the picture's size, and which layers are stored.
NETWORKS = {
    "resnet50v2": ("resnet", lambda **k: keras.applications.ResNet50V2(**k), 64,
                   ["conv2_block3_out", "conv3_block4_out", "conv4_block6_out", "post_relu"]),
    "densenet121": ("densenet", lambda **k: keras.applications.DenseNet121(**k), 64,
                    ["pool2_pool", "pool3_pool", "pool4_pool", "relu"]),
    "inception_v3": ("inception_v3", lambda **k: keras.applications.InceptionV3(**k), 80,
                     ["mixed0", "mixed3", "mixed4", "mixed8", "mixed10"]),
    "xception": ("xception", lambda **k: keras.applications.Xception(**k), 80,
                 ["block4_pool", "block8_sepconv3_bn", "block14_sepconv2_act"]),
    "mobilenet": ("mobilenet", lambda **k: keras.applications.MobileNet(**k), 64,
                  ["conv_pw_1_relu", "conv_pw_6_relu", "conv_pw_13_relu"]),
    # Which blocks have a shortcut depends on the widths, so this one is of a published width.
    "mobilenet_v2": (None, mobilenet_v2, 64,
                     ["expanded_conv_project_BN", "block_5_add", "block_16_project_BN",
                      "out_relu"]),
    "squeezenet": (None, history_networks.squeezenet, 64, ["pool3", "fire9_concat"]),
    "alexnet": (None, history_networks.alexnet, 80, ["norm1", "norm2", "pool5"]),
    "googlenet": (None, history_networks.googlenet, 64,
                  ["conv2_norm2", "inception_4a_output", "inception_5b_output"]),
    "lenet-5": (None, history_networks.lenet, 32, ["s2", "s4", "f6"]),
}


class NarrowLayers:
    """Keras's layers, convolutions and hidden dense layers with fewer outputs."""

    def __getattr__(self, name):
        return getattr(keras.layers, name)

    def Conv2D(self, filters, *more, **options):
        # DenseNet's transitions halve what they are given.
        halves = (options.get("name") or "").startswith("pool")
        return layers.Conv2D(
            filters if halves else self.narrow(filters), *more, **options)

    def SeparableConv2D(self, filters, *more, **options):
        return layers.SeparableConv2D(self.narrow(filters), *more, **options)

    def Dense(self, units, *more, **options):
        return layers.Dense(self.narrow(units), *more, **options)

    @staticmethod
    def narrow(width):
        """An eighth, even where two groups share them; small ones stay."""
        return width if width < 16 else max(2, width // NARROWER // 2 * 2)


@contextlib.contextmanager
def narrow(module):
    module = getattr(applications, module) if module else history_networks
    before, module.layers = module.layers, NarrowLayers()
    yield
    module.layers = before


def hashed(text):
    """FNV-1a, 32 bits."""
    value = 2166136261
    for byte in text.encode():
        value = (value ^ byte) * 16777619 % 2**32
    return value


def uniform(text, count):
    """Numbers in 0..<1 for the places of a tensor, by its name."""
    x = np.arange(count, dtype=np.uint32) * np.uint32(2654435761) + np.uint32(hashed(text))
    x ^= x >> np.uint32(16)
    x *= np.uint32(0x85EBCA6B)
    x ^= x >> np.uint32(13)
    return (x >> np.uint32(8)).astype(np.float32) * np.float32(2**-24)


def tensor(layer, index, shapes):
    """Tensor `index` of a layer whose tensors have those shapes."""
    shape = shapes[index]
    u = uniform(f"{layer}:{index}", int(np.prod(shape))).reshape(shape)
    if len(shape) > 1:
        # Kernels of depthwise convolutions see one channel.
        inputs = np.prod(shape[:2]) if len(shape) == 4 and shape[3] == 1 else np.prod(shape[:-1])
        # Nothing lies between the two kernels of a separable convolution that halves the numbers.
        gain = 3 if len(shapes) > 1 and len(shapes[1]) > 1 else 6
        return (2 * u - 1) * np.float32(np.sqrt(gain / inputs))
    if any(len(other) > 1 for other in shapes):
        return np.float32(0.2) * u - np.float32(0.1)
    # Variance, mean, beta, gamma from the end.
    low, width = [(0.5, 1), (-0.2, 0.4), (-0.1, 0.4), (0.8, 0.4)][len(shapes) - 1 - index]
    return np.float32(low) + np.float32(width) * u


def picture(size):
    return (2 * uniform("picture", size * size * 3) - 1).reshape(1, size, size, 3)


def build(name):
    module, make, size, stages = NETWORKS[name]
    keras.backend.clear_session()
    for _ in range(3):
        keras.layers.Conv2D(1, 1), keras.layers.BatchNormalization()
    with narrow(module):
        model = make(weights=None, **({"input_shape": (size, size, 3), "classes": 10}
                                      if module else {"size": size}))
    for layer in model.layers:
        shapes = [tuple(w.shape) for w in layer.weights]
        if shapes:
            layer.set_weights([tensor(layer.name, i, shapes) for i in range(len(shapes))])
    return model, size, stages


def write(name):
    model, size, stages = build(name)
    outputs = keras.Model(
        model.inputs, [model.get_layer(stage).output for stage in stages] + model.outputs)(
            [picture(size)], training=False)
    lines = [
        f"{layer.name}|" + ";".join(
            ",".join(str(n) for n in w.shape) for w in layer.weights)
        for layer in model.layers if layer.weights]
    path = GOLDENS / f"{name}.h5"
    with h5py.File(path, "w", libver="latest") as file:
        file.create_dataset("layers", data="\n".join(lines), dtype=h5py.string_dtype())
        file["size"] = size
        for stage, output in zip([*stages, model.layers[-1].name], outputs):
            output = output.numpy()
            file.create_dataset(f"outputs/{stage}", data=output, compression="gzip")
            print(f"{name:14} {stage:28} {output.shape} up to {np.abs(output).max():.3g}, "
                  f"{(output != 0).mean():.2f} not zero")
    print(f"{path.stat().st_size} bytes")


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[1:] or NETWORKS:
        write(name)
