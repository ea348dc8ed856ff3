"""Writes full models with data_format="channels_first": Tests/WeightsTests/Fixtures/first_*.h5.

The layout is that of make_graph_fixtures.py; pictures in `golden` are turned to [n, h, w, c].
TensorFlow cannot run such models on a CPU, so that Keras runs on PyTorch here.

Made with Python 3.11, PyTorch 2.15.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_channels_first_fixtures.py
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "torch"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import h5py
import keras
import numpy as np
import torch

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "WeightsTests" / "Fixtures"


def channels_first(flatten, is_normalized=False):
    layers = keras.layers
    first = dict(data_format="channels_first")
    photo = keras.Input((3, 8, 6), name="photo")
    x = layers.Conv2D(4, 3, padding="same", name="conv", **first)(photo)
    x = layers.BatchNormalization(axis=1, name="bn")(x)
    x = layers.Activation("relu", name="relu")(x)
    x = layers.MaxPooling2D(2, name="pool", **first)(x)
    y = layers.ZeroPadding2D(((1, 1), (1, 1)), name="pad", **first)(x)
    y = layers.DepthwiseConv2D(3, name="depthwise", **first)(y)
    y = layers.PReLU(shared_axes=[2, 3], name="prelu")(y)
    x = layers.Concatenate(axis=1, name="join")([x, y])
    x = layers.Concatenate(axis=2, name="rows")([x, x])
    x = layers.AveragePooling2D((2, 1), name="average", **first)(x)
    x = layers.Flatten(name="flatten", **flatten)(x)
    if is_normalized:
        x = layers.BatchNormalization(name="flat_bn")(x)
    x = layers.Dropout(0.5, name="dropout")(x)
    return keras.Model(photo, layers.Dense(3, name="top")(x), name="first")


def write(name, model, seed, turned=()):
    generator = np.random.default_rng(seed)
    for variable in model.weights:
        value = generator.standard_normal(variable.shape) / np.sqrt(
            max(np.prod(variable.shape[:-1]), 1))
        variable.assign(
            (0.2 + value**2 if "variance" in variable.name else value).astype(np.float32))
    path = FIXTURES / f"first_{name}.h5"
    model.save(path)
    x = generator.standard_normal((2, *model.input_shape[1:])).astype(np.float32)
    y = model(x, training=False)
    upstream = generator.standard_normal(y.shape).astype(np.float32)
    total = torch.sum(y * torch.tensor(upstream))
    with h5py.File(path, "a") as file:
        golden = file.create_group("golden")
        golden["input"] = np.transpose(x, (0, 2, 3, 1))
        golden["output"], golden["output_gradient"] = y.detach().numpy(), upstream
        golden.attrs["parameters"] = model.count_params()
        for layer in model.layers:
            for variable in layer.trainable_variables:
                is_depthwise = isinstance(layer, keras.layers.DepthwiseConv2D)
                parameter = variable.name.replace(
                    "kernel", "depthwise_kernel" if is_depthwise else "kernel")
                (gradient,) = torch.autograd.grad(total, variable.value, retain_graph=True)
                gradient = gradient.numpy()
                if layer.name in turned and parameter == "kernel":
                    # tl flattens [h, w, c] and has the dense layer's rows in that order.
                    picture = model.get_layer("average").output.shape[1:]
                    gradient = np.moveaxis(gradient.reshape(*picture, -1), 0, 2).reshape(
                        gradient.shape)
                golden[f"gradients/{layer.name}/{parameter}"] = gradient


if __name__ == "__main__":
    write("flatten", channels_first(dict(data_format="channels_first")), 5)
    write("plain_flatten", channels_first(dict(data_format="channels_last")), 6, turned=["top"])
    write("normalized_flatten", channels_first(dict(data_format="channels_last"), True), 7)
