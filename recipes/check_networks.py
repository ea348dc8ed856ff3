"""The part of `check-networks` that builds Keras's networks, lets tl read them and compares."""

import argparse
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
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format

import history_networks

OUTPUTS, GRADIENTS, SEEDS = 1e-4, 1e-3, 12
applications = keras.applications

MEANS = np.float32([103.939, 116.779, 123.68])
PREPROCESSING = {
    "caffe": lambda x: x[..., ::-1] - MEANS,
    "tf": lambda x: x / np.float32(127.5) - 1,
    "torch": lambda x: (x / np.float32(255) - np.float32([0.485, 0.456, 0.406]))
    / np.float32([0.229, 0.224, 0.225]),
    "rescale": lambda x: x / np.float32(255),
}


def blocks(stage, count):
    return [f"conv{stage}_block{count}_out"]


def resnet(depths, *ends):
    return [name for stage, depth in enumerate(depths, start=2) for name in blocks(stage, depth)] \
        + list(ends)


def dense(depths):
    names = ["pool1"]
    for block, depth in enumerate(depths, start=2):
        names += [f"conv{block}_block{depth}_concat"]
        names += [f"pool{block}_pool"] if block < 5 else ["relu"]
    return names


# Each network: how Keras builds it, the size of its pictures, their preprocessing, the layers that
# are compared, and what is unfrozen for gradients.
MOBILE = [f"conv_pw_{block}_relu" for block in (1, 3, 5, 7, 9, 11, 13)]
MOBILE2 = ["Conv1_relu", "expanded_conv_project_BN"] + [
    f"block_{block}_{'add' if block in (2, 4, 5, 7, 8, 9, 11, 12, 14, 15) else 'project_BN'}"
    for block in range(1, 17)] + ["out_relu"]
SQUEEZE = ["pool1"] + [f"fire{number}_concat" for number in range(2, 10)]
GOOGLE = ["pool1_norm1", "conv2_norm2"] + [
    f"inception_{name}_output" for name in "3a 3b 4a 4b 4c 4d 4e 5a 5b".split()]
NETWORKS = {
    "vgg16": (applications.VGG16, 224, "caffe",
              [f"block{block}_pool" for block in range(1, 6)], "block4,block5"),
    "vgg19": (applications.VGG19, 224, "caffe",
              [f"block{block}_pool" for block in range(1, 6)], "block4,block5"),
    "resnet50": (applications.ResNet50, 224, "caffe", resnet((3, 4, 6, 3)), "conv4,conv5"),
    "resnet101": (applications.ResNet101, 224, "caffe", resnet((3, 4, 23, 3)), "conv4,conv5"),
    "resnet152": (applications.ResNet152, 224, "caffe", resnet((3, 8, 36, 3)), "conv4,conv5"),
    "resnet50v2": (applications.ResNet50V2, 224, "tf", resnet((3, 4, 6, 3), "post_relu"),
                   "conv4,conv5"),
    "resnet101v2": (applications.ResNet101V2, 224, "tf", resnet((3, 4, 23, 3), "post_relu"),
                    "conv4,conv5"),
    "resnet152v2": (applications.ResNet152V2, 224, "tf", resnet((3, 8, 36, 3), "post_relu"),
                    "conv4,conv5"),
    "densenet121": (applications.DenseNet121, 224, "torch", dense((6, 12, 24, 16)),
                    "conv4,conv5"),
    "densenet169": (applications.DenseNet169, 224, "torch", dense((6, 12, 32, 32)),
                    "conv4,conv5"),
    "densenet201": (applications.DenseNet201, 224, "torch", dense((6, 12, 48, 32)),
                    "conv4,conv5"),
    "inception_v3": (applications.InceptionV3, 299, "tf",
                     [f"mixed{number}" for number in range(11)], "from:mixed6"),
    "xception": (applications.Xception, 299, "tf",
                 [f"block{block}_sepconv2_bn" for block in range(2, 14)]
                 + ["block14_sepconv2_act"], "from:block8"),
    "squeezenet": (history_networks.squeezenet, 227, "caffe", SQUEEZE, "from:fire6"),
    "alexnet": (history_networks.alexnet, 227, "caffe",
                ["norm1", "pool1", "norm2", "pool2", "conv3", "conv4", "pool5", "fc6", "fc7"],
                "from:conv3"),
    "googlenet": (history_networks.googlenet, 224, "caffe", GOOGLE, "from:inception_4c"),
    "lenet-5": (history_networks.lenet, 32, "rescale", ["c1", "s2", "c3", "s4", "c5", "f6"],
                "from:c3"),
} | {
    "mobilenet" if alpha == 1 else f"mobilenet-{alpha}": (
        lambda alpha=alpha, **more: applications.MobileNet(alpha=alpha, **more), 224, "tf",
        MOBILE, "from:conv_dw_7")
    for alpha in (0.25, 0.5, 0.75, 1)
} | {
    "mobilenet_v2" if alpha == 1 else f"mobilenet_v2-{alpha}": (
        lambda alpha=alpha, **more: applications.MobileNetV2(alpha=alpha, **more), 224, "tf",
        MOBILE2, "from:block_8")
    for alpha in (0.35, 0.5, 0.75, 1, 1.3, 1.4)
}
# Known by name and built by others too, in the layout of Keras 2.
KERAS2 = {
    "resnet50": "ResNet50", "resnet50v2": "ResNet50V2", "densenet121": "DenseNet121",
    "mobilenet": "MobileNet", "mobilenet_v2": "MobileNetV2", "inception_v3": "InceptionV3",
    "xception": "Xception",
}


def arguments():
    parser = argparse.ArgumentParser(
        prog="check-networks", description="Compare every network that tl knows by name with Keras.")
    parser.add_argument("photo", type=pathlib.Path, help="a photo")
    parser.add_argument("names", nargs="*", help=f"which networks; all: {', '.join(NETWORKS)}")
    parser.add_argument("--formats", default="h5,keras2,model-h5,keras,weights-h5,nameless",
                        help="what is written and read: some of h5 (weights in the layout of Keras "
                        "2, written by Keras 3), keras2 (written by Keras 2), model-h5, keras, "
                        "weights-h5, nameless (the same as older versions of Keras 3 write it; all)")
    parser.add_argument("--bench", type=pathlib.Path, help="the program (.build/release/tl-bench)")
    options = parser.parse_args()
    unknown = [name for name in options.names if name not in NETWORKS]
    if unknown:
        parser.error(f"no networks are called {', '.join(unknown)}")
    return options


def is_added(layer):
    """Whether what leaves the layer goes into a sum, and only then into a ReLU."""
    return any(isinstance(node.operation, keras.layers.Add) for node in layer._outbound_nodes)


def signs(generator, shape, is_positive=False):
    """3 for most channels and -3 for others.

    Numbers that are spread by 1 around those lie on both sides of the kinks of ReLU and ReLU6, and
    few lie near one, where gradients are torn.
    """
    return np.where(is_positive | (generator.uniform(size=shape) < 0.8), 3, -3)


def fill(model):
    """Random tensors, statistics too, that keep what flows through the network near one."""
    for place, layer in enumerate(model.layers):
        generator = np.random.default_rng(place)
        values = []
        for variable in layer.weights:
            shape, name = tuple(variable.shape), variable.name
            value = generator.standard_normal(shape)
            if "kernel" in name:
                inputs = np.prod(shape[:-2]) if "depthwise" in name else np.prod(shape[:-1])
                value *= np.sqrt(2 / inputs)
            elif name == "gamma":
                value = 1 + 0.2 * value
            elif name == "beta":
                value = 0.2 * value + signs(generator, shape, is_added(layer))
            elif name == "moving_variance":
                value = 0.5 + generator.uniform(size=shape)
            else:
                value *= 0.2
            values.append(value.astype(np.float32))
        if values:
            layer.set_weights(values)


def settle(model, x, seed):
    """Scales what is in the network so that nothing explodes or dies on the photo.

    Normalisations get statistics near those of what they see, with noise; where there are none,
    kernels and biases do the same.
    """
    has_statistics = any(isinstance(layer, keras.layers.BatchNormalization)
                         for layer in model.layers)
    generator = np.random.default_rng(seed)
    values = {id(model.inputs[0]): tf.constant(x)}
    for layer in model.layers:
        if isinstance(layer, keras.layers.InputLayer):
            continue
        inputs = [values[id(tensor)] for tensor in layer._inbound_nodes[0].input_tensors]
        inputs = inputs if len(inputs) > 1 else inputs[0]
        weights = layer.get_weights()
        if isinstance(layer, keras.layers.BatchNormalization):
            axes = tuple(range(inputs.ndim - 1))
            mean, variance = inputs.numpy().mean(axes), inputs.numpy().var(axes)
            noise = generator.standard_normal(mean.shape)
            weights[-2] = mean + 0.3 * (np.sqrt(variance) + 1e-3) * noise
            weights[-1] = (variance + 1e-3) * generator.uniform(0.5, 1.5, mean.shape)
            layer.set_weights(weights)
        elif weights and not has_statistics and layer is not model.layers[-1]:
            activation, layer.activation = layer.activation, keras.activations.linear
            output = layer(inputs).numpy() - weights[1]
            layer.activation = activation
            if activation is keras.activations.relu and output.ndim == 4:
                axes = tuple(range(output.ndim - 1))
                spread = np.maximum(output.std(axes), 1e-3)
                layer.set_weights([
                    weights[0] / spread, weights[1] - output.mean(axes) / spread
                    + signs(generator, spread.shape)])
            else:
                size = max(np.sqrt((output ** 2).mean()), 1e-3)
                layer.set_weights([weights[0] / size, weights[1]])
        values[id(layer._inbound_nodes[0].output_tensors[0])] = layer(inputs)


def write(format, name, model, folder):
    """Writes the model and returns the file and how tl is to read it, or None."""
    if format == "h5":
        path = folder / "weights.h5"
        with h5py.File(path, "w") as file:
            legacy_h5_format.save_weights_to_hdf5_group(file, model)
        return path, "--base"
    if format == "keras2":
        if name not in KERAS2:
            return None
        import tf_keras
        twin = getattr(tf_keras.applications, KERAS2[name])(weights=None)
        theirs = [layer for layer in twin.layers if layer.weights]
        ours = [layer for layer in model.layers if layer.weights]
        for left, right in zip(theirs, ours, strict=True):
            left.set_weights(right.get_weights())
        path = folder / "keras2.h5"
        twin.save_weights(path)
        return path, "--base"
    if format == "model-h5":
        path = folder / "model.h5"
        model.save(path)
        return path, "--model"
    if format == "keras":
        path = folder / "model.keras"
        model.save(path)
        return path, "--model"
    if format == "nameless" and name == "lenet-5":
        # The shapes of two convolutions are no proof of LeNet's functions: tl refuses.
        return None
    path = folder / "model.weights.h5"
    model.save_weights(path)
    if format == "nameless":
        with h5py.File(path, "r+") as file:
            file.visititems(lambda _, group: group.attrs.pop("name", None) and None)
    return path, "--base"


def gradients(model, x, upstream, layers):
    """Keras's gradients of sum(upstream * logits) by layer and parameter."""
    last = model.layers[-1]
    activation, last.activation = last.activation, keras.activations.linear
    chosen = [layer for layer in model.layers if layer.name in layers]
    variables = [(layer, v) for layer in chosen for v in layer.weights if v.trainable]
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(x, training=False) * upstream)
    found = tape.gradient(total, [v.value for _, v in variables])
    last.activation = activation
    return {f"{layer.name}/{v.name}": g.numpy() for (layer, v), g in zip(variables, found)}


def difference(found, expected):
    """The largest difference, of the largest number of the tensor; infinite for another shape."""
    if found.shape != expected.shape or not np.isfinite(found).all():
        return np.inf
    return float(np.abs(found - expected).max() / max(np.abs(expected).max(), 1e-30))


def renamed(name, names):
    """The name that a file with other numbers has for a layer of this one."""
    return names.get(name, name)


def probe(options, path, how, folder, stages, more):
    result = folder / "found.h5"
    command = [str(options.bench), "probe", how, str(path), "--input", str(folder / "input.h5"),
               "--output", str(result), "--layers", ",".join(stages), *more]
    run = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if run.returncode != 0:
        print("    " + run.stdout.strip())
        return None, None
    return result, run.stdout


class Row:
    """What was compared of one network in one format."""

    def __init__(self):
        self.stages, self.end, self.gradients = 0.0, 0.0, 0.0
        self.tensors = self.parameters = 0
        self.worst = self.stage = ""

    @property
    def has_outputs(self):
        return self.stages <= OUTPUTS and self.end <= OUTPUTS

    @property
    def is_good(self):
        return self.has_outputs and self.gradients <= GRADIENTS

    @property
    def text(self):
        worst = "" if self.is_good else f": {self.stage}, {self.worst}"
        return (f"{self.parameters:>11,}  stages {self.stages:.1e}  end {self.end:.1e}  "
                f"{self.tensors:>3} gradients {self.gradients:.1e}  "
                f"{'good' if self.is_good else 'BAD'}{worst}")


def compare(result, expected, wanted, names):
    row = Row()
    with h5py.File(result, "r") as file:
        ends = list(expected)
        for kind in ("outputs", "forward"):
            for layer, value in expected.items():
                found = difference(file[kind][renamed(layer, names)][()], value)
                if layer == ends[-1]:
                    row.end = max(row.end, found)
                elif found > row.stages:
                    row.stages, row.stage = found, layer
        for key, value in wanted.items():
            layer, parameter = key.split("/")
            group = file.get(f"gradients/{renamed(layer, names)}", {})
            # Keras 3 calls the kernel of a depthwise convolution like any other.
            place = parameter if parameter in group else f"depthwise_{parameter}"
            found = difference(group[place][()], value) if place in group else np.inf
            if found > row.gradients:
                row.gradients, row.worst = found, key
        row.tensors = sum(len(group) for group in file["gradients"].values())
        if row.tensors != len(wanted):
            row.gradients, row.worst = np.inf, f"{row.tensors} of {len(wanted)} tensors"
    return row


def ranked(names, stem):
    """The names that Keras made of a class by counting, in the order of the numbers."""
    return sorted((n for n in names if n == stem
                   or n.startswith(stem + "_") and n[len(stem) + 1:].isdigit()),
                  key=lambda n: int(n[len(stem) + 1:] or 0))


def names_in_tl(path, format, model):
    """What tl calls the layers that Keras only numbers: as the file does, or from 0 without names."""
    theirs = [layer.name for layer in model.layers]
    if format in ("h5", "keras2"):
        with h5py.File(path, "r") as file:
            theirs = [n.decode() if isinstance(n, bytes) else n for n in file.attrs["layer_names"]]
    names = {}
    for stem in ("conv2d", "batch_normalization"):
        ours = ranked([layer.name for layer in model.layers], stem)
        found = ranked(theirs, stem)
        if format == "nameless":
            found = [f"{stem}_{rank}" if rank else stem for rank in range(len(ours))]
        names |= dict(zip(ours, found))
    return names


def check(options, name, photo, folder):
    """Whether tl and Keras agree.

    A ReLU whose input is next to zero falls on one side in Keras and on the other in tl, and then
    their gradients truly differ. So where only gradients do, other statistics are tried.
    """
    formats = options.formats.split(",")
    for seed in range(1, 1 + SEEDS):
        rows = compare_all(options, name, photo, folder, seed, formats[:1])
        first = rows.get(formats[0])
        if not first or first.is_good or not first.has_outputs:
            break
    rows |= compare_all(options, name, photo, folder, seed, formats[1:])
    for format, row in rows.items():
        print(f"{name:18} {format:10}  " + (row.text if row else "tl could not read it")
              + (f"  (seed {seed})" if seed > 1 else ""), flush=True)
    return all(row and row.is_good for row in rows.values())


def compare_all(options, name, photo, folder, seed, formats):
    """What was compared of a network in each format, None where tl could not read it."""
    build, size, mode, stages, unfreeze = NETWORKS[name]
    model = build(weights=None)
    picture = keras.utils.img_to_array(
        keras.utils.load_img(photo, target_size=(size, size), interpolation="bilinear"))
    x = PREPROCESSING[mode](picture[None])
    fill(model)
    settle(model, x, seed)
    generator = np.random.default_rng(100 + seed)
    upstream = generator.standard_normal(model.output_shape[1:])[None].astype(np.float32)
    with h5py.File(folder / "input.h5", "w") as file:
        file["input"], file["upstream"] = x, upstream
    end = model.layers[-1].name
    outputs = keras.Model(
        model.inputs, [model.get_layer(stage).output for stage in stages] + model.outputs)(
            [x], training=False)
    expected = dict(zip([*stages, end], (output.numpy() for output in outputs)))
    flat = [key for key, value in expected.items() if np.abs(value).max() > 1e4
            or not np.isfinite(value).all()]
    if flat:
        sys.exit(f"check-networks: {name} is not sane after {flat}")
    rows, wanted = {}, None
    for format in formats:
        written = write(format, name, model, folder)
        if written is None:
            continue
        path, how = written
        more = ["--forward", "--unfreeze", unfreeze] + (["--end", end] if how == "--base" else [])
        result, text = probe(options, path, how, folder, [*stages, end], more)
        if result is None:
            rows[format] = None
            continue
        names = names_in_tl(path, format, model)
        if wanted is None:
            back = {there: layer for layer, there in names.items()}
            with h5py.File(result, "r") as file:
                wanted = gradients(
                    model, x, upstream, {back.get(layer, layer) for layer in file["gradients"]})
        rows[format] = compare(result, expected, wanted, names)
        rows[format].parameters = model.count_params()
        path.unlink()
    return rows


def main():
    options = arguments()
    print(f"keras {keras.__version__}, random weights and statistics; differences are of the "
          f"largest number of each tensor: {OUTPUTS} allowed after every stage and at the end, "
          f"{GRADIENTS} for gradients")
    failed = []
    for name in options.names or NETWORKS:
        keras.backend.clear_session()
        if name in ("inception_v3", "xception"):
            # Numbers of nameless layers start anywhere.
            keras.layers.Conv2D(1, 1), keras.layers.BatchNormalization()
        with tempfile.TemporaryDirectory(prefix="tl-networks-") as folder:
            if not check(options, name, options.photo, pathlib.Path(folder)):
                failed.append(name)
    if failed:
        sys.exit(f"check-networks: these differ: {', '.join(failed)}")
    print("tl agrees with Keras")


if __name__ == "__main__":
    main()
