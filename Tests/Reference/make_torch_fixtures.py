"""Writes narrow torchvision networks as safetensors into Tests/TrainingTests/Goldens/Torch.

Every network is torchvision's own with all channels divided by 32, random weights and random
statistics, rounded to float16, in which they are stored. `expected.h5` holds a picture and, under
the file's name, what PyTorch makes of it: the last picture, and the probabilities.

Made with Python 3.11, torch 2.15.0, torchvision 0.29.2, safetensors 0.8.0, h5py 3.14.0:
    python Tests/Reference/make_torch_fixtures.py
"""

import pathlib

import h5py
import numpy as np
import torch
import torchvision
from safetensors.torch import save_file

FOLDER = pathlib.Path(__file__).resolve().parents[1] / "TrainingTests" / "Goldens" / "Torch"
SIZE = 64


def narrow(module, factor=32):
    """The same modules with fewer channels."""
    for name, child in module.named_children():
        if isinstance(child, torch.nn.Conv2d):
            inputs = child.in_channels if child.in_channels == 3 else child.in_channels // factor
            setattr(module, name, torch.nn.Conv2d(
                inputs, child.out_channels // factor, child.kernel_size, child.stride,
                child.padding, bias=child.bias is not None))
        elif isinstance(child, torch.nn.BatchNorm2d):
            setattr(module, name, torch.nn.BatchNorm2d(child.num_features // factor))
        else:
            narrow(child, factor)


def resnet(name):
    network = getattr(torchvision.models, name)()
    narrow(network)
    network.fc = torch.nn.Linear(network.fc.in_features // 32, 5)
    return network


def vgg(name):
    network = getattr(torchvision.models, name)()
    narrow(network)
    # As for pictures of 224 pixels, where it changes nothing.
    network.avgpool = torch.nn.Identity()
    for index, (inputs, outputs) in {0: (64, 12), 3: (12, 10), 6: (10, 5)}.items():
        network.classifier[index] = torch.nn.Linear(inputs, outputs)
    return network


def fill(network):
    torch.manual_seed(1)
    state = network.state_dict()
    for name, tensor in state.items():
        if name.endswith("num_batches_tracked"):
            continue
        if name.endswith("running_var"):
            tensor.uniform_(0.5, 1.5)
        elif tensor.ndim == 1:
            tensor.normal_(0.8 if name.endswith("weight") else 0.0, 0.2)
        else:
            tensor.normal_(0, (2 / tensor[0].numel()) ** 0.5)
        tensor.copy_(tensor.half())
    network.load_state_dict(state)
    return network.eval()


def features(network, x):
    """What goes into the average or the classifier."""
    kept = []
    hook = network.avgpool.register_forward_pre_hook(lambda _, inputs: kept.append(inputs[0]))
    with torch.no_grad():
        logits = network(x)
    hook.remove()
    return kept[0].permute(0, 2, 3, 1).numpy(), torch.softmax(logits, 1).numpy()


def timm_names(state):
    """The classifier of VGG under timm's names: as convolutions over the whole picture."""
    names = {"classifier.0": "pre_logits.fc1", "classifier.3": "pre_logits.fc2",
             "classifier.6": "head.fc"}
    shapes = {"pre_logits.fc1.weight": (12, 16, 2, 2), "pre_logits.fc2.weight": (10, 12, 1, 1)}
    result = {}
    for name, tensor in state.items():
        owner, _, last = name.rpartition(".")
        name = f"{names.get(owner, owner)}.{last}"
        result[name] = tensor.reshape(shapes[name]) if name in shapes else tensor
    return result


def halves(state):
    return {k: v.half().contiguous() if v.is_floating_point() else v for k, v in state.items()}


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    x = torch.from_numpy(
        np.random.default_rng(1).integers(-128, 128, (1, 3, SIZE, SIZE)).astype(np.float32) / 64)
    with h5py.File(FOLDER / "expected.h5", "w") as file:
        file.create_dataset(
            "input", data=x.permute(0, 2, 3, 1).numpy(), compression="gzip", shuffle=True)
        for name in ["resnet18", "resnet50", "vgg16", "vgg16_bn"]:
            network = fill(resnet(name) if name.startswith("resnet") else vgg(name))
            picture, probabilities = features(network, x)
            assert picture.std() > 1e-2, name
            file[f"{name}/features"] = picture
            file[f"{name}/probabilities"] = probabilities
            state = halves(network.state_dict())
            save_file(state, FOLDER / f"{name}.safetensors")
            if name == "vgg16":
                save_file(timm_names(state), FOLDER / "timm_vgg16.safetensors")
