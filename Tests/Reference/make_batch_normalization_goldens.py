"""Writes Tests/LayersTests/Goldens/batch_normalization.h5.

Batch normalisation with `training=True`: the layout is that of make_graph_layer_goldens.py, with the
statistics after the batch as `moving_mean_after` and `moving_variance_after`.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_batch_normalization_goldens.py
"""

import json

from make_function_goldens import SMALL
from make_graph_layer_goldens import create, layers, normal, np, tf


def write_case(file, name, layer, shape, generator):
    layer.build(shape)
    before = {}
    for variable in layer.weights:
        value = normal(generator, *variable.shape)
        variable.assign(0.05 + value**2 if "variance" in variable.name else value)
        before[variable.name] = variable.numpy()
    # Channels far from zero, of different spread.
    x = tf.constant(3 + np.arange(1, shape[-1] + 1) * normal(generator, *shape), tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=True)
        upstream = normal(generator, *y.shape)
        total = tf.reduce_sum(y * upstream)
    trained = layer.trainable_variables
    gradients = tape.gradient(total, [x] + [variable.value for variable in trained])
    group = file.create_group(name)
    group.attrs["config"] = json.dumps(layer.get_config())
    group["input"], group["input_gradient"] = x.numpy(), gradients[0].numpy()
    group["output"], group["output_gradient"] = y.numpy(), upstream
    for variable in layer.weights:
        group[variable.name] = before[variable.name]
    for variable, gradient in zip(trained, gradients[1:]):
        group[f"{variable.name}_gradient"] = gradient.numpy()
    for variable in layer.non_trainable_variables:
        group[f"{variable.name}_after"] = variable.numpy()


if __name__ == "__main__":
    generator = np.random.default_rng(31)
    normalize = layers.BatchNormalization
    with create("batch_normalization.h5", libver=SMALL) as file:
        for name, layer, shape in [
            ("default", normalize(), (2, 4, 3, 5)),
            ("epsilon_momentum", normalize(epsilon=1.001e-5, momentum=0.9), (3, 2, 3, 5)),
            ("no_gamma", normalize(scale=False), (2, 4, 3, 5)),
            ("no_beta", normalize(center=False), (2, 4, 3, 5)),
            ("neither", normalize(scale=False, center=False), (2, 4, 3, 5)),
            ("wide", normalize(), (1, 3, 3, 33)),
            ("row", normalize(), (6, 7)),
            ("one_pixel", normalize(epsilon=0.1), (2, 1, 1, 4)),
        ]:
            write_case(file, name, layer, shape, generator)
