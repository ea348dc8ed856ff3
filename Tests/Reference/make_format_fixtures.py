"""Writes files of many formats with one small model into Tests/WeightsTests/Fixtures/Formats.

The model is the same in all of them: a functional base with two convolutions and a batch
normalisation, nested in a Sequential with two dense layers. `expected.h5` holds an input and what
the model and its base make of it, by Keras 3.

TensorFlow 2.12 and 2.13 wrote another layout of `.weights.h5`, which only they write; the files
named after them are made by running the same script with them:
    python Tests/Reference/make_format_fixtures.py                     # Keras 3, h5py, safetensors
    /path/to/tf2.13/bin/python Tests/Reference/make_format_fixtures.py # with tensorflow-cpu 2.13.1
    /path/to/tf2.12/bin/python Tests/Reference/make_format_fixtures.py # with tensorflow-cpu 2.12.1

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, ml_dtypes 0.6.0, numpy 2.4.6.
"""

import os
import pathlib
import zipfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import numpy as np
import tensorflow as tf

keras = tf.keras
FIXTURES = pathlib.Path(__file__).resolve().parents[1] / "WeightsTests" / "Fixtures" / "Formats"


def model():
    """Layers of one class on two branches, so that counters and creation order differ."""
    layers = keras.layers
    image = keras.Input((12, 12, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="stem")(image)
    left = layers.Conv2D(5, 3, padding="same", name="left")(x)
    left = layers.BatchNormalization(name="left_bn")(left)
    right = layers.Conv2D(5, 1, name="right")(x)
    x = layers.Add(name="sum")([left, right])
    base = keras.Model(image, layers.MaxPooling2D(name="pool")(x), name="base")
    return keras.Sequential([
        keras.Input((12, 12, 3)), base, layers.Flatten(name="flatten"),
        layers.Dense(6, activation="relu", name="hidden"), layers.Dropout(0.5, name="dropout"),
        layers.Dense(3, activation="softmax", name="out"),
    ], name="whole")


def fill(network):
    """The same numbers whichever version draws them: none that rounding to bfloat16 changes."""
    random = np.random.default_rng(7)
    for weight in sorted(all_weights(network), key=lambda pair: pair[0]):
        name, variable = weight
        values = random.integers(-64, 65, variable.shape) / 128
        if name.endswith("variance") or name.endswith("gamma"):
            values = np.abs(values) + 0.5
        variable.assign(values.astype(np.float32))


def all_weights(network):
    for layer in network.layers:
        if hasattr(layer, "layers"):
            yield from all_weights(layer)
        else:
            for weight in layer.weights:
                short = weight.name.split("/")[-1].split(":")[0]
                yield f"{layer.name}/{short}", weight


def write_expected(network):
    x = np.random.default_rng(1).standard_normal((2, 12, 12, 3)).astype(np.float32)
    with h5py.File(FIXTURES / "expected.h5", "w") as file:
        file["input"] = x
        file["base"] = network.get_layer("base").predict(x, verbose=0)
        file["whole"] = network.predict(x, verbose=0)
        for name, weight in all_weights(network):
            file[f"weights/{name}"] = weight.numpy()


def nameless(source, target):
    """A `.weights.h5` as Keras 3.0 to 3.4 wrote it: without names."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        for name in old:
            old.copy(name, new)
        new.visititems(lambda _, item: item.attrs.pop("name", None))


def rewrite(source, target, change):
    """The archive `source` with other members."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        members = [(i.filename, old.read(i)) for i in old.infolist()]
        for name, data in change(members):
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            new.writestr(info, data, zipfile.ZIP_DEFLATED if len(data) > 1 << 20 else None)


def converted(source, target, convert):
    """The same `.weights.h5` with every tensor of layers stored as another type."""
    with h5py.File(source) as old, h5py.File(target, "w") as new:
        def visit(name, item):
            if isinstance(item, h5py.Group):
                group = new.require_group(name)
                group.attrs.update(item.attrs)
            else:
                convert(new, name, item[()])
        old.visititems(visit)


def write_types(weights):
    import ml_dtypes

    def as_type(kind):
        def convert(file, name, value):
            data = file.create_dataset(name, data=value.astype(kind))
            if kind is ml_dtypes.bfloat16:
                data.attrs["dtype"] = "bfloat16"
        return convert

    for name, kind in [
        ("float16", np.float16), ("float64", np.float64), ("bfloat16", ml_dtypes.bfloat16)]:
        converted(weights, FIXTURES / f"{name}.weights.h5", as_type(kind))


def write_links(weights):
    """Files that want something from another place; names say what."""
    place = "layers/functional/layers/conv2d/vars/0"

    def variant(name, link):
        target = FIXTURES / f"{name}.weights.h5"
        target.write_bytes(weights.read_bytes())
        with h5py.File(target, "a") as file:
            value = file[place][()]
            del file[place]
            link(file, value)

    def soft(file, value):
        file["elsewhere"] = value
        file[place] = h5py.SoftLink("/elsewhere")

    def external(file, value):
        file[place] = h5py.ExternalLink("other.h5", "/x")

    def storage(file, value):
        file.create_dataset(
            place, value.shape, value.dtype, external=[("other.bin", 0, value.nbytes)])

    def virtual(file, value):
        layout = h5py.VirtualLayout(value.shape, value.dtype)
        layout[...] = h5py.VirtualSource("other.h5", "x", value.shape, value.dtype)
        file.create_virtual_dataset(place, layout)

    def absurd(file, value):
        file.create_dataset(place, (1 << 20, 1 << 20), np.float32, chunks=(1024, 1024))

    for link in [soft, external, storage, virtual, absurd]:
        variant(f"wrong_{link.__name__}", link)


def write_crash(weights):
    """A file on which libhdf5 1.10 crashes: the first string of its heap claims 50 MB."""
    data = bytearray(weights.read_bytes())
    size = data.index(b"GCOL") + 16 + 8
    data[size:size + 8] = (50_000_000).to_bytes(8, "little")
    (FIXTURES / "wrong_crash.weights.h5").write_bytes(data)


def write_keras3(network):
    archive, weights = FIXTURES / "keras3.keras", FIXTURES / "keras3.weights.h5"
    network.save(archive)
    network.save_weights(weights)
    nameless(weights, FIXTURES / "nameless.weights.h5")

    def without_names(members):
        for name, data in members:
            if name.endswith(".h5"):
                path = FIXTURES / "nameless.weights.h5"
                data = path.read_bytes()
            yield name, data

    rewrite(archive, FIXTURES / "nameless.keras", without_names)
    rewrite(archive, FIXTURES / "wrong_missing.keras",
            lambda members: [m for m in members if m[0] != "model.weights.h5"])
    rewrite(archive, FIXTURES / "wrong_doubled.keras",
            lambda members: members + [m for m in members if m[0] == "config.json"])
    rewrite(archive, FIXTURES / "wrong_npz.keras",
            lambda members: [(n.replace(".h5", ".npz"), d) for n, d in members])
    rewrite(archive, FIXTURES / "wrong_json.keras",
            lambda members: [(n, b"{" if n == "config.json" else d) for n, d in members])
    rewrite(archive, FIXTURES / "wrong_bomb.keras",
            lambda members: [
                (n, bytes(80 << 20) if n.endswith(".h5") else d) for n, d in members])
    write_types(weights)
    write_links(weights)
    write_crash(weights)


if __name__ == "__main__":
    FIXTURES.mkdir(parents=True, exist_ok=True)
    network = model()
    fill(network)
    if tf.__version__.startswith("2.12"):
        network.save_weights(FIXTURES / "tensorflow212.weights.h5")
    elif tf.__version__.startswith("2.13"):
        network.save(FIXTURES / "tensorflow213.keras")
    else:
        write_expected(network)
        write_keras3(network)
