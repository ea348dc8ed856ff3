"""Writes full models of odd graphs and layers into Tests/WeightsTests/Fixtures: graph_*.h5.

Each file is what Keras saved, with a group `golden` of our own beside it: `input`, `output`,
`output_gradient` (random) and `gradients/<layer>/<parameter>` of sum(output * output_gradient) for
every trainable tensor, all with training=False.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, tf_keras 2.21.0, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_graph_fixtures.py
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
import tf_keras

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "WeightsTests" / "Fixtures"


def shared(k):
    """A layer used twice and a nested model used three times."""
    layers = k.layers
    inner_input = k.Input((5, 4, 4), name="inner_input")
    x = layers.Conv2D(4, 3, padding="same", name="inner_conv")(inner_input)
    x = layers.BatchNormalization(name="inner_bn")(x)
    x = layers.Activation("relu", name="inner_relu")(x)
    inner = k.Model(inner_input, layers.Add(name="inner_add")([x, inner_input]), name="inner")
    photo = k.Input((5, 4, 3), name="photo")
    stem = layers.Conv2D(4, 1, name="stem")(photo)
    twice = layers.Conv2D(4, 3, padding="same", activation="tanh", name="twice")
    a = twice(stem)
    b = twice(a)
    c = layers.Add(name="join")([inner(b), inner(a)])
    x = layers.GlobalAveragePooling2D(name="pool")(inner(c))
    return k.Model(photo, layers.Dense(2, name="top")(x), name="shared")


def deep(k):
    """Models nested three deep, with layers that few networks have."""
    layers = k.layers
    deepest = k.Sequential([
        k.Input((6, 6, 4)),
        layers.DepthwiseConv2D(3, padding="same", use_bias=False, name="depthwise"),
        layers.BatchNormalization(name="deepest_bn", epsilon=1.001e-5),
        layers.ReLU(6.0, name="relu6"),
        layers.SpatialDropout2D(0.5, name="spatial"),
    ], name="deepest")
    middle_input = k.Input((6, 6, 4), name="middle_input")
    x = deepest(middle_input)
    s = layers.GlobalAveragePooling2D(name="squeeze")(x)
    s = layers.Reshape((1, 1, 4), name="reshape")(s)
    s = layers.Conv2D(2, 1, activation="relu", name="reduce")(s)
    s = layers.Conv2D(4, 1, activation="hard_sigmoid", name="expand")(s)
    x = layers.Multiply(name="excite")([x, s])
    x = layers.SeparableConv2D(5, 3, padding="same", activation="swish", name="separable")(x)
    middle = k.Model(middle_input, x, name="middle")
    return k.Sequential([
        k.Input((6, 6, 3), name="photo"),
        layers.Rescaling(1 / 127.5, offset=-1.0, name="rescale"),
        layers.RandomFlip("horizontal", name="flip"),
        layers.Conv2D(4, 3, padding="same", name="stem"),
        layers.LeakyReLU(0.1, name="leaky"),
        middle,
        layers.LayerNormalization(name="layer_norm"),
        layers.PReLU(shared_axes=[1, 2], name="prelu"),
        layers.Conv2DTranspose(3, 3, strides=2, padding="same", name="transposed"),
        layers.Cropping2D(((1, 0), (2, 1)), name="crop"),
        layers.UpSampling2D(2, interpolation="bilinear", name="up"),
        layers.AveragePooling2D(3, strides=2, padding="same", name="average"),
        layers.Conv2D(6, 3, groups=3, activation="elu", name="grouped"),
        layers.Conv2D(4, 2, dilation_rate=2, activation="gelu", name="dilated"),
        layers.GaussianNoise(0.1, name="noise"),
        layers.GlobalMaxPooling2D(name="pool"),
        layers.Dense(3, name="top"),
    ], name="deep")


def flat(model):
    for layer in model.layers:
        yield from flat(layer) if hasattr(layer, "layers") else [layer]


def fill(model, generator):
    for variable in model.weights:
        value = generator.standard_normal(variable.shape) / np.sqrt(
            max(np.prod(variable.shape[:-1]), 1))
        if "variance" in variable.name:
            value = 0.2 + value**2
        variable.assign(value.astype(np.float32))


def parameter_name(layer, variable):
    name = variable.name.split("/")[-1].split(":")[0]
    is_depthwise = type(layer).__name__ == "DepthwiseConv2D" and name == "kernel"
    return "depthwise_kernel" if is_depthwise else name


def write(name, model, seed, scale):
    generator = np.random.default_rng(seed)
    fill(model, generator)
    path = FIXTURES / f"graph_{name}.h5"
    model.save(path)
    x = tf.constant(scale * generator.standard_normal((2, *model.input_shape[1:])), tf.float32)
    with tf.GradientTape(persistent=True) as tape:
        y = model(x, training=False)
        upstream = generator.standard_normal(y.shape).astype(np.float32)
        total = tf.reduce_sum(y * upstream)
    with h5py.File(path, "a") as file:
        golden = file.create_group("golden")
        golden["input"], golden["output"] = x.numpy(), y.numpy()
        golden["output_gradient"] = upstream
        golden.attrs["parameters"] = model.count_params()
        for layer in flat(model):
            for variable in layer.trainable_variables:
                # Keras 3 wraps TensorFlow's variables.
                value = variable.value if isinstance(variable, keras.Variable) else variable
                golden[f"gradients/{layer.name}/{parameter_name(layer, variable)}"] = (
                    tape.gradient(total, value).numpy())


if __name__ == "__main__":
    write("shared_keras3", shared(keras), 1, 1)
    write("shared_tf_keras", shared(tf_keras), 2, 1)
    write("deep_keras3", deep(keras), 3, 60)
    write("deep_tf_keras", deep(tf_keras), 4, 60)
