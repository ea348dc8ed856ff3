"""Writes Tests/LayersTests/Goldens/{convolution*,pooling,dense,losses}.h5.

Each layer case is a group with the attributes `className` and `config` (the layer's Keras config
as JSON) and the datasets `input`, its parameters (`kernel`, `bias`), `output`, `output_gradient`
(random), and `input_gradient`, `kernel_gradient`, `bias_gradient` of sum(output * output_gradient).
Images are [n, h, w, c], convolution kernels [kh, kw, in, out], dense kernels [in, out].

Each loss case holds `logits`, `targets`, `probabilities`, and twice the loss (mean over the batch)
and its gradient with respect to the logits: `loss`, `logits_gradient` by way of the logits, as
`Model.fit` computes them, and `clipped_loss`, `clipped_logits_gradient` from the probabilities
alone, which Keras clips to [1e-7, 1 - 1e-7].

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_layer_goldens.py
"""

import json
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

GOLDENS = pathlib.Path(__file__).resolve().parents[1] / "LayersTests" / "Goldens"
# A relu input nearer to zero than this could change sign with the order of a sum.
KINK = 1e-4


def create(name, **arguments):
    """A new golden file that says what made it."""
    file = h5py.File(GOLDENS / name, "w", **arguments)
    file.attrs["keras_version"] = keras.__version__
    file.attrs["tensorflow_version"] = tf.__version__
    return file


def normal(generator, *shape):
    return generator.standard_normal(shape).astype(np.float32)


def away_from_kink(layer, x):
    """Whether no number that enters the layer's relu is close to zero."""
    activation = layer.activation
    layer.activation = keras.activations.linear
    values = np.abs(layer(x).numpy())
    layer.activation = activation
    return values.min() > KINK


def write_case(file, name, layer, x, generator):
    """Builds `layer` for `x`, fills its parameters, and writes the case `name`."""
    layer.build(x.shape)
    for variable in layer.weights:
        fan_in = np.prod(variable.shape[:-1]) if len(variable.shape) > 1 else 1
        variable.assign(normal(generator, *variable.shape) / np.sqrt(fan_in))
    if getattr(layer, "activation", None) is keras.activations.relu:
        while not away_from_kink(layer, x):
            x = normal(generator, *x.shape)
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x)
        upstream = normal(generator, *y.shape)
        total = tf.reduce_sum(y * upstream)
    parameters = [variable.value for variable in layer.trainable_variables]
    gradients = tape.gradient(total, [x] + parameters)

    group = file.create_group(name)
    group.attrs["className"] = type(layer).__name__
    group.attrs["config"] = json.dumps(layer.get_config())
    group["input"] = x.numpy()
    group["output"] = y.numpy()
    group["output_gradient"] = upstream
    group["input_gradient"] = gradients[0].numpy()
    for variable, gradient in zip(layer.trainable_variables, gradients[1:]):
        group[variable.name] = variable.numpy()
        group[variable.name + "_gradient"] = gradient.numpy()


def write_convolutions():
    generator = np.random.default_rng(1)
    # name: (input shape, filters, kernel size, other arguments)
    cases = {
        "3x3_same": ((2, 5, 6, 3), 4, 3, dict(padding="same")),
        "3x3_same_relu": ((2, 5, 6, 3), 4, 3, dict(padding="same", activation="relu")),
        "3x3_valid": ((2, 6, 5, 5), 7, 3, dict()),
        "3x3_valid_relu": ((2, 6, 5, 5), 7, 3, dict(activation="relu")),
        "3x3_same_relu_wide": ((1, 4, 5, 16), 17, 3, dict(padding="same", activation="relu")),
        "3x3_valid_one_pixel_out": ((2, 3, 3, 5), 7, 3, dict()),
        "3x3_same_one_pixel_in": ((2, 1, 1, 3), 4, 3, dict(padding="same")),
        "1x1": ((2, 4, 3, 5), 7, 1, dict()),
        "1x1_relu_wide": ((2, 3, 3, 16), 17, 1, dict(activation="relu")),
        "1x1_stride_2": ((2, 5, 4, 5), 7, 1, dict(strides=2)),
        "5x5_same": ((1, 6, 7, 3), 4, 5, dict(padding="same")),
        "5x5_valid_relu": ((1, 7, 6, 3), 4, 5, dict(activation="relu")),
        "7x7_stride_2_same": ((1, 9, 8, 3), 4, 7, dict(strides=2, padding="same")),
        "7x7_stride_2_valid": ((1, 10, 9, 3), 4, 7, dict(strides=2)),
        "3x3_stride_2_same_even": ((2, 6, 8, 5), 7, 3, dict(strides=2, padding="same")),
        "3x3_stride_2_same_odd": (
            (2, 7, 5, 5), 7, 3, dict(strides=2, padding="same", activation="relu")),
        "3x3_stride_2_valid_leftover": ((1, 6, 8, 3), 4, 3, dict(strides=2)),
        "3x3_stride_2_1_same": ((2, 6, 5, 3), 4, 3, dict(strides=(2, 1), padding="same")),
        "3x2_valid": ((1, 5, 5, 3), 4, (3, 2), dict()),
        "3x3_same_no_bias": ((2, 5, 4, 3), 4, 3, dict(padding="same", use_bias=False)),
        "3x3_valid_no_bias_relu": ((2, 5, 4, 3), 4, 3, dict(use_bias=False, activation="relu")),
    }
    files = {
        "convolution_3x3.h5": lambda size, arguments: size == 3 and "strides" not in arguments,
        "convolution_sizes.h5": lambda size, arguments: size != 3 and "strides" not in arguments,
        "convolution_strides.h5": lambda size, arguments: "strides" in arguments,
    }
    for file_name, belongs in files.items():
        with create(file_name) as file:
            for name, (shape, filters, kernel_size, arguments) in cases.items():
                if belongs(kernel_size, arguments):
                    layer = keras.layers.Conv2D(filters, kernel_size, name="conv", **arguments)
                    write_case(file, name, layer, normal(generator, *shape), generator)


def write_pooling():
    generator = np.random.default_rng(2)
    even, odd = (2, 6, 4, 3), (2, 7, 5, 5)
    cases = {
        "max_2x2_valid_even": (keras.layers.MaxPooling2D(2), even),
        "max_2x2_valid_odd": (keras.layers.MaxPooling2D(2), odd),
        "max_2x2_same_even": (keras.layers.MaxPooling2D(2, padding="same"), even),
        "max_2x2_same_odd": (keras.layers.MaxPooling2D(2, padding="same"), odd),
        "max_3x3_stride_2_valid": (keras.layers.MaxPooling2D(3, strides=2), odd),
        "max_3x3_stride_2_same_even": (
            keras.layers.MaxPooling2D(3, strides=2, padding="same"), even),
        "max_3x3_stride_1_same": (keras.layers.MaxPooling2D(3, strides=1, padding="same"), odd),
        "max_2x2_wide": (keras.layers.MaxPooling2D(2), (1, 4, 4, 17)),
        "average_2x2_valid_even": (keras.layers.AveragePooling2D(2), even),
        "average_2x2_valid_odd": (keras.layers.AveragePooling2D(2), odd),
        "average_2x2_same_odd": (keras.layers.AveragePooling2D(2, padding="same"), odd),
        "average_3x3_stride_2_same": (
            keras.layers.AveragePooling2D(3, strides=2, padding="same"), odd),
        "global_average": (keras.layers.GlobalAveragePooling2D(), odd),
        "global_max": (keras.layers.GlobalMaxPooling2D(), odd),
    }
    with create("pooling.h5") as file:
        for name, (layer, shape) in cases.items():
            write_case(file, name, layer, normal(generator, *shape), generator)
        # Whole numbers from 0 to 2, so that most windows have several maxima. TensorFlow on a CPU
        # gives the whole gradient of a window to the first of them in row order, but global
        # pooling shares its gradient equally among them.
        for name, layer, shape in [
            ("max_2x2_ties", keras.layers.MaxPooling2D(2), even),
            ("max_3x3_stride_2_same_ties",
             keras.layers.MaxPooling2D(3, strides=2, padding="same"), odd),
            ("global_max_ties", keras.layers.GlobalMaxPooling2D(), (2, 3, 3, 4)),
        ]:
            x = generator.integers(0, 3, shape).astype(np.float32)
            write_case(file, name, layer, x, generator)


def write_dense():
    generator = np.random.default_rng(3)
    with create("dense.h5") as file:
        write_case(
            file, "flatten", keras.layers.Flatten(), normal(generator, 2, 3, 2, 4), generator)
        for activation in ["linear", "relu", "sigmoid", "softmax", "tanh"]:
            layer = keras.layers.Dense(7, activation=activation, name="dense")
            write_case(file, activation, layer, normal(generator, 5, 11), generator)
        for name, units, arguments in [
            ("one_unit_sigmoid", 1, dict(activation="sigmoid")),
            ("wide_relu", 17, dict(activation="relu")),
            ("no_bias", 4, dict(use_bias=False)),
        ]:
            layer = keras.layers.Dense(units, name="dense", **arguments)
            write_case(file, name, layer, normal(generator, 3, 24), generator)


def write_loss(file, name, loss, activation, logits, targets):
    """Writes the loss of `activation(logits)` and its gradient, from logits and clipped."""
    group = file.create_group(name)
    group.attrs["className"] = type(loss).__name__
    group.attrs["config"] = json.dumps(loss.get_config())
    group.attrs["epsilon"] = np.float32(keras.config.epsilon())
    group["logits"], group["targets"] = logits, targets
    x = tf.constant(logits)

    def differentiate(forget_logits):
        with tf.GradientTape() as tape:
            tape.watch(x)
            probabilities = activation(x)
            if forget_logits:
                del probabilities._keras_logits
            value = loss(targets, probabilities)
        return probabilities, value, tape.gradient(value, x)

    probabilities, value, gradient = differentiate(False)
    group["probabilities"] = probabilities.numpy()
    group["loss"], group["logits_gradient"] = value.numpy(), gradient.numpy()
    _, value, gradient = differentiate(True)
    group["clipped_loss"], group["clipped_logits_gradient"] = value.numpy(), gradient.numpy()


def write_losses():
    generator = np.random.default_rng(4)
    with create("losses.h5") as file:
        binary = keras.losses.BinaryCrossentropy()
        extremes = np.array(
            [[30], [30], [-30], [-30], [0], [0], [15], [-15]], np.float32)
        write_loss(
            file, "binary", binary, keras.activations.sigmoid, 2 * normal(generator, 9, 1),
            generator.integers(0, 2, (9, 1)).astype(np.float32))
        write_loss(
            file, "binary_extreme", binary, keras.activations.sigmoid, extremes,
            np.array([[0], [1], [0], [1], [0], [1], [0], [1]], np.float32))
        categorical = keras.losses.CategoricalCrossentropy()
        one_hot = np.eye(3, dtype=np.float32)
        write_loss(
            file, "categorical", categorical, keras.activations.softmax,
            2 * normal(generator, 9, 3), one_hot[generator.integers(0, 3, 9)])
        extremes = np.array(
            [[30, -30, 0], [30, -30, 0], [30, -30, 0], [-30, -30, -30], [30, 30, -30]], np.float32)
        write_loss(
            file, "categorical_extreme", categorical, keras.activations.softmax, extremes,
            one_hot[[0, 1, 2, 1, 0]])
        write_loss(
            file, "categorical_many", categorical, keras.activations.softmax,
            3 * normal(generator, 4, 17), np.eye(17, dtype=np.float32)[[0, 16, 5, 5]])


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    write_convolutions()
    write_pooling()
    write_dense()
    write_losses()
