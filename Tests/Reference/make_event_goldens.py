"""Makes the goldens of TensorBoardTests: event files of Keras's TensorBoard callback.

Versions: Python 3.11, TensorFlow 2.21, Keras 3.15, tensorboard 2.21, numpy 2.4.
Run from anywhere: python make_event_goldens.py

TensorBoardTests/Goldens/
train.tfevents, validation.tfevents  what the callback writes for a model of one weight, 3 epochs
scalars.json                         the same as tensorboard's own reader gives it: for each file a
                                     list of [tag, step, value, wall time] in the order of the file
"""

import json
import os
import pathlib
import shutil
import tempfile

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = ""

import keras
import numpy as np
from tensorboard.backend.event_processing.event_file_loader import EventFileLoader
from tensorboard.util import tensor_util

goldens = pathlib.Path(__file__).parent.parent / "TensorBoardTests/Goldens"
goldens.mkdir(exist_ok=True)

keras.utils.set_random_seed(1)
model = keras.Sequential([keras.Input([1]), keras.layers.Dense(1, activation="sigmoid")])
model.compile(keras.optimizers.RMSprop(0.01), "binary_crossentropy", metrics=["accuracy"])
x = np.linspace(-1, 1, 16, dtype="float32")[:, None]
y = (x > 0.2).astype("float32")
found = {}
with tempfile.TemporaryDirectory() as folder:
    model.fit(
        x, y, epochs=3, validation_data=(x[::2], y[::2]), verbose=0,
        callbacks=[keras.callbacks.TensorBoard(folder, write_graph=False)])
    for split in ["train", "validation"]:
        (file,) = pathlib.Path(folder, split).glob("events.out.tfevents.*")
        shutil.copy(file, goldens / f"{split}.tfevents")
        found[split] = [
            [value.tag, event.step, float(tensor_util.make_ndarray(value.tensor)), event.wall_time]
            for event in EventFileLoader(str(file)).Load()
            for value in event.summary.value]
(goldens / "scalars.json").write_text(json.dumps(found, indent=1) + "\n")
