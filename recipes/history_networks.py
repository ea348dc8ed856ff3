"""Networks that Keras Applications does not have, written in Keras from their papers.

Names are those by which tl knows the layers; for SqueezeNet see github.com/rcmalli/keras-squeezenet,
for GoogLeNet and AlexNet Caffe's `bvlc_googlenet` and `bvlc_alexnet`.
"""

import keras
import tensorflow as tf

layers = keras.layers


class LocalResponseNormalization(layers.Layer):
    """TensorFlow's local response normalisation as a layer."""

    def __init__(self, depth_radius, bias, alpha, beta, **more):
        super().__init__(**more)
        self.settings = dict(depth_radius=depth_radius, bias=bias, alpha=alpha, beta=beta)

    def call(self, x):
        return tf.nn.local_response_normalization(x, **self.settings)

    def compute_output_shape(self, shape):
        return shape

    def get_config(self):
        return super().get_config() | self.settings


def squeezenet(weights=None, size=227):
    """SqueezeNet 1.1."""
    image = layers.Input((size, size, 3))

    def convolve(x, name, width, window=1):
        x = layers.Conv2D(width, window, padding="same", name=name)(x)
        start, _, end = name.rpartition("_")
        return layers.Activation("relu", name=f"{start}_relu_{end}")(x)

    x = layers.Conv2D(64, 3, strides=2, name="conv1")(image)
    x = layers.Activation("relu", name="relu_conv1")(x)
    x = layers.MaxPooling2D(3, strides=2, name="pool1")(x)
    for number, (squeeze, expand) in enumerate(
            [(16, 64), (16, 64), (32, 128), (32, 128), (48, 192), (48, 192), (64, 256), (64, 256)],
            start=2):
        small = convolve(x, f"fire{number}_squeeze1x1", squeeze)
        x = layers.Concatenate(name=f"fire{number}_concat")(
            [convolve(small, f"fire{number}_expand1x1", expand),
             convolve(small, f"fire{number}_expand3x3", expand, 3)])
        if number in (3, 5):
            x = layers.MaxPooling2D(3, strides=2, name=f"pool{number}")(x)
    x = layers.Dropout(0.5, name="drop9")(x)
    x = layers.Conv2D(1000, 1, name="conv10")(x)
    x = layers.Activation("relu", name="relu_conv10")(x)
    x = layers.GlobalAveragePooling2D(name="global_average_pooling2d")(x)
    return keras.Model(image, layers.Activation("softmax", name="loss")(x), name="squeezenet")


def alexnet(weights=None, size=227):
    """AlexNet on one processor: two groups where the paper has two."""
    def normalization(name):
        return LocalResponseNormalization(2, 2.0, 1e-4, 0.75, name=name)

    model = keras.Sequential([
        layers.Input((size, size, 3)),
        layers.Conv2D(96, 11, strides=4, activation="relu", name="conv1"),
        normalization("norm1"),
        layers.MaxPooling2D(3, strides=2, name="pool1"),
        layers.Conv2D(256, 5, padding="same", groups=2, activation="relu", name="conv2"),
        normalization("norm2"),
        layers.MaxPooling2D(3, strides=2, name="pool2"),
        layers.Conv2D(384, 3, padding="same", activation="relu", name="conv3"),
        layers.Conv2D(384, 3, padding="same", groups=2, activation="relu", name="conv4"),
        layers.Conv2D(256, 3, padding="same", groups=2, activation="relu", name="conv5"),
        layers.MaxPooling2D(3, strides=2, name="pool5"),
        layers.Flatten(name="flatten"),
        layers.Dense(4096, activation="relu", name="fc6"),
        layers.Dropout(0.5, name="drop6"),
        layers.Dense(4096, activation="relu", name="fc7"),
        layers.Dropout(0.5, name="drop7"),
        layers.Dense(1000, activation="softmax", name="fc8"),
    ], name="alexnet")
    return model


GOOGLENET = {
    "3a": (64, 96, 128, 16, 32, 32), "3b": (128, 128, 192, 32, 96, 64),
    "4a": (192, 96, 208, 16, 48, 64), "4b": (160, 112, 224, 24, 64, 64),
    "4c": (128, 128, 256, 24, 64, 64), "4d": (112, 144, 288, 32, 64, 64),
    "4e": (256, 160, 320, 32, 128, 128), "5a": (256, 160, 320, 32, 128, 128),
    "5b": (384, 192, 384, 48, 128, 128),
}


def googlenet(weights=None, size=224):
    """GoogLeNet without the classifiers beside it."""
    image = layers.Input((size, size, 3))

    def convolve(x, name, width, window=1):
        return layers.Conv2D(
            width, window, padding="same", activation="relu", name=name)(x)

    def pool(x, name, strides=2):
        return layers.MaxPooling2D(3, strides=strides, padding="same", name=name)(x)

    def normalize(x, name):
        return LocalResponseNormalization(2, 1.0, 0.0001 / 5, 0.75, name=name)(x)

    x = layers.ZeroPadding2D(3, name="conv1_pad")(image)
    x = layers.Conv2D(64, 7, strides=2, activation="relu", name="conv1_7x7_s2")(x)
    x = normalize(pool(x, "pool1_3x3_s2"), "pool1_norm1")
    x = convolve(convolve(x, "conv2_3x3_reduce", 64), "conv2_3x3", 192, 3)
    x = pool(normalize(x, "conv2_norm2"), "pool2_3x3_s2")
    for block, (one, reduced3, three, reduced5, five, pooled) in GOOGLENET.items():
        name = f"inception_{block}_"
        x = layers.Concatenate(name=name + "output")([
            convolve(x, name + "1x1", one),
            convolve(convolve(x, name + "3x3_reduce", reduced3), name + "3x3", three, 3),
            convolve(convolve(x, name + "5x5_reduce", reduced5), name + "5x5", five, 5),
            convolve(pool(x, name + "pool", 1), name + "pool_proj", pooled),
        ])
        if block in ("3b", "4e"):
            x = pool(x, f"pool{block[0]}_3x3_s2")
    x = layers.GlobalAveragePooling2D(name="pool5_7x7_s1")(x)
    x = layers.Dropout(0.4, name="pool5_drop_7x7_s1")(x)
    x = layers.Dense(1000, activation="softmax", name="loss3_classifier")(x)
    return keras.Model(image, x, name="googlenet")


def lenet(weights=None, size=32):
    """LeNet-5 for colour pictures."""
    return keras.Sequential([
        layers.Input((size, size, 3)),
        layers.Conv2D(6, 5, activation="tanh", name="c1"),
        layers.AveragePooling2D(2, name="s2"),
        layers.Conv2D(16, 5, activation="tanh", name="c3"),
        layers.AveragePooling2D(2, name="s4"),
        layers.Flatten(name="flatten"),
        layers.Dense(120, activation="tanh", name="c5"),
        layers.Dense(84, activation="tanh", name="f6"),
        layers.Dense(10, activation="softmax", name="predictions"),
    ], name="lenet-5")
