"""Writes Tests/WeightsTests/Fixtures/vgg16_synthetic_expected.h5.

It holds what the real VGG16 makes of one synthetic 32x32 picture: `input` [1, 32, 32, 3] (the
picture after caffe preprocessing) and the whole `outputs/<pool>` of the five pools. The weights are
`vgg16_notop.h5` of the folder `weights` in TL_SHARED, set by layer name. Keras computes in float64,
so that the outputs, stored as float32, have no rounding of their own.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    TL_SHARED=... python Tests/Reference/make_vgg16_golden.py
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

GOLDEN = (
    pathlib.Path(__file__).resolve().parents[1]
    / "WeightsTests" / "Fixtures" / "vgg16_synthetic_expected.h5"
)
MEANS = [103.939, 116.779, 123.68]


def picture():
    """The picture [1, 32, 32, 3] as it is after caffe preprocessing.

    Blue, green and red at row y and column x are 96 + p / 16, 109 + q / 16 and 116 + r / 16,
    rounded down, with p, q, r = (7y + 11x) % 256, (y * x) % 256, (255 - 5y + 3x) % 256; from them
    the caffe means are taken. The contrast is low because with the full range the last digits of
    float32 in blocks 2 and 3 are worth more than a tolerance of 1e-4 where a sum nearly cancels.
    The last 21 rows are even, so that the file stays small.
    """
    y, x = np.mgrid[0:32, 0:32]
    bgr = np.stack([(7 * y + 11 * x) % 256, (y * x) % 256, (255 - 5 * y + 3 * x) % 256], axis=-1)
    bgr[11:] = 128
    bgr = bgr // 16 + [96, 109, 116]
    return (bgr - np.array(MEANS)).astype(np.float32)[None]


def real_vgg16():
    """Keras's VGG16 without top, with the tensors of the file set by layer name."""
    model = keras.applications.VGG16(weights=None, include_top=False, input_shape=(32, 32, 3))
    path = pathlib.Path(os.environ["TL_SHARED"]) / "weights" / "vgg16_notop.h5"
    with h5py.File(path, "r") as file:
        for layer in model.layers:
            if layer.weights:
                group = file[layer.name]
                layer.set_weights([group[name][()] for name in group.attrs["weight_names"]])
    return model


def write(file, name, data):
    """Writes `data` compressed in one chunk, or as it is where the index of chunks costs more."""
    if data.nbytes < 10_000:
        file[name] = data
    else:
        file.create_dataset(
            name, data=data, chunks=data.shape, compression="gzip", compression_opts=9,
            shuffle=True)


if __name__ == "__main__":
    keras.config.set_dtype_policy("float64")
    model = real_vgg16()
    pools = [layer for layer in model.layers if layer.name.endswith("_pool")]
    outputs = keras.Model(model.input, [pool.output for pool in pools])
    x = picture()
    with h5py.File(GOLDEN, "w") as file:
        file.attrs["keras_version"] = keras.__version__
        write(file, "input", x)
        for pool, output in zip(pools, outputs.predict(x.astype(np.float64), verbose=0)):
            assert output.dtype == np.float64
            write(file, f"outputs/{pool.name}", output.astype(np.float32))
