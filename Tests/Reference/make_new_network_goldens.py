"""Writes Tests/TrainingTests/Goldens: label_smoothing.h5, schedules.h5, initializers.h5,
small_convnet.h5.

`label_smoothing.h5` has a group `binary` and `categorical` with `logits`, `labels`, the attribute
`smoothing`, the mean `loss` and `logits_gradient`.

`schedules.h5` has a group for each schedule with the attributes `steps_per_epoch`, `epochs`,
`warm_up_epochs` and `learning_rate`, and `rates`, one for each step and some beyond.

`initializers.h5` has a group for each initializer and in it a dataset for each kernel shape with
the deviation and the largest magnitude of Keras's own draws.

`small_convnet.h5` holds what one SGD step at a rate of 1 does to the small convnet of *Deep Learning
with Python*, 5.2, without dropout, at 46 x 46 pixels: `input`, `labels`, `loss`, and for every
parameter every `stride`-th number of its change. Kernels start as `pattern` has them, which the test
repeats; biases start at zero.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_new_network_goldens.py
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

GOLDENS = pathlib.Path(__file__).resolve().parents[1] / "TrainingTests" / "Goldens"


def create(name):
    file = h5py.File(GOLDENS / name, "w")
    file.attrs["keras_version"] = keras.__version__
    file.attrs["tensorflow_version"] = tf.__version__
    return file


def write_label_smoothing():
    generator = np.random.default_rng(11)
    cases = {
        "binary": (1, keras.losses.BinaryCrossentropy, 0.2),
        "categorical": (5, keras.losses.CategoricalCrossentropy, 0.1),
    }
    with create("label_smoothing.h5") as file:
        for name, (width, loss, smoothing) in cases.items():
            logits = tf.Variable(generator.normal(0, 3, (12, width)).astype(np.float32))
            labels = generator.integers(0, max(width, 2), 12)
            targets = labels[:, None].astype(np.float32) if width == 1 else np.eye(
                width, dtype=np.float32)[labels]
            with tf.GradientTape() as tape:
                value = loss(from_logits=True, label_smoothing=smoothing)(targets, logits)
            group = file.create_group(name)
            group.attrs["smoothing"] = np.float64(smoothing)
            group["logits"] = logits.numpy()
            group["labels"] = labels.astype(np.int32)
            group["loss"] = np.array([value.numpy()], np.float32)
            group["logits_gradient"] = tape.gradient(value, logits).numpy()


def write_schedules():
    cases = {
        "cosine": (7, 5, 0, 0.01),
        "cosine_warm_up": (10, 6, 1.5, 0.002),
        "cosine_all_warm_up": (4, 3, 3, 0.1),
    }
    with create("schedules.h5") as file:
        for name, (per_epoch, epochs, warm_up, rate) in cases.items():
            steps, warm_up_steps = per_epoch * epochs, int(per_epoch * warm_up)
            if warm_up_steps == 0:
                schedule = keras.optimizers.schedules.CosineDecay(rate, steps)
            else:
                schedule = keras.optimizers.schedules.CosineDecay(
                    0.0, max(steps - warm_up_steps, 1), warmup_target=rate,
                    warmup_steps=warm_up_steps)
            group = file.create_group(name)
            group.attrs["steps_per_epoch"] = np.int32(per_epoch)
            group.attrs["epochs"] = np.int32(epochs)
            group.attrs["warm_up_epochs"] = np.float64(warm_up)
            group.attrs["learning_rate"] = np.float64(rate)
            # A rate at the very end of a run that is all warm-up is never used.
            count = steps if warm_up_steps == steps else steps + 3
            group["rates"] = np.array([float(schedule(step)) for step in range(count)], np.float32)


def write_initializers():
    with create("initializers.h5") as file:
        for name in [
            "glorot_uniform", "he_uniform", "glorot_normal", "he_normal", "lecun_uniform",
            "lecun_normal",
        ]:
            for shape in [(3, 3, 48, 96), (5, 5, 3, 6), (700, 120)]:
                draws = [
                    keras.initializers.get(
                        {"class_name": "".join(part.title() for part in name.split("_")),
                         "config": {"seed": seed}})(shape).numpy().ravel()
                    for seed in range(40)
                ]
                values = np.concatenate(draws)
                key = "x".join(map(str, shape))
                file[f"{name}/{key}"] = np.array(
                    [values.std(), np.abs(values).max()], np.float32)


def pattern(shape, number):
    """Numbers that look random, the same in every language: a multiplicative hash of the index."""
    count = int(np.prod(shape))
    hashed = ((np.arange(count, dtype=np.uint64) + 1) * np.uint64(2654435761)
              + np.uint64(number) * np.uint64(40503)) % np.uint64(1 << 32)
    field = int(np.prod(shape[:-2]))
    limit = np.float32(np.sqrt(6 / (field * (shape[-2] + shape[-1]))))
    unit = (hashed >> np.uint64(8)).astype(np.float32) / np.float32(1 << 24)
    return ((2 * unit - 1) * limit).reshape(shape).astype(np.float32)


def write_small_convnet(stride=23):
    layers = keras.layers
    model = keras.Sequential([layers.Input((46, 46, 3))])
    for width in [32, 64, 128, 128]:
        model.add(layers.Conv2D(width, 3, activation="relu"))
        model.add(layers.MaxPooling2D(2))
    model.add(layers.Flatten())
    model.add(layers.Dense(512, activation="relu"))
    model.add(layers.Dense(1, activation="sigmoid"))
    for number, variable in enumerate(model.trainable_variables):
        if len(variable.shape) > 1:
            variable.assign(pattern(tuple(variable.shape), number))
    generator = np.random.default_rng(12)
    # Noise, as neighbours that are equal would share a maximum, and rounding would choose one.
    samples = generator.integers(0, 256, (6, 46, 46, 3)).astype(np.uint8)
    labels = np.array([0, 1, 1, 0, 1, 0])
    with tf.GradientTape() as tape:
        logits = model(samples.astype(np.float32) / np.float32(255), training=True)
        loss = keras.losses.BinaryCrossentropy()(labels[:, None].astype(np.float32), logits)
    gradients = tape.gradient(loss, [v.value for v in model.trainable_variables])
    with create("small_convnet.h5") as file:
        file.attrs["stride"] = np.int32(stride)
        file.create_dataset("input", data=samples, compression="gzip")
        file["labels"] = labels.astype(np.int32)
        file["loss"] = np.array([loss.numpy()], np.float32)
        for number, gradient in enumerate(gradients):
            file[f"gradients/{number:02d}"] = gradient.numpy().ravel()[::stride]


if __name__ == "__main__":
    write_label_smoothing()
    write_schedules()
    write_initializers()
    write_small_convnet()
