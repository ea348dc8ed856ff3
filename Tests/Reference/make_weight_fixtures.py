"""Writes the weight files of a tiny VGG16 and VGG19 into Tests/WeightsTests/Fixtures.

Every file that is not `wrong_*` holds the same base, in the spelling of one Keras version or
another; `tiny_vgg16_expected.h5` and `tiny_vgg19_expected.h5` hold the tensors, an input and what
the network makes of it. README.md in that folder lists the files.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, tf_keras 2.21.0, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_weight_fixtures.py
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
import tf_keras
from keras.src.legacy.saving import legacy_h5_format

import tiny_vgg

FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "WeightsTests" / "Fixtures"


def fixed(names):
    """Names as Keras 1 and 2 stored them: fixed-length strings, or a float64 array when empty."""
    return np.array([name.encode() for name in names]) if names else np.zeros(0)


def variable(names):
    return np.array(names, dtype=h5py.string_dtype()) if names else np.zeros(0)


def write_keras1(path, layers, strings=fixed):
    """A weights file as Keras 1 wrote it: no version, no backend, `<layer>_W_1:0`.

    `layers` lists (name, None) and (name, (kernel, bias)) in order.
    """
    with h5py.File(path, "w") as file:
        file.attrs["layer_names"] = strings([name for name, _ in layers])
        for name, tensors in sorted(layers):
            group = file.create_group(name)
            names = [f"{name}_W_1:0", f"{name}_b_1:0"] if tensors else []
            group.attrs["weight_names"] = strings(names)
            for weight_name, tensor in zip(names, tensors or ()):
                group[weight_name] = tensor


def keras1_layers(variant, top=False):
    tensors = tiny_vgg.base_tensors(variant)
    layers = [("input_1", None)]
    layers += [(name, tensors.get(name)) for name, _ in tiny_vgg.layer_names(variant)]
    if top:
        inputs = tiny_vgg.WIDTHS[-1]
        layers.append(("flatten", None))
        for name, units in tiny_vgg.TOP_UNITS.items():
            layers.append((name, tiny_vgg.dense_tensors(name, inputs, units)))
            inputs = units
    return layers


def write_keras3_legacy(path, model):
    """A weights file in the legacy layout, as Keras 3 writes it inside a full model."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def write_tf_keras_weights(path, model, version=None):
    """A weights file by tf_keras, which may claim to be an older Keras 2."""
    model.save_weights(path, save_format="h5")
    if version:
        with h5py.File(path, "a") as file:
            file.attrs["keras_version"] = np.bytes_(version)


def compiled(model, library, loss="binary_crossentropy", step=False):
    """Compiles `model`; with `step` trains once, so that the optimizer has its state."""
    model.compile(library.optimizers.RMSprop(1e-4), loss=loss, metrics=["accuracy"])
    if step:
        model.train_on_batch(tiny_vgg.pictures(), np.array([[0.0], [1.0], [1.0]]))
        tiny_vgg.set_tensors(model)
    return model


def write_bases():
    write_keras1(FIXTURES / "vgg16_keras1.h5", keras1_layers("vgg16"))
    write_keras1(FIXTURES / "vgg16_variable_strings.h5", keras1_layers("vgg16"), variable)
    write_keras1(FIXTURES / "vgg16_top_keras1.h5", keras1_layers("vgg16", top=True))
    write_keras1(FIXTURES / "vgg19_keras1.h5", keras1_layers("vgg19"))

    write_tf_keras_weights(
        FIXTURES / "vgg16_keras2.h5", tiny_vgg.base(tf_keras, size=None), "2.2.4")
    tiny_vgg.base(tf_keras).save(FIXTURES / "vgg16_tf_keras_full.h5")

    network = tiny_vgg.base(keras, size=None)
    write_keras3_legacy(FIXTURES / "vgg16_keras3_legacy.h5", network)
    network.save(FIXTURES / "vgg16_keras3_full.h5")
    network.save_weights(FIXTURES / "vgg16_keras3.weights.h5")
    tiny_vgg.base(keras, top=True).save(FIXTURES / "vgg16_top_keras3_full.h5")
    write_keras3_legacy(FIXTURES / "vgg19_keras3_legacy.h5", tiny_vgg.base(keras, "vgg19"))


def write_classifiers():
    model = tiny_vgg.classifier(keras)
    model.save(FIXTURES / "nested_keras3.keras")
    model.save_weights(FIXTURES / "nested_keras3.weights.h5")
    limit = legacy_h5_format.HDF5_OBJECT_HEADER_LIMIT
    legacy_h5_format.HDF5_OBJECT_HEADER_LIMIT = 256
    write_keras3_legacy(FIXTURES / "nested_chunked_names.h5", model)
    write_keras3_legacy(FIXTURES / "vgg16_chunked_names.h5", tiny_vgg.base(keras, size=None))
    legacy_h5_format.HDF5_OBJECT_HEADER_LIMIT = limit
    compiled(model, keras, step=True).save(FIXTURES / "nested_keras3_full.h5")

    model = tiny_vgg.classifier(tf_keras)
    write_tf_keras_weights(FIXTURES / "nested_tf_keras_weights.h5", model)
    compiled(model, tf_keras).save(FIXTURES / "nested_tf_keras_full.h5")

    tiny_vgg.classifier(keras, classes=3).save(FIXTURES / "nested_softmax_keras3_full.h5")


def lenet():
    layers = keras.layers
    return keras.Sequential([
        layers.Input((28, 28, 1)),
        layers.Conv2D(6, 5, activation="relu", name="conv2d"),
        layers.MaxPooling2D(name="max_pooling2d"),
        layers.Conv2D(8, 5, activation="relu", name="conv2d_1"),
        layers.MaxPooling2D(name="max_pooling2d_1"),
        layers.Flatten(name="flatten"),
        layers.Dense(12, activation="relu", name="dense"),
        layers.Dense(4, activation="softmax", name="dense_1"),
    ], name="lenet")


def write_wrong():
    model = lenet()
    tiny_vgg.set_tensors(model)
    write_keras3_legacy(FIXTURES / "wrong_lenet.h5", model)

    def changed(file_name, change):
        layers = dict(keras1_layers("vgg16"))
        change(layers)
        write_keras1(FIXTURES / file_name, list(layers.items()))

    def drop_last(layers):
        del layers["block5_conv3"]

    def change_shape(layers):
        kernel, bias = layers["block3_conv2"]
        layers["block3_conv2"] = kernel[:, :, :4], bias

    def transpose(layers):
        for name, tensors in layers.items():
            if tensors:
                layers[name] = tensors[0].transpose(3, 2, 0, 1), tensors[1]

    def spoil(layers):
        layers["block2_conv2"][0][1, 1, 2, 3] = np.nan

    def empty(layers):
        kernel, bias = layers["block4_conv1"]
        layers["block4_conv1"] = kernel, bias[:0]

    changed("wrong_missing_layer.h5", drop_last)
    changed("wrong_shape.h5", change_shape)
    changed("wrong_oihw.h5", transpose)
    changed("wrong_nan.h5", spoil)
    changed("wrong_empty_bias.h5", empty)


def write_expected(variant):
    """The tensors of the base, an input, the outputs of its pools and of the models made of it."""
    network = tiny_vgg.base(keras, variant)
    pools = [layer for layer in network.layers if layer.name.endswith("_pool")]
    outputs = keras.Model(network.input, [pool.output for pool in pools])
    x = tiny_vgg.pictures()
    with h5py.File(FIXTURES / f"tiny_{variant}_expected.h5", "w") as file:
        file.create_dataset("input", data=x, compression="gzip")
        for pool, output in zip(pools, outputs.predict(x, verbose=0)):
            assert (output > 0).any(axis=(0, 1, 2)).all(), f"a channel of {pool.name} is dead"
            file[f"outputs/{pool.name}"] = output
        for name, (kernel, bias) in tiny_vgg.base_tensors(variant).items():
            file[f"weights/{name}/kernel"], file[f"weights/{name}/bias"] = kernel, bias
        if variant != "vgg16":
            return
        models = {
            "nested": tiny_vgg.classifier(keras),
            "nested_softmax": tiny_vgg.classifier(keras, classes=3),
            "top": tiny_vgg.base(keras, top=True),
        }
        for name, model in models.items():
            file[f"predictions/{name}"] = model.predict(x, verbose=0)
            for layer in model.layers:
                if "Dense" in type(layer).__name__:
                    kernel, bias = layer.get_weights()
                    file[f"head_weights/{name}/{layer.name}/kernel"] = kernel
                    file[f"head_weights/{name}/{layer.name}/bias"] = bias


if __name__ == "__main__":
    FIXTURES.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(1)
    write_bases()
    write_classifiers()
    write_wrong()
    write_expected("vgg16")
    write_expected("vgg19")
