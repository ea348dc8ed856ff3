"""Writes Tests/TrainingTests/Goldens: optimizers.h5, head_*.h5, fine_tune_*.h5.

`optimizers.h5` has a group for each optimizer with the attributes `className` and `config` (JSON)
and its hyperparameters, and `parameters` [21, 50]: the tensor before the first and after each of
20 steps on `gradients` [20, 50] at the root.

`head_<kind>.h5` trains Dense 16 relu and Dense 1 sigmoid (or Dense 3 softmax) on `features`
[40, 128] (4x4x8 flattened) and `labels`, `fine_tune_<kind>.h5` trains block5 and the head of a tiny
VGG16 on `input` [12, 32, 32, 3] and `labels`. Both take the batches in file order, start again at
the end, and hold `losses` (mean loss of each of 10 batches before its step),
`initial/<layer>/<kernel or bias>` and `final/<layer>/<kernel or bias>` of what is trained, and the
hyperparameters as attributes. There is no dropout. The whole network before the first step is
`fine_tune_<kind>_initial.h5`, a Keras 3 full-model file.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_training_goldens.py
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

import tiny_vgg

GOLDENS = pathlib.Path(__file__).resolve().parents[1] / "TrainingTests" / "Goldens"
STEPS = 10


def create(name):
    """A new golden file that says what made it."""
    file = h5py.File(GOLDENS / name, "w")
    file.attrs["keras_version"] = keras.__version__
    file.attrs["tensorflow_version"] = tf.__version__
    return file


def write_settings(group, optimizer):
    """The class, the config as JSON and every number or truth value of the config an attribute."""
    config = optimizer.get_config()
    group.attrs["className"] = type(optimizer).__name__
    group.attrs["config"] = json.dumps(config)
    for name, value in config.items():
        if isinstance(value, (bool, int)):
            group.attrs[name] = np.int32(value)
        elif isinstance(value, float):
            group.attrs[name] = np.float64(value)


def write_optimizers():
    optimizers = keras.optimizers
    cases = {
        "sgd": optimizers.SGD(),
        "sgd_momentum": optimizers.SGD(momentum=0.9),
        "sgd_nesterov": optimizers.SGD(momentum=0.9, nesterov=True),
        "rmsprop": optimizers.RMSprop(),
        "rmsprop_momentum": optimizers.RMSprop(momentum=0.9),
        "rmsprop_centered": optimizers.RMSprop(centered=True),
        "rmsprop_centered_momentum": optimizers.RMSprop(centered=True, momentum=0.9),
        "adagrad": optimizers.Adagrad(),
        "adadelta": optimizers.Adadelta(),
        "adam": optimizers.Adam(),
        "adamw": optimizers.AdamW(),
    }
    generator = np.random.default_rng(1)
    start = generator.standard_normal(50).astype(np.float32)
    scales = 10 ** generator.uniform(-4, 1, 50)
    gradients = (generator.standard_normal((20, 50)) * scales).astype(np.float32)
    gradients[:, 0] = 0  # never moves, except by weight decay
    gradients[3:, 1] = 0  # only momentum moves it from the fourth step on
    with create("optimizers.h5") as file:
        file["gradients"] = gradients
        for name, optimizer in cases.items():
            variable = keras.Variable(start)
            history = [variable.numpy().copy()]
            for gradient in gradients:
                optimizer.apply([tf.constant(gradient)], [variable])
                history.append(variable.numpy().copy())
            group = file.create_group(name)
            write_settings(group, optimizer)
            group["parameters"] = np.stack(history)


def loss_name(classes):
    return "binary_crossentropy" if classes == 1 else "categorical_crossentropy"


def targets(labels, classes):
    """Labels [n] as Keras takes them: [n, 1] for a sigmoid, one-hot [n, classes] for a softmax."""
    one_hot = np.eye(max(classes, 2), dtype=np.float32)[labels]
    return labels[:, None].astype(np.float32) if classes == 1 else one_hot


def train(model, x, y, batch):
    """The mean loss of each of `STEPS` batches, taken in order from the start again and again."""
    losses = []
    for step in range(STEPS):
        rows = [(step * batch + index) % len(x) for index in range(batch)]
        model.reset_metrics()
        losses.append(float(model.train_on_batch(x[rows], y[rows], return_dict=True)["loss"]))
    return np.array(losses, np.float32)


def trained_tensors(model):
    """Every trainable tensor by `<layer>/<kernel or bias>`."""
    return {
        "/".join(variable.path.split("/")[-2:]): variable.numpy().copy()
        for variable in model.trainable_variables
    }


def write_run(file, model, x, labels, classes, batch):
    """Trains `model` and writes the settings, the losses and the tensors before and after."""
    write_settings(file, model.optimizer)
    file.attrs["batch_size"] = np.int32(batch)
    file.attrs["loss"] = loss_name(classes)
    file["labels"] = labels.astype(np.int32)
    for name, tensor in trained_tensors(model).items():
        file[f"initial/{name}"] = tensor
    file["losses"] = train(model, x, targets(labels, classes), batch)
    for name, tensor in trained_tensors(model).items():
        file[f"final/{name}"] = tensor


def write_head(kind, classes):
    generator = np.random.default_rng(2)
    labels = generator.integers(0, max(classes, 2), 40)
    features = np.maximum(generator.standard_normal((40, 4, 4, 8)), 0)
    features[np.arange(40), 1, 1, labels] += 2
    features = features.reshape(40, 128).astype(np.float32)
    activation = "sigmoid" if classes == 1 else "softmax"
    model = keras.Sequential([
        keras.layers.Input((128,)),
        keras.layers.Dense(16, activation="relu", name="dense"),
        keras.layers.Dense(classes, activation=activation, name="dense_1"),
    ])
    tiny_vgg.set_tensors(model)
    model.compile(keras.optimizers.RMSprop(1e-3), loss=loss_name(classes))
    with create(f"head_{kind}.h5") as file:
        file.create_dataset("features", data=features, compression="gzip")
        write_run(file, model, features, labels, classes, batch=8)


def write_fine_tune(kind, classes):
    generator = np.random.default_rng(3)
    labels = generator.integers(0, max(classes, 2), 12)
    x = tiny_vgg.pictures(12)
    model = tiny_vgg.classifier(keras, classes, dropout=None)
    model.compile(keras.optimizers.RMSprop(1e-4), loss=loss_name(classes))
    frozen = [value.numpy().copy() for value in model.non_trainable_variables]
    model.save(GOLDENS / f"fine_tune_{kind}_initial.h5", include_optimizer=False)
    with create(f"fine_tune_{kind}.h5") as file:
        file.create_dataset("input", data=x, compression="gzip")
        write_run(file, model, x, labels, classes, batch=4)
    for before, after in zip(frozen, model.non_trainable_variables):
        assert (before == after.numpy()).all()


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    write_optimizers()
    for kind, classes in [("sigmoid", 1), ("softmax", 3)]:
        write_head(kind, classes)
        write_fine_tune(kind, classes)
