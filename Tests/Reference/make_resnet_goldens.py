"""Writes the tiny ResNet50 of tiny_resnet.py into Tests/TrainingTests/Goldens/resnet50_*.h5.

- resnet50_new_file.h5, resnet50_old_file.h5, resnet50_full_file.h5: the bytes of a whole file each
  as the dataset `file`, compressed, since hundreds of small tensors make large files. New and old
  are weights in the legacy layout under the names of today and of before 2018, with the top; full
  is a full model of Keras 3 without the top.
- resnet50_expected.h5: `input` [2, 64, 64, 3]; for `new` and `old` what Keras makes of it after every
  stage (`<names>/conv1_relu`, `<names>/conv2` to `conv5`) and at the end (`<names>/predictions`); and
  `gradients/<layer>/<parameter>` of all that is trained when conv5 is unfrozen, for the loss
  sum(`upstream` * logits) of one Dense layer `dense` on the mean of the last picture.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_resnet_goldens.py
"""

import os
import pathlib
import tempfile

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import h5py
import keras
import numpy as np
import tensorflow as tf
from keras.src.legacy.saving import legacy_h5_format

import tiny_resnet

GOLDENS = pathlib.Path(__file__).resolve().parents[1] / "TrainingTests" / "Goldens"
STAGES = {"conv1_relu": "conv1_relu"} | {
    f"conv{stage}": f"conv{stage}_block{depth}_out"
    for stage, depth in enumerate(tiny_resnet.DEPTHS, start=2)
}


def write_legacy(path, model):
    """A weights file in the legacy layout, as Keras 3 writes it inside a full model."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


def write_file(name, model, write):
    """Writes the bytes of the file that `write(path, model)` makes."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, f"{name}.h5")
        write(path, model)
        contents = np.frombuffer(path.read_bytes(), np.uint8)
    with h5py.File(GOLDENS / f"resnet50_{name}_file.h5", "w") as file:
        file.create_dataset(
            "file", data=contents, chunks=contents.shape, compression="gzip", compression_opts=9)


def write_stages(group, model, x):
    outputs = [model.get_layer(name).output for name in STAGES.values()] + [model.output]
    for name, output in zip([*STAGES, "predictions"], keras.Model(model.input, outputs)(x)):
        output = output.numpy()
        if output.ndim == 4:
            assert (output > 0).any(axis=(0, 1, 2)).mean() > 0.7, f"{name} is dead"
        group.create_dataset(name, data=output, compression="gzip")


def write_gradients(file, x):
    network = tiny_resnet.base()
    pooled = keras.layers.GlobalAveragePooling2D(name="global_average_pooling2d")(network.output)
    dense = keras.layers.Dense(2, name="dense")
    model = keras.Model(network.input, dense(pooled))
    generator = np.random.default_rng(9)
    upstream = generator.standard_normal((len(x), 2)).astype(np.float32)
    dense.set_weights([generator.standard_normal(w.shape).astype(np.float32) for w in dense.weights])
    for layer in model.layers:
        layer.trainable = layer.name.startswith("conv5_") or layer is dense
    with tf.GradientTape() as tape:
        total = tf.reduce_sum(model(x, training=False) * upstream)
    variables = model.trainable_variables
    gradients = tape.gradient(total, [variable.value for variable in variables])
    file["upstream"] = upstream
    file["dense/kernel"], file["dense/bias"] = dense.get_weights()
    for variable, gradient in zip(variables, gradients):
        file["gradients/" + "/".join(variable.path.split("/")[-2:])] = gradient.numpy()


if __name__ == "__main__":
    GOLDENS.mkdir(parents=True, exist_ok=True)
    tiny_resnet.check()
    x = tiny_resnet.pictures()
    new, old = tiny_resnet.base(top=True), tiny_resnet.base(old=True, top=True)
    write_file("new", new, write_legacy)
    write_file("old", old, write_legacy)
    write_file("full", tiny_resnet.base(), lambda path, model: model.save(path))
    with h5py.File(GOLDENS / "resnet50_expected.h5", "w", libver="latest") as file:
        file.create_dataset("input", data=x, compression="gzip")
        write_stages(file.create_group("new"), new, x)
        write_stages(file.create_group("old"), old, x)
        write_gradients(file, x)
