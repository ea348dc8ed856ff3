"""The part of `check-torch` that runs tl and PyTorch on the same photo and compares them."""

import argparse
import pathlib
import subprocess
import sys
import tempfile

import h5py
import numpy as np
import torch
import torchvision
from PIL import Image
from safetensors.torch import save_file

RELATIVE = 1e-4
SIZE = 224
LAYERS = {
    "resnet50": {
        "maxpool": "maxpool", "layer1.2.relu": "layer1", "layer2.3.relu": "layer2",
        "layer3.5.relu": "layer3", "layer4.2.relu": "layer4", "fc": "fc"},
    "vgg16": {
        "features.4": "features.4", "features.9": "features.9", "features.16": "features.16",
        "features.23": "features.23", "features.30": "features.30",
        "classifier.0": "classifier.1", "classifier.6": "classifier.6"},
}


def fill(network):
    """Random weights of a sensible size, and random statistics."""
    torch.manual_seed(3)
    for name, tensor in network.state_dict().items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 2)
        elif name.endswith("running_mean") or name.endswith("bias"):
            tensor.normal_(0, 0.2)
        elif tensor.ndim == 1:
            tensor.uniform_(0.5, 1.5)
        else:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5)
    return network.eval()


def soften(network, x, last):
    """Makes logits of about 1, so that the probabilities are not all 0 and 1."""
    layer = network.get_submodule(last)
    with torch.no_grad():
        scale = network(x).std()
        layer.weight.div_(scale)
        layer.bias.div_(scale)
    return network


def outputs(network, x, modules):
    """What comes out of each of the modules; of the last, which is the network's, probabilities."""
    kept, hooks = {}, []
    for name in modules[:-1]:
        hooks.append(network.get_submodule(name).register_forward_hook(
            lambda _, __, output, name=name: kept.__setitem__(name, output.clone())))
    with torch.no_grad():
        kept[modules[-1]] = torch.softmax(network(x), 1)
    for hook in hooks:
        hook.remove()
    return kept


def run(tl, *arguments):
    done = subprocess.run([tl, *map(str, arguments)], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"check-torch: tl failed: {done.stderr}")


def main():
    parser = argparse.ArgumentParser(
        prog="check-torch", description="Compare tl with PyTorch on a photo.")
    parser.add_argument("photo", type=pathlib.Path, help="a photo")
    parser.add_argument("--tl", required=True, help="the program (.build/release/tl)")
    options = parser.parse_args()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        folder = pathlib.Path(folder)
        photos = folder / "photos"
        photos.mkdir()
        image = Image.open(options.photo).convert("RGB").resize((SIZE, SIZE), Image.BILINEAR)
        image.save(photos / "photo.png")
        pixels = np.asarray(image, np.float32) / np.float32(255)
        x = (pixels - np.float32([0.485, 0.456, 0.406])) / np.float32([0.229, 0.224, 0.225])
        x = torch.from_numpy(x).permute(2, 0, 1)[None]
        for name, layers in LAYERS.items():
            network = fill(getattr(torchvision.models, name)())
            soften(network, x, list(layers.values())[-1])
            weights = folder / f"{name}.safetensors"
            save_file(network.state_dict(), weights)
            kept = outputs(network, x, list(layers.values()))
            for layer, module in layers.items():
                target = folder / "features.h5"
                target.unlink(missing_ok=True)
                run(options.tl, "extract-features", photos, "--base", weights, "--layer", layer,
                    "--image-size", SIZE, "--precision", "f32", "--output", target, "--quiet")
                with h5py.File(target) as file:
                    found = file["features"][0]
                expected = kept[module][0]
                if expected.ndim == 3:
                    expected = expected.permute(1, 2, 0)
                expected = expected.numpy()
                error = np.abs(found - expected).max() / np.abs(expected).max()
                good = found.shape == expected.shape and error <= RELATIVE
                failed |= not good
                print(f"{name:9} {layer:15} {str(found.shape):18} largest difference "
                      f"{error:.1e} of the largest number{'' if good else '  TOO MUCH'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
