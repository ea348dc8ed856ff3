"""ResNet50 as keras.applications builds it, but with widths 2, 2, 3, 3, 4 and outputs 4, 5, 6, 6.

Names are Keras's of today, or with `old` those of resnet50.py of before 2018, which also added 1e-3
to the variance. The tensors come from a seed by the new name of the layer, so that files under
either name hold the same ones. `keras.applications.ResNet50` itself has a fixed width; that this
graph is its graph is checked by `check`.
"""

import zlib

import keras
import numpy as np

DEPTHS = (3, 4, 6, 3)
STEM = 2
WIDTHS = (2, 3, 3, 4)
OUTPUTS = (4, 5, 6, 6)
TOP_UNITS = 5
SIZE = 64
SEED = 6

layers = keras.layers


def old_name(name):
    """`conv2_block1_1_conv` becomes `res2a_branch2a`."""
    stem = {"conv1_conv": "conv1", "conv1_bn": "bn_conv1", "predictions": "fc1000"}
    parts = name.split("_")
    if len(parts) != 4 or parts[3] not in ("conv", "bn"):
        return stem.get(name, name)
    kind = {"conv": "res", "bn": "bn"}[parts[3]]
    place = parts[0][-1] + "abcdef"[int(parts[1][-1]) - 1]
    return f"{kind}{place}_branch{['1', '2a', '2b', '2c'][int(parts[2])]}"


def base(old=False, size=SIZE, top=False, stem=STEM, widths=WIDTHS, outputs=OUTPUTS):
    """The functional model `resnet50`, filled with its tensors."""
    rename = old_name if old else lambda name: name

    def convolve(x, name, filters, window, stride=1):
        x = layers.Conv2D(
            filters, window, strides=stride, padding="same" if window == 3 else "valid",
            name=rename(f"{name}_conv"))(x)
        return layers.BatchNormalization(
            axis=3, epsilon=1e-3 if old else 1.001e-5, name=rename(f"{name}_bn"))(x)

    image = layers.Input((size, size, 3), name="input_1" if old else "input_layer")
    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = convolve(x, "conv1", stem, 7, 2)
    x = layers.Activation("relu", name="conv1_relu")(x)
    x = layers.ZeroPadding2D(1, name="pool1_pad")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1_pool")(x)
    for stage, (depth, width, output) in enumerate(zip(DEPTHS, widths, outputs), start=2):
        for number in range(1, depth + 1):
            block = f"conv{stage}_block{number}"
            stride = 2 if number == 1 and stage > 2 else 1
            shortcut = convolve(x, f"{block}_0", output, 1, stride) if number == 1 else x
            x = convolve(x, f"{block}_1", width, 1, stride)
            x = layers.Activation("relu", name=f"{block}_1_relu")(x)
            x = convolve(x, f"{block}_2", width, 3)
            x = layers.Activation("relu", name=f"{block}_2_relu")(x)
            x = convolve(x, f"{block}_3", output, 1)
            x = layers.Add(name=f"{block}_add")([shortcut, x])
            x = layers.Activation("relu", name=f"{block}_out")(x)
    if top:
        x = layers.GlobalAveragePooling2D(name="avg_pool")(x)
        x = layers.Dense(TOP_UNITS, activation="softmax", name=rename("predictions"))(x)
    model = keras.Model(image, x, name="resnet50")
    set_tensors(model)
    return model


def new_names():
    """The new name of every layer by the old one."""
    names = ["conv1_conv", "conv1_bn", "predictions"]
    for stage, depth in enumerate(DEPTHS, start=2):
        for number in range(1, depth + 1):
            for path in range(4):
                names += [f"conv{stage}_block{number}_{path}_{kind}" for kind in ("conv", "bn")]
    return {old_name(name): name for name in names}


def set_tensors(model):
    """Random tensors, statistics too, by the layers' names."""
    names = new_names()
    for layer in model.layers:
        name = names.get(layer.name, layer.name)
        generator = np.random.default_rng([SEED, zlib.crc32(name.encode())])
        tensors = []
        for variable in layer.weights:
            shape = tuple(variable.shape)
            value = generator.standard_normal(shape)
            if variable.name == "kernel":
                value *= np.sqrt(2 / np.prod(shape[:-1]))
                if name == "conv1_conv":
                    value /= 64  # pictures go from -124 to 151; all that follows is near 1
            elif variable.name == "gamma":
                # Sums grow block by block: a smaller last step keeps them near 1.
                value = (0.5 if name.endswith("_3_bn") else 1) * (1 + 0.2 * value)
            elif variable.name == "moving_variance":
                value = 0.3 + generator.uniform(size=shape)
            else:
                # A beta above 0 keeps most channels alive.
                value = 0.2 * value + (0.3 if variable.name == "beta" else 0)
            tensors.append(value.astype(np.float32))
        if tensors:
            layer.set_weights(tensors)


def pictures(count=2, seed=5):
    """Smooth random pictures [count, 64, 64, 3] after caffe preprocessing (BGR)."""
    generator = np.random.default_rng(seed)
    coarse = generator.integers(0, 16, (count, 8, 8, 3)) * 16
    pixels = coarse.repeat(8, axis=1).repeat(8, axis=2)
    return (pixels - [103.939, 116.779, 123.68]).astype(np.float32)


def check():
    """Compares the graph with `keras.applications.ResNet50`, layer by layer."""
    real = keras.applications.ResNet50(weights=None)
    ours = base(size=224, top=True, stem=64, widths=(64, 128, 256, 512),
                outputs=(256, 512, 1024, 2048))
    assert [layer.name for layer in ours.layers][1:] == [layer.name for layer in real.layers][1:]
    for ours_layer, real_layer in list(zip(ours.layers, real.layers))[1:-1]:
        assert ours_layer.get_config() == real_layer.get_config(), ours_layer.name
        assert [w.shape for w in ours_layer.weights] == [w.shape for w in real_layer.weights]
