"""The part of `check-export` that opens files with Keras 2, which lives in a Python of its own."""

import json
import sys


def leaves(model, is_trainable=True, prefix=""):
    """Name and trainability of every layer with weights."""
    found = {}
    for layer in model.layers:
        inner = is_trainable and layer.trainable
        if hasattr(layer, "layers"):
            found.update(leaves(layer, inner, prefix + layer.name + "/"))
        elif layer.weights:
            found[prefix + layer.name] = bool(inner)
    return found


def answers(inputs, models, weights):
    """What each model predicts and which layers it trains; of `weights`, in the last model."""
    import keras
    import numpy as np

    x = np.load(inputs)
    yield {"version": keras.__version__}
    for path in models:
        model = keras.models.load_model(path)
        yield {"predictions": model.predict(x, verbose=0).ravel().tolist(), "leaves": leaves(model)}
    model.set_weights([np.zeros_like(w) for w in model.get_weights()])
    model.load_weights(weights)
    yield {"predictions": model.predict(x, verbose=0).ravel().tolist(), "leaves": leaves(model)}


if __name__ == "__main__":
    inputs, *models, weights = sys.argv[1:]
    for answer in answers(inputs, models, weights):
        print("answer " + json.dumps(answer), flush=True)
