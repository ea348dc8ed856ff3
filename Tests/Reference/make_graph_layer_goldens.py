"""Writes Tests/LayersTests/Goldens/{normalization,merging,padding,relu}.h5.

The layout is that of make_layer_goldens.py; layers with several inputs have `input`, `input_1`, ...
and their gradients `input_gradient`, `input_1_gradient`, ... Batch normalisation runs with
`training=False`, on random statistics.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_graph_layer_goldens.py
"""

import json

from make_layer_goldens import GOLDENS, KINK, create, keras, normal, np, tf

layers = keras.layers


def write_case(file, name, layer, inputs, generator):
    """Builds `layer`, fills its parameters, and writes the case `name`."""
    layer.build(inputs[0].shape if len(inputs) == 1 else [x.shape for x in inputs])
    for variable in layer.weights:
        value = normal(generator, *variable.shape)
        variable.assign(0.05 + value**2 if "variance" in variable.name else value)
    inputs = [tf.constant(x) for x in inputs]
    with tf.GradientTape() as tape:
        for x in inputs:
            tape.watch(x)
        y = layer(inputs[0] if len(inputs) == 1 else inputs, training=False)
        upstream = normal(generator, *y.shape)
        total = tf.reduce_sum(y * upstream)
    trained = layer.trainable_variables
    gradients = tape.gradient(total, inputs + [variable.value for variable in trained])

    group = file.create_group(name)
    group.attrs["className"] = type(layer).__name__
    group.attrs["config"] = json.dumps(layer.get_config())
    group["output"], group["output_gradient"] = y.numpy(), upstream
    for index, (x, gradient) in enumerate(zip(inputs, gradients)):
        input_name = f"input_{index}" if index else "input"
        group[input_name], group[f"{input_name}_gradient"] = x.numpy(), gradient.numpy()
    for variable in layer.weights:
        group[parameter_name(layer, variable)] = variable.numpy()
    for variable, gradient in zip(trained, gradients[len(inputs):]):
        group[f"{parameter_name(layer, variable)}_gradient"] = gradient.numpy()


def parameter_name(layer, variable):
    """Keras 2's name of a parameter; Keras 3 calls a depthwise kernel just kernel."""
    is_depthwise = isinstance(layer, layers.DepthwiseConv2D) and variable.name == "kernel"
    return "depthwise_kernel" if is_depthwise else variable.name


def write_file(file_name, seed, cases):
    """`cases` maps names to a layer and the shapes of its inputs."""
    generator = np.random.default_rng(seed)
    with create(file_name) as file:
        for name, (layer, *shapes) in cases.items():
            inputs = [normal(generator, *shape) for shape in shapes]
            write_case(file, name, layer, inputs, generator)


def write_relu():
    generator = np.random.default_rng(4)
    with create("relu.h5") as file:
        for name, arguments, shape in [
            ("no_limit", dict(), (2, 3, 4, 5)),
            ("limit_6", dict(max_value=6.0), (2, 3, 4, 5)),
            ("limit_1", dict(max_value=1.0), (3, 7)),
            ("row", dict(), (2, 17)),
            ("row_limit_6", dict(max_value=6), (2, 17)),
        ]:
            x = 5 * normal(generator, *shape)
            assert np.abs(x).min() > KINK and np.abs(x - 6).min() > KINK
            write_case(file, name, layers.ReLU(**arguments), [x], generator)


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    normalize = layers.BatchNormalization
    picture = (2, 4, 3, 5)
    write_file("normalization.h5", 1, {
        "default": (normalize(), picture),
        "epsilon": (normalize(epsilon=1.001e-5), picture),
        "axis_3": (normalize(axis=3), picture),
        "no_gamma": (normalize(scale=False), picture),
        "no_beta": (normalize(center=False), picture),
        "neither": (normalize(scale=False, center=False), picture),
        "wide": (normalize(), (1, 3, 3, 33)),
        "row": (normalize(epsilon=1e-5), (6, 7)),
    })
    write_file("merging.h5", 2, {
        "add": (layers.Add(), picture, picture),
        "add_three": (layers.Add(), picture, picture, picture),
        "add_wide": (layers.Add(), (1, 3, 3, 33), (1, 3, 3, 33)),
        "concatenate": (layers.Concatenate(), picture, (2, 4, 3, 2)),
        "concatenate_axis_3": (layers.Concatenate(axis=3), picture, (2, 4, 3, 1)),
        "concatenate_three": (layers.Concatenate(), picture, (2, 4, 3, 2), (2, 4, 3, 7)),
    })
    pad = layers.ZeroPadding2D
    write_file("padding.h5", 3, {
        "default": (pad(), picture),
        "three": (pad(3), picture),
        "rows_columns": (pad((1, 2)), picture),
        "each_side": (pad(((1, 2), (3, 0))), picture),
        "nothing": (pad(0), picture),
    })
    write_relu()
