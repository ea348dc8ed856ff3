"""Writes Tests/TrainingTests/Goldens: gradients.h5, focal.h5, rates.h5, watching.h5,
class_weights.h5, head_regularized.h5.

`gradients.h5` has a group for each case with the optimizer's settings as attributes: two tensors
`first` [21, 4, 3] and `second` [21, 5] before the first and after each of 20 steps on
`first_gradients` [20, 4, 3] and `second_gradients` [20, 5] at the root. The cases are what happens to
gradients and weights beside the rule: decay, the three kinds of clipping, and averages (with
`first_average` and `second_average`).

`focal.h5` has a group `binary` and `categorical` with and without smoothing: `logits`, `labels`, the
attributes `gamma`, `alpha` and `smoothing`, the mean `loss` and `logits_gradient`.

`rates.h5` has a group for each schedule with its settings as attributes and `rates`, one a step:
Keras's ExponentialDecay, smooth and in steps, and PyTorch's OneCycleLR.

`watching.h5` has a group for each case with `values`, one an epoch: of ReduceLROnPlateau the `rates`
after each, of EarlyStopping the attributes `stopped` (the epoch it stops after, 0 if it does not) and
`best` (the epoch whose weights are restored), both counted from 1.

`class_weights.h5` has `labels`, scikit-learn's `balanced` weights for them, `logits`, and the mean
`loss` and `logits_gradient` that Keras has with them.

`head_regularized.h5` is like `head_sigmoid.h5`, trained with everything at once: L2 on both kernels,
class weights, label smoothing, a global norm that clips, weight decay and averages.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, PyTorch 2.15.0, scikit-learn 1.9.1, h5py 3.14.0,
numpy 2.4.6:
    python Tests/Reference/make_learning_goldens.py
"""

import json
import os
import pathlib
import subprocess
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import sklearn.utils.class_weight
import tensorflow as tf

import make_training_goldens as training
import tiny_vgg

GOLDENS = pathlib.Path(__file__).resolve().parents[1] / "TrainingTests" / "Goldens"


def write_gradients():
    optimizers = keras.optimizers
    cases = {
        "sgd_weight_decay": optimizers.SGD(momentum=0.9, weight_decay=0.01),
        "adam_weight_decay": optimizers.Adam(weight_decay=0.02),
        "rmsprop_clipnorm": optimizers.RMSprop(clipnorm=1.5),
        "sgd_clipnorm": optimizers.SGD(clipnorm=1.5),
        "sgd_global_clipnorm": optimizers.SGD(global_clipnorm=2.0),
        "sgd_clipvalue": optimizers.SGD(clipvalue=0.5),
        "adam_average": optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9),
    }
    generator = np.random.default_rng(21)
    shapes = {"first": (4, 3), "second": (5,)}
    starts = {name: generator.standard_normal(shape) for name, shape in shapes.items()}
    scales = 10 ** generator.uniform(-1, 0.5, 20)
    gradients = {
        name: np.stack([generator.standard_normal(shape) * scale for scale in scales])
        for name, shape in shapes.items()
    }
    gradients["second"][4] = 0  # a norm of zero
    with training.create("gradients.h5") as file:
        for name, values in gradients.items():
            file[f"{name}_gradients"] = values.astype(np.float32)
        for case, optimizer in cases.items():
            variables = {n: keras.Variable(v.astype(np.float32)) for n, v in starts.items()}
            history = {n: [v.numpy().copy()] for n, v in variables.items()}
            averages = {n: [] for n in variables}
            for step in range(20):
                optimizer.apply(
                    [tf.constant(gradients[n][step].astype(np.float32)) for n in variables],
                    list(variables.values()))
                for index, (name, variable) in enumerate(variables.items()):
                    history[name].append(variable.numpy().copy())
                    if optimizer.use_ema:
                        averages[name].append(
                            optimizer._model_variables_moving_average[index].numpy().copy())
            group = file.create_group(case)
            training.write_settings(group, optimizer)
            for name in variables:
                group[name] = np.stack(history[name])
                if optimizer.use_ema:
                    group[f"{name}_average"] = np.stack(averages[name])


def write_focal():
    generator = np.random.default_rng(22)
    with training.create("focal.h5") as file:
        for name, width, gamma, alpha, smoothing in [
            ("binary", 1, 2.0, 0.25, 0.0), ("binary_smooth", 1, 1.5, 0.25, 0.2),
            ("categorical", 5, 2.0, 0.25, 0.0), ("categorical_smooth", 4, 3.0, 0.5, 0.1),
        ]:
            if width == 1:
                loss = keras.losses.BinaryFocalCrossentropy(
                    gamma=gamma, from_logits=True, label_smoothing=smoothing)
            else:
                loss = keras.losses.CategoricalFocalCrossentropy(
                    gamma=gamma, alpha=alpha, from_logits=True, label_smoothing=smoothing)
            logits = tf.Variable(generator.normal(0, 2, (12, width)).astype(np.float32))
            labels = generator.integers(0, max(width, 2), 12)
            with tf.GradientTape() as tape:
                value = loss(training.targets(labels, width), logits)
            group = file.create_group(name)
            for key, number in [("gamma", gamma), ("alpha", alpha), ("smoothing", smoothing)]:
                group.attrs[key] = np.float64(number)
            group["logits"] = logits.numpy()
            group["labels"] = labels.astype(np.int32)
            group["loss"] = np.array([value.numpy()], np.float32)
            group["logits_gradient"] = tape.gradient(value, logits).numpy()


ONE_CYCLE = """
import json, sys, torch
rate, total, rise = float(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])
optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=1.0)
schedule = torch.optim.lr_scheduler.OneCycleLR(
    optimizer, max_lr=rate, total_steps=total, pct_start=rise)
rates = []
for step in range(total):
    rates.append(optimizer.param_groups[0]["lr"])
    optimizer.step()
    if step + 1 < total:
        schedule.step()
print(json.dumps(rates))
"""


def one_cycle(rate, total, rise):
    """PyTorch's rates for each of `total` steps, the highest being `rate`.

    In a process of its own: PyTorch and TensorFlow do not always live in one.
    """
    words = [sys.executable, "-c", ONE_CYCLE, str(rate), str(total), str(rise)]
    return json.loads(subprocess.run(words, check=True, capture_output=True).stdout)


def write_rates():
    schedules = keras.optimizers.schedules
    per_epoch, epochs = 10, 6
    with training.create("rates.h5") as file:
        for name, shape, rate, factor, every, warm_up in [
            ("exponential", "exponential", 0.01, 0.5, 2.0, 0.0),
            ("step", "step", 0.1, 0.1, 2.0, 0.0),
            ("one_cycle", "one-cycle", 0.2, 1.0, 1.0, 0.0),
            ("one_cycle_half", "one-cycle", 0.2, 1.0, 1.0, 3.0),
        ]:
            steps = per_epoch * epochs
            if shape == "one-cycle":
                rates = one_cycle(rate, steps, warm_up / epochs if warm_up else 0.3)
            else:
                schedule = schedules.ExponentialDecay(
                    rate, int(every * per_epoch), factor, staircase=shape == "step")
                rates = [float(schedule(step)) for step in range(steps)]
            group = file.create_group(name)
            group.attrs["shape"] = shape
            for key, number in [
                ("learning_rate", rate), ("factor", factor), ("every", every),
                ("warm_up_epochs", warm_up)]:
                group.attrs[key] = np.float64(number)
            group.attrs["steps_per_epoch"] = np.int32(per_epoch)
            group.attrs["epochs"] = np.int32(epochs)
            group["rates"] = np.array(rates, np.float32)


def watched(callback, values, rate):
    """Gives a callback the values of some epochs; the rate after each, and when it stopped."""
    model = keras.Sequential([keras.layers.Input((1,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(rate), loss="mse")
    callback.set_model(model)
    callback.on_train_begin()
    rates, stopped = [], 0
    for epoch, value in enumerate(values):
        # The weight tells which epoch's weights are restored.
        model.layers[0].bias.assign([epoch + 1.0])
        callback.on_epoch_end(epoch, {"loss": 1.0, "val_loss": value})
        rates.append(float(model.optimizer.learning_rate.numpy()))
        if model.stop_training:
            stopped = epoch + 1
            break
    callback.on_train_end()
    return rates, stopped, int(model.layers[0].bias.numpy()[0])


def write_watching():
    falling = [1.0, 0.8, 0.79995, 0.81, 0.7, 0.72, 0.71, 0.7, 0.69, 0.75, 0.75, 0.75, 0.75, 0.75]
    flat = [0.5] * 12
    late = [1.0, 0.9, 0.8, 0.7, 0.6, 0.65, 0.66]
    plateau, stopping = keras.callbacks.ReduceLROnPlateau, keras.callbacks.EarlyStopping
    with training.create("watching.h5") as file:
        for name, values, settings in [
            ("plateau", falling, dict(factor=0.5, patience=2)),
            ("plateau_cooldown", flat, dict(factor=0.1, patience=2, cooldown=2, min_lr=1e-4)),
            ("plateau_delta", falling, dict(factor=0.2, patience=1, min_delta=0.05)),
        ]:
            rates, _, _ = watched(plateau(**settings), values, 0.01)
            group = file.create_group(name)
            for key in ["factor", "min_lr", "min_delta"]:
                default = {"min_lr": 0.0, "min_delta": 1e-4}.get(key)
                group.attrs[key] = np.float64(settings.get(key, default))
            for key in ["patience", "cooldown"]:
                group.attrs[key] = np.int32(settings.get(key, 0))
            group["values"] = np.array(values)
            group["rates"] = np.array(rates, np.float32)
        for name, values, settings in [
            ("stopping", falling, dict(patience=3)),
            ("stopping_delta", falling, dict(patience=2, min_delta=0.15)),
            ("stopping_never", late, dict(patience=3)),
            ("stopping_at_once", flat, dict(patience=0)),
        ]:
            callback = stopping(restore_best_weights=True, **settings)
            _, stopped, best = watched(callback, values, 0.01)
            group = file.create_group(name)
            group.attrs["patience"] = np.int32(settings["patience"])
            group.attrs["min_delta"] = np.float64(settings.get("min_delta", 0.0))
            group.attrs["stopped"] = np.int32(stopped)
            group.attrs["best"] = np.int32(best)
            group["values"] = np.array(values)


def write_class_weights():
    generator = np.random.default_rng(23)
    labels = np.repeat([0, 1, 2], [9, 2, 4])
    generator.shuffle(labels)
    weights = sklearn.utils.class_weight.compute_class_weight(
        "balanced", classes=np.arange(3), y=labels)
    logits = tf.Variable(generator.normal(0, 2, (15, 3)).astype(np.float32))
    loss = keras.losses.CategoricalCrossentropy(from_logits=True)
    with tf.GradientTape() as tape:
        value = loss(
            training.targets(labels, 3), logits, sample_weight=weights[labels].astype(np.float32))
    with training.create("class_weights.h5") as file:
        file["labels"] = labels.astype(np.int32)
        file["balanced"] = weights
        file["logits"] = logits.numpy()
        file["loss"] = np.array([value.numpy()], np.float32)
        file["logits_gradient"] = tape.gradient(value, logits).numpy()


def write_head_regularized():
    generator = np.random.default_rng(24)
    labels = generator.integers(0, 2, 40)
    features = np.maximum(generator.standard_normal((40, 32)), 0)
    features[np.arange(40), labels] += 2
    features = features.astype(np.float32)
    regularizer = keras.regularizers.L2(0.01)
    model = keras.Sequential([
        keras.layers.Input((32,)),
        keras.layers.Dense(16, activation="relu", name="dense", kernel_regularizer=regularizer),
        keras.layers.Dense(1, activation="sigmoid", name="dense_1", kernel_regularizer=regularizer),
    ])
    tiny_vgg.set_tensors(model)
    optimizer = keras.optimizers.RMSprop(
        1e-3, weight_decay=0.05, global_clipnorm=0.3, use_ema=True, ema_momentum=0.8)
    model.compile(optimizer, loss=keras.losses.BinaryCrossentropy(label_smoothing=0.1))
    weights = {0: 0.5, 1: 2.0}
    with training.create("head_regularized.h5") as file:
        training.write_settings(file, optimizer)
        file.attrs["batch_size"] = np.int32(8)
        file["features"] = features
        file["labels"] = labels.astype(np.int32)
        for name, tensor in training.trained_tensors(model).items():
            file[f"initial/{name}"] = tensor
        losses = []
        for step in range(training.STEPS):
            rows = [(step * 8 + index) % 40 for index in range(8)]
            model.reset_metrics()
            result = model.train_on_batch(
                features[rows], training.targets(labels[rows], 1), class_weight=weights,
                return_dict=True)
            losses.append(float(result["loss"]))
        file["losses"] = np.array(losses, np.float32)
        for name, tensor in training.trained_tensors(model).items():
            file[f"final/{name}"] = tensor
        optimizer.finalize_variable_values(model.trainable_variables)
        for name, tensor in training.trained_tensors(model).items():
            file[f"average/{name}"] = tensor


if __name__ == "__main__":
    write_gradients()
    write_focal()
    write_rates()
    write_watching()
    write_class_weights()
    write_head_regularized()
