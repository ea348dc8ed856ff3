"""Builds the smallest full-model .h5 that Keras 3 and Keras 2 (tf_keras) both load, and proves it.

The file is written with h5py alone, the way another program would write it: a nested VGG16 (tiny)
of which some layers are trainable, Flatten, Dense, Dropout, Dense. Both libraries must load it,
predict what the model built in Keras predicts, and see the same trainable layers. What decides:

- An input layer says `batch_input_shape`; tf_keras does not know `batch_shape`, Keras 3 takes both.
- `input_layers` and `output_layers` are flat, ["block5_pool", 0, 0]; with [["block5_pool", 0, 0]]
  Keras 3 makes the nested model return a list, which Flatten refuses.
- `inbound_nodes` are [[["previous", 0, 0, {}]]], the form of Keras 2, which Keras 3 still reads.
- Names of weights are free; they are taken in the order of `weight_names`. For the nested model
  that is all tensors of trainable layers, then those of frozen layers, each in network order.
- `training_config` is optional, but where it stands it needs `loss_weights` and
  `weighted_metrics`, which may be null.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, tf_keras 2.21.0, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/minimal_full_model.py [FILE.h5]
"""

import json
import os
import pathlib
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import tf_keras

import tiny_vgg

IMAGE = [None, tiny_vgg.SIZE, tiny_vgg.SIZE, 3]
HEAD = {"dense": (6, 6), "dense_1": (6, 1)}


def layer(class_name, name, previous=None, **config):
    """A layer's entry, for a Functional (where `previous` is a list of layer names) or not."""
    entry = {"class_name": class_name, "config": {"name": name, **config}}
    if previous is not None:
        nodes = [[[before, 0, 0, {}] for before in previous]] if previous else []
        entry |= {"name": name, "inbound_nodes": nodes}
    return entry


def base_config(trainable):
    """The nested network; `trainable` says which layers are."""
    layers = [layer("InputLayer", "input_1", [], batch_input_shape=IMAGE, dtype="float32")]
    previous = "input_1"
    for name, sizes in tiny_vgg.layer_names("vgg16"):
        if sizes is None:
            entry = layer(
                "MaxPooling2D", name, [previous], trainable=trainable(name), pool_size=[2, 2],
                strides=[2, 2], padding="valid")
        else:
            entry = layer(
                "Conv2D", name, [previous], trainable=trainable(name), filters=sizes[1],
                kernel_size=[3, 3], strides=[1, 1], padding="same", activation="relu",
                use_bias=True)
        layers.append(entry)
        previous = name
    return {
        "class_name": "Functional",
        "config": {
            "name": "vgg16", "trainable": True, "layers": layers,
            "input_layers": ["input_1", 0, 0], "output_layers": [previous, 0, 0],
        },
    }


def head_config():
    return [
        layer("Flatten", "flatten"),
        layer("Dense", "dense", units=6, activation="relu", use_bias=True),
        layer("Dropout", "dropout", rate=0.5),
        layer("Dense", "dense_1", units=1, activation="sigmoid", use_bias=True),
    ]


def model_config(trainable):
    image = {"class_name": "InputLayer", "config": {
        "name": "vgg16_input", "batch_input_shape": IMAGE, "dtype": "float32"}}
    layers = [image, base_config(trainable)] + head_config()
    return {"class_name": "Sequential", "config": {"name": "sequential", "layers": layers}}


def training_config():
    return {
        "loss": "binary_crossentropy", "metrics": ["accuracy"], "weighted_metrics": None,
        "loss_weights": None,
        "optimizer_config": {"class_name": "RMSprop", "config": {
            "name": "RMSprop", "learning_rate": 1e-5, "rho": 0.9, "momentum": 0.0,
            "epsilon": 1e-7, "centered": False}},
    }


def legacy_order(names, trainable):
    """Layers in the order in which Keras stores the weights of a nested model."""
    return [n for n in names if trainable(n)] + [n for n in names if not trainable(n)]


def write_layer(group, name, tensors):
    """Writes a layer's group; `tensors` lists (weight name, array) in Keras's order."""
    subgroup = group.create_group(name)
    for weight_name, tensor in tensors:
        subgroup[weight_name] = tensor
    names = [weight_name.encode() for weight_name, _ in tensors]
    subgroup.attrs["weight_names"] = np.array(names) if names else np.zeros(0)


def named(layer_name, tensors):
    return [(f"{layer_name}/{kind}:0", t) for kind, t in zip(("kernel", "bias"), tensors)]


def write(path, trainable, compiled=True):
    """Writes the model; `trainable` says of every layer of the base whether it is."""
    tensors = tiny_vgg.base_tensors()
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = json.dumps(model_config(trainable))
        if compiled:
            file.attrs["training_config"] = json.dumps(training_config())
        # Of no meaning to Keras, which must leave them alone.
        file.attrs["tl_image_size"] = np.int32([tiny_vgg.SIZE, tiny_vgg.SIZE])
        file.attrs["tl_class_names"] = np.array(["cats", "dogs"], dtype=h5py.string_dtype())
        group = file.create_group("model_weights")
        for owner in (file, group):
            owner.attrs["backend"], owner.attrs["keras_version"] = "tensorflow", "2.15.0"
        names = ["vgg16", "flatten", "dense", "dropout", "dense_1"]
        group.attrs["layer_names"] = np.array([name.encode() for name in names])
        base = [pair for name in legacy_order(tensors, trainable)
                for pair in named(name, tensors[name])]
        write_layer(group, "vgg16", base)
        write_layer(group, "flatten", [])
        write_layer(group, "dropout", [])
        for name, sizes in HEAD.items():
            write_layer(group, name, named(name, tiny_vgg.dense_tensors(name, *sizes)))


def check(path, trainable):
    """Loads the file with both libraries and compares them with the model built in Keras."""
    x = tiny_vgg.pictures()
    expected = tiny_vgg.classifier(keras).predict(x, verbose=0)
    for library in (keras, tf_keras):
        model = library.models.load_model(path)
        found = np.asarray(model.predict(x, verbose=0))
        assert found.shape == expected.shape, (library.__name__, found.shape)
        assert np.abs(found - expected).max() < 1e-6, library.__name__
        base = model.get_layer("vgg16")
        assert model.input_shape == tuple(IMAGE), model.input_shape
        for part in base.layers[1:]:
            assert part.trainable == trainable(part.name), (library.__name__, part.name)
        model.fit(x, np.array([[0.0], [1.0], [1.0]]), verbose=0)


if __name__ == "__main__":
    choices = {
        "block5 trainable": lambda name: name.startswith("block5"),
        "all frozen": lambda name: False,
        "all trainable": lambda name: True,
        "block2 and block4 trainable": lambda name: name.startswith(("block2", "block4")),
    }
    with tempfile.TemporaryDirectory() as folder:
        for what, trainable in choices.items():
            path = pathlib.Path(folder) / "model.h5"
            write(path, trainable)
            check(path, trainable)
            print(f"{what}: loaded by keras {keras.__version__}, tf_keras {tf_keras.__version__}")
    if len(sys.argv) > 1:
        write(sys.argv[1], choices["block5 trainable"])
