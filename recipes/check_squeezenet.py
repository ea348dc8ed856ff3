"""The part of `check-squeezenet` that trains heads with tl and with Keras."""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np

import history_networks
from check_parity import PREPROCESSING

SIZE, SEEDS, EPOCHS, BATCH, RATE, POINTS = 227, (1, 2, 3), 30, 20, 1e-4, 0.015
CLASSES = ("cats", "dogs")


def by_tl(options, folder):
    """The test accuracy of each seed."""
    def run(*words):
        done = subprocess.run([options.tl, *map(str, words)], capture_output=True, text=True)
        if done.returncode != 0:
            sys.exit(f"check-squeezenet: {done.stderr}")
        return done.stdout

    features = folder / "train.h5"
    run("extract-features", options.data / "train", "--base", options.weights, "--image-size", SIZE,
        "--pooling", "avg", "--output", features)
    accuracies = []
    for seed in SEEDS:
        head = folder / f"head{seed}.h5"
        run("train-head", features, "--hidden", 256, "--dropout", 0.5, "--epochs", EPOCHS,
            "--batch-size", BATCH, "--optimizer", "rmsprop", "--learning-rate", RATE, "--seed", seed,
            "--output", head)
        result = run("evaluate", options.data / "test", "--model", head, "--json", "--quiet")
        accuracies.append(json.loads(result)["accuracy"])
    return accuracies


def base(weights):
    network = history_networks.squeezenet(size=SIZE)
    with h5py.File(weights) as file:
        for layer in network.layers:
            if layer.weights and layer.name != "conv10":
                group = file[layer.name.replace("_", "/")]
                layer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    output = keras.layers.GlobalAveragePooling2D()(network.get_layer("fire9_concat").output)
    return keras.Model(network.inputs, output)


def seen(network, folder):
    """What the base sees of the photos in a folder, and their classes."""
    photos = [(path, label) for label, name in enumerate(CLASSES)
              for path in sorted((folder / name).iterdir())]

    def picture(path):
        return keras.utils.img_to_array(keras.utils.load_img(
            path, target_size=(SIZE, SIZE), interpolation="nearest"))

    features = [
        network.predict(PREPROCESSING["caffe"](np.stack(
            [picture(path) for path, _ in photos[start:start + 50]])), verbose=0)
        for start in range(0, len(photos), 50)]
    return np.concatenate(features), np.float32([label for _, label in photos])


def by_keras(options):
    network = base(options.weights)
    train, test = (seen(network, options.data / name) for name in ("train", "test"))
    accuracies = []
    for seed in SEEDS:
        keras.utils.set_random_seed(seed)
        head = keras.Sequential([
            keras.Input((train[0].shape[1],)), keras.layers.Dense(256, activation="relu"),
            keras.layers.Dropout(0.5), keras.layers.Dense(1, activation="sigmoid")])
        head.compile(keras.optimizers.RMSprop(RATE), "binary_crossentropy", metrics=["accuracy"])
        head.fit(*train, epochs=EPOCHS, batch_size=BATCH, verbose=0)
        accuracies.append(head.evaluate(*test, verbose=0)[1])
    return accuracies


def main():
    parser = argparse.ArgumentParser(
        prog="check-squeezenet", description="Compare heads on SqueezeNet by tl and by Keras.")
    parser.add_argument("data", type=pathlib.Path, help="folder with train and test")
    parser.add_argument("weights", type=pathlib.Path, help="the weights without top")
    parser.add_argument("--tl", required=True, help="the program (.build/release/tl)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        ours = by_tl(options, pathlib.Path(folder))
    theirs = by_keras(options)
    for name, accuracies in (("tl", ours), (f"Keras {keras.__version__}", theirs)):
        print(f"{name:13} test accuracy {' '.join(f'{a:.3f}' for a in accuracies)}, "
              f"mean {np.mean(accuracies):.4f}")
    if abs(np.mean(ours) - np.mean(theirs)) > POINTS:
        sys.exit(f"check-squeezenet: the means differ by more than {POINTS}")


if __name__ == "__main__":
    main()
