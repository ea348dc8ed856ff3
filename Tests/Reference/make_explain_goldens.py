"""Writes the goldens of Tests/ExplainTests/Goldens.

`nested_sigmoid.h5` and `nested_softmax.h5` hold what Keras makes of the models of the same kind in
Tests/WeightsTests/Fixtures (a tiny VGG16 nested in a Sequential), and `resnet.h5` of the tiny
ResNet50 with a top whose `kernel` and `bias` stand there too. `vgg16.h5` holds what the real VGG16 makes of one synthetic picture; its
weights are `vgg16_notop.h5` of the folder `weights` in TL_SHARED.

For each class c: `gradients/<c>/<layer>` is the gradient of Keras's output (after sigmoid or
softmax; of the sigmoid's 1 - p for class 0) with respect to the layer's output or the input, and
`grad-cam/<c>/<layer>`, `grad-cam++/<c>/<layer>` and `cam/<c>/<layer>` are maps scaled to 1. Grad-CAM
is computed as in the book, from the gradient of the output. Grad-CAM++ is equation 19 of
https://arxiv.org/abs/1710.11063 for the score log(p / (1 - p)).

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    TL_SHARED=... python Tests/Reference/make_explain_goldens.py
"""

import os
import pathlib

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import tensorflow as tf

import make_vgg16_golden
import tiny_resnet
import tiny_vgg

TESTS = pathlib.Path(__file__).resolve().parents[1]
GOLDENS = TESTS / "ExplainTests" / "Goldens"
SIDE = 48  # of the real VGG16's picture


def probabilities(outputs):
    """Every class's probability [n, classes], given Keras's outputs."""
    return tf.concat([1 - outputs, outputs], axis=1) if outputs.shape[1] == 1 else outputs


def flat(model):
    """The layers of `model` in order, nested models laid out flat."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            yield from flat(layer)
        elif not isinstance(layer, keras.layers.InputLayer):
            yield layer


def upper_part(model, name):
    """A function from the output of the layer `name` to the model's, for a chain of layers."""
    layers = list(flat(model))
    start = [layer.name for layer in layers].index(name) + 1

    def run(x):
        for layer in layers[start:]:
            x = layer(x, training=False)
        return x

    return run


def lower_part(model, name):
    """A function from the input to the output of the layer `name`, for a chain of layers."""
    def run(x):
        for layer in flat(model):
            x = layer(x, training=False)
            if layer.name == name:
                return x
        raise KeyError(name)

    return run


def grad_cam(values, gradients):
    """The book's listing 5.42 and on: [n, h, w], largest value 1."""
    weights = gradients.mean(axis=(1, 2), keepdims=True)
    return scaled(np.maximum((values * weights).mean(axis=-1), 0))


def grad_cam_plus_plus(values, gradients):
    """Equation 19; `gradients` are those of log(p / (1 - p))."""
    total = values.sum(axis=(1, 2), keepdims=True)
    below = 2 * gradients ** 2 + total * gradients ** 3
    alpha = np.divide(gradients ** 2, below, out=np.zeros_like(below), where=below != 0)
    weights = (alpha * np.maximum(gradients, 0)).sum(axis=(1, 2), keepdims=True)
    return scaled(np.maximum((values * weights).sum(axis=-1), 0))


def scaled(maps):
    largest = maps.max(axis=(1, 2), keepdims=True)
    return np.divide(maps, largest, out=np.zeros_like(maps), where=largest > 0)


def save(file, name, data):
    data = np.asarray(data, np.float32)
    if data.nbytes < 4000:
        file[name] = data
    else:
        file.create_dataset(
            name, data=data, chunks=data.shape, compression="gzip", compression_opts=9,
            shuffle=True)


def write(file, pictures, layers, parts, classes):
    """`parts(layer)` gives the functions below and above a layer; `input` stands for the photo."""
    x = tf.constant(pictures)
    save(file, "input", pictures)
    save(file, "probabilities", probabilities(parts("input")[1](x)))
    for layer in layers:
        below, above = parts(layer)
        value = below(x)
        for label in range(classes):
            with tf.GradientTape(persistent=True) as tape:
                tape.watch(value)
                p = probabilities(above(value))[:, label]
                odds = tf.math.log(p / (1 - p))
            gradient = tape.gradient(p, value).numpy()
            save(file, f"gradients/{label}/{layer}", gradient)
            if layer == "input":
                continue
            numbers = value.numpy().astype(np.float64)
            save(file, f"grad-cam/{label}/{layer}",
                 grad_cam(numbers, gradient.astype(np.float64)))
            save(file, f"grad-cam++/{label}/{layer}", grad_cam_plus_plus(
                numbers, tape.gradient(odds, value).numpy().astype(np.float64)))
        if layer != "input":
            save(file, f"values/{layer}", value)


def chain_parts(model):
    def parts(layer):
        if layer == "input":
            return lambda x: x, lambda x: model(x, training=False)
        return lower_part(model, layer), upper_part(model, layer)
    return parts


def nested(name, golden):
    model = keras.models.load_model(
        TESTS / "WeightsTests" / "Fixtures" / f"{name}.h5", compile=False)
    classes = max(2, model.output_shape[1])
    with h5py.File(GOLDENS / golden, "w") as file:
        write(file, tiny_vgg.pictures(2), ["input", "block3_conv3", "block5_conv3"],
              chain_parts(model), classes)


def graph_parts(model):
    """The same for a model with branches, whose upper part starts at one layer's output."""
    def parts(layer):
        if layer == "input":
            return lambda x: x, lambda x: model(x, training=False)
        middle = model.get_layer(layer).output
        below = keras.Model(model.inputs, middle)
        above = keras.Model(middle, model.output)
        return (lambda x: below(x, training=False)), (lambda x: above(x, training=False))
    return parts


def resnet():
    model = tiny_resnet.base(top=True)
    # As it is, its probabilities are 0 and 1.
    kernel, bias = model.layers[-1].get_weights()
    kernel *= np.float32(0.01)
    model.layers[-1].set_weights([kernel, bias])
    with h5py.File(GOLDENS / "resnet.h5", "w") as file:
        save(file, "kernel", kernel)
        save(file, "bias", bias)
        last = "conv5_block3_out"
        write(file, tiny_resnet.pictures(1), ["input", "conv3_block4_out", last],
              graph_parts(model), 3)
        values = file[f"values/{last}"][()].astype(np.float64)
        for label in range(3):
            maps = np.maximum((values * kernel[:, label]).sum(axis=-1), 0)
            save(file, f"cam/{label}/{last}", scaled(maps))


def head():
    """GlobalAveragePooling2D and a Dense of three classes, row i and column j
    0.005 * sin(0.1 * (i + 1) * (j + 1)), computed in float64."""
    i, j = np.mgrid[0:512, 0:3]
    kernel = (0.005 * np.sin(0.1 * (i + 1) * (j + 1))).astype(np.float32)
    dense = keras.layers.Dense(3, activation="softmax", name="predictions")
    dense.build((None, 512))
    dense.set_weights([kernel, np.zeros(3, np.float32)])
    return [keras.layers.GlobalAveragePooling2D(name="pool"), dense]


def picture():
    """[1, SIDE, SIDE, 3] after caffe preprocessing: blue, green and red at row y and column x are
    (7y + 11x) % 256, (y * x) % 256 and (255 - 5y + 3x) % 256."""
    y, x = np.mgrid[0:SIDE, 0:SIDE]
    bgr = np.stack([(7 * y + 11 * x) % 256, (y * x) % 256, (255 - 5 * y + 3 * x) % 256], axis=-1)
    return (bgr - np.array(make_vgg16_golden.MEANS)).astype(np.float32)[None]


def vgg16():
    source = make_vgg16_golden.real_vgg16()
    base = keras.applications.VGG16(weights=None, include_top=False, input_shape=(SIDE, SIDE, 3))
    base.set_weights(source.get_weights())
    model = keras.Sequential([base, *head()])
    with h5py.File(GOLDENS / "vgg16.h5", "w") as file:
        write(file, picture(), ["input", "block5_conv3"], chain_parts(model), 3)
        for layer in ("block2_conv2", "block3_conv3"):
            save(file, f"values/{layer}", lower_part(model, layer)(picture())[:, :, :, :64])


if __name__ == "__main__":
    nested("nested_keras3_full", "nested_sigmoid.h5")
    nested("nested_softmax_keras3_full", "nested_softmax.h5")
    resnet()
    vgg16()
