"""A VGG16 and a VGG19 with their real layer names but widths 4, 4, 5, 5, 6.

`library` is the module `keras` (Keras 3) or `tf_keras` (Keras 2). The tensors come from a seed by
the name of the layer, so every file made of them holds the same base.
"""

import zlib

import numpy as np

WIDTHS = (4, 4, 5, 5, 6)
CONVOLUTIONS = {"vgg16": (2, 2, 3, 3, 3), "vgg19": (2, 2, 4, 4, 4)}
SIZE = 32
TOP_UNITS = {"fc1": 10, "fc2": 10, "predictions": 5}


# Chosen so that every channel of every pool is alive and pictures give different predictions.
SEED = 67


def random_numbers(name):
    return np.random.default_rng([SEED, zlib.crc32(name.encode())])


def convolution_tensors(name, inputs, outputs, size=3):
    """The kernel [size, size, inputs, outputs] and the bias [outputs] of the layer `name`."""
    generator = random_numbers(name)
    kernel = generator.standard_normal((size, size, inputs, outputs))
    kernel *= np.sqrt(2 / (size * size * inputs))
    if name == "block1_conv1":
        kernel /= 64  # pictures go from -124 to 151; every later activation is near 1
    bias = 0.1 * generator.standard_normal(outputs) + 0.05
    return kernel.astype(np.float32), bias.astype(np.float32)


def dense_tensors(name, inputs, outputs):
    """The kernel [inputs, outputs] and the bias [outputs] of the layer `name`."""
    generator = random_numbers(name)
    kernel = generator.standard_normal((inputs, outputs)) * np.sqrt(2 / inputs)
    bias = 0.1 * generator.standard_normal(outputs) + 0.05
    return kernel.astype(np.float32), bias.astype(np.float32)


def layer_names(variant):
    """Every layer without the input and the top: (name, None) or (name, (inputs, outputs))."""
    inputs = 3
    for block, (count, width) in enumerate(zip(CONVOLUTIONS[variant], WIDTHS), start=1):
        for index in range(1, count + 1):
            yield f"block{block}_conv{index}", (inputs, width)
            inputs = width
        yield f"block{block}_pool", None


def base_tensors(variant="vgg16"):
    """The kernel and the bias of every convolution, by layer name, in the network's order."""
    return {
        name: convolution_tensors(name, *sizes)
        for name, sizes in layer_names(variant) if sizes is not None
    }


def input_name(library):
    return "input_layer" if library.__name__ == "keras" else "input_1"


def base(library, variant="vgg16", size=SIZE, top=False):
    """The functional model `variant`, filled with its tensors."""
    layers = library.layers
    image = layers.Input((size, size, 3), name=input_name(library))
    x = image
    for name, sizes in layer_names(variant):
        if sizes is None:
            x = layers.MaxPooling2D((2, 2), strides=(2, 2), name=name)(x)
        else:
            x = layers.Conv2D(
                sizes[1], (3, 3), padding="same", activation="relu", name=name)(x)
    if top:
        x = layers.Flatten(name="flatten")(x)
        for name, units in TOP_UNITS.items():
            activation = "softmax" if name == "predictions" else "relu"
            x = layers.Dense(units, activation=activation, name=name)(x)
    model = library.Model(image, x, name=variant)
    set_tensors(model)
    return model


def set_tensors(model):
    """Fills every convolution and every dense layer of `model`, also nested ones, by its name."""
    for layer in model.layers:
        if hasattr(layer, "layers"):
            set_tensors(layer)
        elif layer.get_weights():
            shape = layer.get_weights()[0].shape
            if len(shape) == 4:
                layer.set_weights(convolution_tensors(layer.name, *shape[2:], size=shape[0]))
            else:
                layer.set_weights(dense_tensors(layer.name, *shape))


def train_from(model, prefix):
    """Freezes every layer of `model` but those whose name starts with `prefix`."""
    model.trainable = True
    for layer in model.layers:
        layer.trainable = layer.name.startswith(prefix)


def classifier(library, classes=1, dropout=0.5, trainable="block5"):
    """Sequential of the nested VGG16, Flatten, Dense 6, Dropout and one sigmoid or a softmax."""
    layers = library.layers
    network = base(library)
    train_from(network, trainable)
    head = [
        layers.Flatten(name="flatten"),
        layers.Dense(6, activation="relu", name="dense"),
        layers.Dropout(dropout, name="dropout") if dropout else None,
        layers.Dense(
            classes, activation="sigmoid" if classes == 1 else "softmax",
            name="dense_1" if classes == 1 else f"dense_{classes}"),
    ]
    model = library.Sequential(
        [network] + [layer for layer in head if layer], name="sequential")
    model.build((None, SIZE, SIZE, 3))
    set_tensors(model)
    return model


def pictures(count=3, seed=5):
    """Smooth random pictures [count, 32, 32, 3] as they are after caffe preprocessing (BGR).

    They have 32 levels, so that they compress well.
    """
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 256, (count, 8, 8, 3))
    fine = generator.integers(-40, 41, (count, SIZE, SIZE, 3))
    pixels = np.clip(coarse.repeat(4, axis=1).repeat(4, axis=2) + fine, 0, 255) // 8 * 8
    return (pixels - [103.939, 116.779, 123.68]).astype(np.float32)
