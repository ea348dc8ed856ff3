"""Writes Tests/LayersTests/Goldens/{functions*,depthwise*,separable}.h5.

`functions` are all activations by name, `functions_within` as layers and within others; `depthwise*`
and `separable` the convolutions that keep channels apart. The layout is that of make_graph_layer_goldens.py.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_function_goldens.py
"""

from make_graph_layer_goldens import create, keras, layers, normal, np, write_case

# A group of older versions takes 1 KB or more.
SMALL = ("v110", "v110")
PICTURE, ROW = (2, 3, 4, 5), (2, 17)
# Where functions bend: inputs nearer than KINK could lie on either side of it.
BENDS, KINK = np.array([0, 0.5, 1, 2, 6, 3, -3]), 1e-3


def away_from_bends(generator, *shape):
    """Numbers up to about 8, none of them where a function bends."""
    while True:
        x = 3 * normal(generator, *shape)
        if np.abs(x[..., None] - BENDS).min() > KINK:
            return x


def write_file(file_name, generator, cases, draw=normal):
    with create(file_name, libver=SMALL) as file:
        for name, (layer, shape) in cases.items():
            write_case(file, name, layer, [draw(generator, *shape)], generator)


def write_functions():
    generator = np.random.default_rng(5)
    names = [
        "linear", "relu", "relu6", "leaky_relu", "elu", "selu", "gelu", "silu", "swish",
        "hard_sigmoid", "hard_silu", "hard_swish", "sigmoid", "softmax", "tanh", "softplus",
        "softsign", "exponential",
    ]
    cases = {name: (layers.Activation(name), ROW) for name in names}
    write_file("functions.h5", generator, cases, away_from_bends)
    cases = {
        "relu_all": (layers.ReLU(6.0, negative_slope=0.1, threshold=0.5), PICTURE),
        "relu_threshold": (layers.ReLU(threshold=1.0), PICTURE),
        "relu_slope": (layers.ReLU(max_value=2.0, negative_slope=0.25), PICTURE),
        "leaky": (layers.LeakyReLU(), PICTURE),
        "leaky_slope": (layers.LeakyReLU(negative_slope=0.1), PICTURE),
        "elu_layer": (layers.ELU(), PICTURE),
        "elu_alpha": (layers.ELU(alpha=0.5), PICTURE),
        "softmax_layer": (layers.Softmax(), PICTURE),
        "prelu": (layers.PReLU(), PICTURE),
        "prelu_shared": (layers.PReLU(shared_axes=[1, 2]), PICTURE),
        "prelu_rows_shared": (layers.PReLU(shared_axes=[1]), PICTURE),
        "prelu_row": (layers.PReLU(), ROW),
        "dense_silu": (layers.Dense(7, activation="silu"), ROW),
        "dense_gelu": (layers.Dense(7, activation="gelu"), ROW),
        "convolution_selu": (layers.Conv2D(7, 3, activation="selu"), PICTURE),
        "convolution_relu6": (layers.Conv2D(7, 3, padding="same", activation="relu6"), PICTURE),
        "convolution_1x1_relu6": (layers.Conv2D(17, 1, activation="relu6"), PICTURE),
        "convolution_hard_silu": (layers.Conv2D(6, 2, activation="hard_silu"), PICTURE),
        "convolution_layer": (layers.Conv2D(6, 2, activation=layers.LeakyReLU()), PICTURE),
    }
    write_file("functions_within.h5", generator, cases, away_from_bends)


def write_separable():
    generator = np.random.default_rng(6)
    depthwise, separable = layers.DepthwiseConv2D, layers.SeparableConv2D
    # name: (layer, input shape)
    cases = {
        "3x3_same": (depthwise(3, padding="same"), (2, 5, 6, 3)),
        "3x3_valid": (depthwise(3), (2, 5, 4, 5)),
        "3x3_same_relu": (depthwise(3, padding="same", activation="relu"), (1, 3, 11, 17)),
        "3x3_same_relu6": (depthwise(3, padding="same", activation="relu6"), (1, 3, 4, 24)),
        "3x3_same_silu": (depthwise(3, padding="same", activation="silu"), (1, 3, 4, 16)),
        "3x3_stride_2_same_even": (depthwise(3, strides=2, padding="same"), (1, 6, 8, 4)),
        "3x3_stride_2_same_odd": (depthwise(3, strides=2, padding="same"), (1, 7, 5, 4)),
        "3x3_stride_2_valid": (depthwise(3, strides=2), (1, 4, 5, 33)),
        "3x3_stride_3_same": (depthwise(3, strides=3, padding="same"), (1, 8, 7, 3)),
        "5x5_same_no_bias": (depthwise(5, padding="same", use_bias=False), (1, 5, 6, 4)),
        "5x3_valid": (depthwise((5, 3)), (1, 5, 6, 4)),
        "7x7_same_small": (depthwise(7, padding="same"), (2, 2, 3, 4)),
        "1x1": (depthwise(1), (2, 3, 3, 5)),
    }
    write_file("depthwise.h5", generator, cases)
    cases = {
        "multiplier_2": (depthwise(3, depth_multiplier=2, padding="same"), (2, 5, 4, 3)),
        "multiplier_3_stride_2": (depthwise(3, strides=2, depth_multiplier=3), (1, 7, 6, 2)),
        "dilation_2_same": (depthwise(3, dilation_rate=2, padding="same"), (1, 6, 5, 4)),
        "dilation_2_valid": (depthwise(3, dilation_rate=2), (1, 6, 5, 4)),
        "dilation_3_2": (depthwise((2, 3), dilation_rate=(3, 2), padding="same"), (1, 7, 6, 3)),
    }
    write_file("depthwise_taps.h5", generator, cases)
    cases = {
        "separable": (separable(7, 3), (2, 5, 6, 3)),
        "separable_same": (separable(4, 3, padding="same", activation="relu"), (2, 5, 6, 5)),
        "separable_stride_2": (separable(4, 3, strides=2, padding="same"), (2, 5, 6, 17)),
        "separable_multiplier": (separable(5, 3, depth_multiplier=2), (1, 5, 5, 3)),
        "separable_no_bias": (
            separable(5, (3, 5), use_bias=False, activation="silu"), (1, 6, 7, 3)),
        "separable_dilation": (separable(5, 3, dilation_rate=2, padding="same"), (1, 7, 6, 3)),
    }
    write_file("separable.h5", generator, cases)


if __name__ == "__main__":
    write_functions()
    write_separable()
