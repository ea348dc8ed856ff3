"""One contestant of `compare-peers` in a process of its own.

    python compare_peers_worker.py JOB PEER OPTIONS

OPTIONS is a JSON object. The worker prepares its job, warms up and writes a JSON line; then, for
every line that it reads, it does the work once and writes what it measured. Each peer and job is
one function below that returns the work to be repeated.
"""

import importlib.metadata
import json
import os
import sys
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = ""
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

THREADS = int(os.environ.get("TL_THREADS") or len(os.sched_getaffinity(0)))
BLOCKS = [(2, 64), (2, 128), (3, 256), (3, 512), (3, 512)]
LAYERS = [f"block{b + 1}_conv{i + 1}" for b, (n, _) in enumerate(BLOCKS) for i in range(n)]
CAFFE_MEANS = [103.939, 116.779, 123.68]
PACKAGES = {
    "TensorFlow": "tensorflow", "Keras": "keras", "PyTorch": "torch",
    "onnxruntime": "onnxruntime", "OpenVINO": "openvino", "ncnn": "ncnn",
}


def vgg16_weights(path):
    """Kernel [height, width, inputs, outputs] and bias of each of the 13 convolutions."""
    import h5py
    with h5py.File(path, "r") as file:
        root = file["model_weights"] if "model_weights" in file else file
        return {
            name: [root[name][key][()] for key in root[name].attrs["weight_names"]]
            for name in LAYERS
        }


def load_photos(paths, size):
    """Photos [n, size, size, 3] loaded as Keras does, with VGG16's preprocessing."""
    import numpy as np
    from PIL import Image
    pictures = []
    for path in paths:
        with Image.open(path) as image:
            small = image.convert("RGB").resize((size, size), Image.Resampling.NEAREST)
        pictures.append(np.asarray(small, np.float32)[..., ::-1] - np.float32(CAFFE_MEANS))
    return np.stack(pictures)


def channels_first(photos):
    import numpy as np
    return np.ascontiguousarray(photos.transpose(0, 3, 1, 2))


# TensorFlow and Keras


def tensorflow():
    import tensorflow
    tensorflow.config.threading.set_intra_op_parallelism_threads(THREADS)
    tensorflow.config.threading.set_inter_op_parallelism_threads(THREADS)
    return tensorflow


def keras_vgg16(options):
    tensorflow()
    import keras
    size = options["size"]
    model = keras.applications.VGG16(
        weights=None, include_top=False, input_shape=(size, size, 3))
    for name, tensors in vgg16_weights(options["base"]).items():
        model.get_layer(name).set_weights(tensors)
    return model


def keras_head():
    """The head of the book, section 5.3."""
    import keras
    return [
        keras.layers.Flatten(),
        keras.layers.Dense(256, activation="relu"),
        keras.layers.Dropout(0.5),
        keras.layers.Dense(1, activation="sigmoid"),
    ]


def keras_resnet50(options):
    tensorflow()
    import keras
    size = options["size"]
    model = keras.applications.ResNet50(
        weights=None, include_top=False, input_shape=(size, size, 3))
    model.load_weights(options["resnet50"])
    return model


def keras_network(options):
    return {"vgg16": keras_vgg16, "resnet50": keras_resnet50}[options["network"]](options)


def base_tensorflow(options):
    tf = tensorflow()
    model = keras_network(options)
    call = tf.function(lambda x: model(x, training=False))
    photos = tf.constant(load_photos(options["photos"], options["size"]))
    return lambda: call(photos).numpy()


def base_keras(options):
    model = keras_network(options)
    photos = load_photos(options["photos"], options["size"])
    return lambda: model.predict(photos, batch_size=len(photos), verbose=0)


def features_keras(options):
    """Decoding and resizing included, in batches of 20, inside a running process."""
    import keras
    import numpy as np
    model = keras_vgg16(options)
    size = (options["size"], options["size"])
    preprocess = keras.applications.vgg16.preprocess_input

    def features(paths):
        results = []
        for start in range(0, len(paths), 20):
            pictures = np.stack([
                keras.utils.img_to_array(keras.utils.load_img(path, target_size=size))
                for path in paths[start:start + 20]
            ])
            results.append(model.predict(preprocess(pictures), batch_size=20, verbose=0))
        return np.concatenate(results)

    features(options["photos"][:20])
    return lambda: features(options["photos"])


def photos_keras(options):
    """Files to the network's numbers with the book's augmentation, in batches of 20."""
    tensorflow()
    from keras.src.legacy.preprocessing.image import ImageDataGenerator
    generator = ImageDataGenerator(
        rescale=1 / 255, rotation_range=40, width_shift_range=0.2, height_shift_range=0.2,
        shear_range=0.2, zoom_range=0.2, horizontal_flip=True)
    size = options["size"]
    flow = generator.flow_from_directory(
        options["folder"], target_size=(size, size), batch_size=20, class_mode="binary", seed=0)

    def epoch():
        for _ in range(len(flow)):
            next(flow)

    options["note"] = "flow_from_directory, one process"
    return epoch


class TorchPhotos:
    """Photos that torchvision opens and changes; in a class of its own for its workers."""

    def __init__(self, paths, size):
        import torch
        from torchvision.transforms import v2
        self.paths = paths
        self.change = v2.Compose([
            v2.ToImage(), v2.Resize((size, size), antialias=True),
            v2.RandomAffine(
                40, translate=(0.2, 0.2), scale=(0.8, 1.2), shear=0.2,
                interpolation=v2.InterpolationMode.BILINEAR),
            v2.RandomHorizontalFlip(), v2.ToDtype(torch.float32, scale=True),
            v2.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])

    def __len__(self):
        return len(self.paths)

    def __getitem__(self, index):
        from PIL import Image
        with Image.open(self.paths[index]) as image:
            return self.change(image.convert("RGB"))


def photos_torch(options):
    """Decode, resize, RandomAffine, flip and normalise, with as many workers as cores."""
    import torch
    torch.set_num_threads(1)
    loader = torch.utils.data.DataLoader(
        TorchPhotos(options["photos"], options["size"]), batch_size=20, shuffle=True,
        num_workers=THREADS, persistent_workers=True)

    def epoch():
        for _ in loader:
            pass

    options["note"] = f"DataLoader, {THREADS} workers"
    return epoch


def processor_seconds():
    """CPU time of this process and its children so far, those that still run included."""
    ticks = os.sysconf("SC_CLK_TCK")

    def used(pid):
        with open(f"/proc/{pid}/stat") as file:
            fields = file.read().rsplit(")", 1)[1].split()
        return sum(int(field) for field in fields[11:15]) / ticks

    total = used(os.getpid())
    for task in os.listdir("/proc/self/task"):
        with open(f"/proc/self/task/{task}/children") as file:
            total += sum(used(child) for child in file.read().split())
    return total


def head_data(path):
    import h5py
    with h5py.File(path, "r") as file:
        features = file["features"][()]
        return features.reshape(len(features), -1), file["labels"][()].astype("float32")


def head_keras(options):
    tensorflow()
    import keras
    features, labels = head_data(options["features"])

    def train(epochs):
        model = keras.Sequential([keras.Input(features.shape[1:])] + keras_head())
        model.compile(keras.optimizers.RMSprop(2e-5), "binary_crossentropy", metrics=["accuracy"])
        model.fit(features, labels, batch_size=20, epochs=epochs, verbose=0)

    train(1)
    return lambda: train(options["epochs"])


def tune_keras_augmenting(options):
    """The same with the layers of Keras that change photos as `--augment book` does, but for shear."""
    def changes():
        from keras import layers
        return [
            layers.RandomFlip("horizontal"), layers.RandomRotation(40 / 360, fill_mode="nearest"),
            layers.RandomTranslation(0.2, 0.2, fill_mode="nearest"),
            layers.RandomZoom(0.2, 0.2, fill_mode="nearest"),
        ]

    return tune_keras(options, changes)


def tune_keras(options, changes=list):
    """`train_on_batch` of the model whose base is frozen below block5."""
    import keras
    base = keras_vgg16(options)
    for layer in base.layers:
        layer.trainable = layer.name.startswith("block5")
    photos = load_photos(options["photos"], options["size"])
    if options["cached"]:
        boundary = base.get_layer("block4_pool").output
        photos = keras.Model(base.input, boundary).predict(photos, verbose=0)
        start = x = keras.Input(photos.shape[1:])
        for layer in base.layers[base.layers.index(base.get_layer("block4_pool")) + 1:]:
            x = layer(x)
    else:
        start = x = keras.Input(base.input_shape[1:])
        for change in changes():
            x = change(x)
        x = base(x)
    for layer in keras_head():
        x = layer(x)
    model = keras.Model(start, x)
    model.compile(keras.optimizers.RMSprop(1e-5), "binary_crossentropy", metrics=["accuracy"])
    labels = tune_labels(photos)

    def steps():
        for _ in range(options["steps"]):
            model.train_on_batch(photos, labels)

    return steps


def tune_labels(photos):
    import numpy as np
    return (np.arange(len(photos)) % 2).astype(np.float32)[:, None]


def photo_keras(options):
    tensorflow()
    import keras
    model = keras.models.load_model(options["model"])
    return model.predict(load_photos(options["photos"], options["size"]), verbose=0)


# PyTorch


def torch_threads():
    import torch
    torch.set_num_threads(THREADS)
    return torch


def torch_vgg16(options, weights=True):
    """The 31 modules of VGG16's base; block 5 begins at index 24."""
    torch = torch_threads()
    modules, inputs = [], 3
    for layers, outputs in BLOCKS:
        for _ in range(layers):
            modules += [torch.nn.Conv2d(inputs, outputs, 3, padding=1), torch.nn.ReLU()]
            inputs = outputs
        modules.append(torch.nn.MaxPool2d(2))
    model = torch.nn.Sequential(*modules).eval()
    if weights:
        convolutions = [module for module in modules if hasattr(module, "weight")]
        tensors = vgg16_weights(options["base"])
        for module, name in zip(convolutions, LAYERS):
            kernel, bias = tensors[name]
            module.weight.data = torch.from_numpy(kernel.transpose(3, 2, 0, 1).copy())
            module.bias.data = torch.from_numpy(bias)
    return model


def torch_resnet50():
    """torchvision's, whose stride sits in the 3x3 convolutions; its weights are its own."""
    import torch
    import torchvision
    layers = list(torchvision.models.resnet50(weights=None).children())[:-2]
    return torch.nn.Sequential(*layers).eval()


def torch_network(options):
    return torch_vgg16(options) if options["network"] == "vgg16" else torch_resnet50()


def torch_head(features):
    import torch
    return [
        torch.nn.Flatten(), torch.nn.Linear(features, 256), torch.nn.ReLU(),
        torch.nn.Dropout(0.5), torch.nn.Linear(256, 1),
    ]


def seconds(work):
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def fastest(variants, options):
    """The name and the work of the fastest of some ways to do the same."""
    times = {}
    for name, work in variants.items():
        try:
            work()
            times[name] = seconds(work)
        except Exception as error:
            print(f"{name}: {error}", file=sys.stderr)
    best = min(times, key=times.get)
    options["note"] = f"{best}, best of {len(times)}"
    return variants[best]


def torch_variant(model, photos, traced=False):
    import torch
    with torch.inference_mode():
        if traced:
            model = torch.jit.optimize_for_inference(
                torch.jit.freeze(torch.jit.trace(model, photos)))

    def work():
        with torch.inference_mode():
            return model(photos).float().contiguous().numpy().transpose(0, 2, 3, 1)

    return work


def attempt(make):
    """What `make` returns, or work that fails with its error: a variant must not end the rest."""
    try:
        return make()
    except Exception as error:
        reason = error

        def fail():
            raise reason

        return fail


def base_torch(options):
    torch = torch_threads()
    photos = torch.from_numpy(channels_first(load_photos(options["photos"], options["size"])))
    last = photos.to(memory_format=torch.channels_last)
    return fastest({
        "NCHW": torch_variant(torch_network(options), photos),
        "channels_last": torch_variant(
            torch_network(options).to(memory_format=torch.channels_last), last),
        "optimize_for_inference": attempt(
            lambda: torch_variant(torch_network(options), photos, traced=True)),
    }, options)


def base_torch_bf16(options):
    torch = torch_threads()
    photos = torch.from_numpy(channels_first(load_photos(options["photos"], options["size"])))
    half = photos.bfloat16()
    last = half.to(memory_format=torch.channels_last)
    model = torch_network(options).bfloat16()
    lasting = torch_network(options).bfloat16().to(memory_format=torch.channels_last)
    return fastest({
        "NCHW": torch_variant(model, half),
        "channels_last": torch_variant(lasting, last),
        "optimize_for_inference": attempt(lambda: torch_variant(model, half, traced=True)),
    }, options)


def head_torch(options):
    torch = torch_threads()
    features, labels = map(torch.from_numpy, head_data(options["features"]))

    def train(epochs):
        model = torch.nn.Sequential(*torch_head(features.shape[1])[1:]).train()
        optimizer = torch.optim.RMSprop(model.parameters(), 2e-5, alpha=0.9, eps=1e-7)
        loss = torch.nn.BCEWithLogitsLoss()
        for _ in range(epochs):
            order = torch.randperm(len(features))
            for rows in order.split(20):
                optimizer.zero_grad()
                loss(model(features[rows]), labels[rows][:, None]).backward()
                optimizer.step()

    train(1)
    return lambda: train(options["epochs"])


def tune_torch(options, autocast=False):
    """A step of the model whose base is frozen below block5."""
    torch = torch_threads()
    base = torch_vgg16(options)
    photos = torch.from_numpy(channels_first(load_photos(options["photos"], options["size"])))
    frozen, suffix = base[:24].requires_grad_(False), base[24:]
    if options["cached"]:
        with torch.no_grad():
            photos = frozen(photos)
        frozen = torch.nn.Identity()
    side = options["size"] // 32
    top = torch.nn.Sequential(*suffix, *torch_head(512 * side * side)).train()
    labels = torch.from_numpy(tune_labels(photos))

    def steps(model, photos):
        optimizer = torch.optim.RMSprop(top.parameters(), 1e-5, alpha=0.9, eps=1e-7)
        loss = torch.nn.BCEWithLogitsLoss()

        def work():
            for _ in range(options["steps"]):
                optimizer.zero_grad()
                with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                    answers = model(photos)
                loss(answers.float(), labels).backward()
                optimizer.step()

        return work

    # Both layouts share the model's weights, so they are tried one after the other.
    model, times = torch.nn.Sequential(frozen, top), {}
    for layout in (torch.channels_last, torch.contiguous_format):
        work = steps(model.to(memory_format=layout), photos.to(memory_format=layout))
        work()
        times[layout] = seconds(work)
    best = min(times, key=times.get)
    options["note"] = "channels_last" if best == torch.channels_last else "NCHW"
    return steps(model.to(memory_format=best), photos.to(memory_format=best))


def tune_torch_bf16(options):
    return tune_torch(options, autocast=True)


def photo_torch(options):
    torch = torch_threads()
    side = options["size"] // 32
    model = torch.nn.Sequential(
        *torch_vgg16(options, weights=False), *torch_head(512 * side * side)).eval()
    model.load_state_dict(torch.load(options["state"], mmap=True, weights_only=True), assign=True)
    photos = torch.from_numpy(channels_first(load_photos(options["photos"], options["size"])))
    with torch.inference_mode():
        return torch.sigmoid(model(photos)).numpy()


# Inference engines


def write_onnx(options, path):
    """The network as an ONNX file with a fixed batch."""
    if options["network"] == "resnet50":
        import torch
        photos = torch.zeros(len(options["photos"]), 3, options["size"], options["size"])
        torch.onnx.export(
            torch_resnet50(), (photos,), path, dynamo=False, input_names=["photos"])
        return path
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    size, nodes, tensors, x, number = options["size"], [], [], "photos", 0
    weights = vgg16_weights(options["base"])
    for block, (layers, _) in enumerate(BLOCKS):
        for layer in range(layers):
            kernel, bias = weights[f"block{block + 1}_conv{layer + 1}"]
            name = f"conv{number}"
            tensors += [
                numpy_helper.from_array(kernel.transpose(3, 2, 0, 1).copy(), name + "_kernel"),
                numpy_helper.from_array(bias, name + "_bias"),
            ]
            nodes += [
                helper.make_node("Conv", [x, name + "_kernel", name + "_bias"], [name],
                                 kernel_shape=[3, 3], pads=[1, 1, 1, 1]),
                helper.make_node("Relu", [name], [name + "_relu"]),
            ]
            x, number = name + "_relu", number + 1
        nodes.append(helper.make_node(
            "MaxPool", [x], [f"pool{block}"], kernel_shape=[2, 2], strides=[2, 2]))
        x = f"pool{block}"
    batch, side = len(options["photos"]), size // 32
    graph = helper.make_graph(
        nodes, "vgg16",
        [helper.make_tensor_value_info("photos", TensorProto.FLOAT, [batch, 3, size, size])],
        [helper.make_tensor_value_info(x, TensorProto.FLOAT, [batch, 512, side, side])], tensors)
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)],
                                ir_version=8), path)
    return path


def channels_last_result(outputs):
    return outputs.transpose(0, 2, 3, 1)


def base_onnxruntime(options):
    import onnxruntime
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = THREADS
    settings.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        write_onnx(options, options["scratch"] + ".ort.onnx"), settings,
        providers=["CPUExecutionProvider"])
    photos = channels_first(load_photos(options["photos"], options["size"]))
    return lambda: channels_last_result(session.run(None, {"photos": photos})[0])


def base_openvino(options, precision="f32"):
    import openvino
    model = openvino.Core().compile_model(
        write_onnx(options, options["scratch"] + f".{precision}.onnx"), "CPU", {
            "INFERENCE_PRECISION_HINT": precision, "INFERENCE_NUM_THREADS": THREADS,
            "PERFORMANCE_HINT": "LATENCY"})
    used = model.get_property("INFERENCE_PRECISION_HINT").to_string()
    if used != precision:
        raise RuntimeError(f"runs in {used} on this CPU")
    photos = channels_first(load_photos(options["photos"], options["size"]))
    request = model.create_infer_request()
    return lambda: channels_last_result(request.infer([photos])[model.output(0)])


def base_openvino_bf16(options):
    return base_openvino(options, "bf16")


def write_ncnn(options, stem):
    """VGG16's base as ncnn's text of layers and file of weights."""
    import numpy as np
    lines = ["Input photos 0 1 photos"]
    x, number = "photos", 0
    weights = vgg16_weights(options["base"])
    with open(stem + ".bin", "wb") as file:
        for block, (layers, outputs) in enumerate(BLOCKS):
            for layer in range(layers):
                kernel, bias = weights[f"block{block + 1}_conv{layer + 1}"]
                lines.append(
                    f"Convolution conv{number} 1 1 {x} conv{number} 0={outputs} 1=3 4=1 5=1 "
                    f"6={kernel.size} 9=1")
                file.write(np.uint32(0).tobytes())
                file.write(kernel.transpose(3, 2, 0, 1).astype("<f4").tobytes())
                file.write(bias.astype("<f4").tobytes())
                x, number = f"conv{number}", number + 1
            lines.append(f"Pooling pool{block} 1 1 {x} pool{block} 0=0 1=2 2=2 5=1")
            x = f"pool{block}"
    with open(stem + ".param", "w") as file:
        file.write("\n".join(["7767517", f"{len(lines)} {len(lines)}"] + lines) + "\n")
    return x


def base_ncnn(options):
    """One photo at a time, which is all that ncnn does; Winograd is its own choice."""
    import ncnn
    import numpy as np
    stem = options["scratch"] + ".ncnn"
    output = write_ncnn(options, stem)
    net = ncnn.Net()
    net.opt.num_threads = THREADS
    for name in ("fp16_packed", "fp16_storage", "fp16_arithmetic", "bf16_storage"):
        setattr(net.opt, "use_" + name, False)
    if net.load_param(stem + ".param") != 0 or net.load_model(stem + ".bin") != 0:
        raise RuntimeError("ncnn does not load the network")
    photos = channels_first(load_photos(options["photos"], options["size"]))
    options["note"] = "one photo at a time"

    def work():
        results = []
        for photo in photos:
            extractor = net.create_extractor()
            extractor.input("photos", ncnn.Mat(photo))
            results.append(np.array(extractor.extract(output)[1]))
        return np.stack(results).transpose(0, 2, 3, 1)

    return work


# What is prepared for all


def prepare_tile(options):
    """A feature file whose rows are those of another one, again and again."""
    import h5py
    import numpy as np
    with h5py.File(options["source"], "r") as old, h5py.File(options["target"], "w") as new:
        rows = len(old["labels"])
        times = -(-options["rows"] // rows)
        for name, value in old.attrs.items():
            new.attrs[name] = value
        for name, data in old.items():
            if data.shape and data.shape[0] == rows:
                tiled = np.concatenate([data[()]] * times)[:options["rows"]]
                new.create_dataset(name, data=tiled, dtype=data.dtype)
            else:
                old.copy(name, new)


def prepare_resnet50(options):
    """Keras's ResNet50 with random weights whose outputs neither vanish nor overflow."""
    tensorflow()
    import keras
    import numpy as np
    keras.utils.set_random_seed(1)
    model = keras.applications.ResNet50(weights=None, include_top=False)
    random = np.random.default_rng(1)
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            layer.set_weights([
                random.uniform(0.5, 1, gamma.shape), random.normal(0, 0.1, beta.shape),
                random.normal(0, 0.1, mean.shape), random.uniform(0.5, 1.5, variance.shape)])
    model.save(options["target"])


def prepare_agreement(options):
    """How far each peer's features are from the first one's, as JSON {peer: sentence}."""
    import numpy as np
    found, expected = {}, None
    for peer, path in options["results"].items():
        if not os.path.exists(path):
            continue
        features = np.load(path)
        features = features.reshape(len(features), -1).astype(np.float64)
        if expected is None:
            expected = features
            continue
        if features.shape != expected.shape:
            found[peer] = f"WRONG RESULT: shape {features.shape}, not {expected.shape}"
            continue
        lengths = np.linalg.norm(features, axis=1) * np.linalg.norm(expected, axis=1)
        cosine = float(((features * expected).sum(1) / np.maximum(lengths, 1e-30)).min())
        if not cosine > 0.99:
            found[peer] = f"WRONG RESULT: cosine {cosine:.3f}"
        elif peer.endswith("bf16"):
            found[peer] = f"least cosine to f32 {cosine:.5f}"
    return json.dumps(found)


def prepare_state(options):
    """The weights file that PyTorch reads for one photo: the base's and those of any head."""
    torch = torch_threads()
    side = options["size"] // 32
    model = torch.nn.Sequential(*torch_vgg16(options), *torch_head(512 * side * side))
    torch.save(model.state_dict(), options["state"])


def draw_heatmap(path, heat, folder):
    """Writes the map over the photo in the photo's own size, as the book does but with Pillow."""
    import numpy as np
    from PIL import Image
    with Image.open(path) as image:
        photo = image.convert("RGB")
    heat = Image.fromarray(np.uint8(255 * heat)).resize(photo.size, Image.Resampling.BILINEAR)
    steps = np.arange(256, dtype=np.float32)
    colors = np.stack([steps, steps ** 2 / 255, 255 - steps], axis=-1)
    mixed = np.asarray(photo, np.float32) * 0.6 + colors[np.asarray(heat)] * 0.4
    Image.fromarray(np.uint8(mixed)).save(os.path.join(folder, os.path.basename(path) + ".png"))


def heatmap_ways(options):
    """Grad-CAM as in the book, from files, in the ways that users write it."""
    tf = tensorflow()
    import keras
    import numpy as np
    model = keras.models.load_model(options["model"], compile=False)
    layer = model.get_layer("block5_conv3")
    lower = keras.Model(model.inputs[0], layer.output)
    upper = model.layers[model.layers.index(layer) + 1:]

    def maps(photos):
        values = lower(photos, training=False)
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = values
            for layer in upper:
                outputs = layer(outputs, training=False)
            # Of the class that is predicted: 1 - p for the first one.
            score = tf.where(outputs > 0.5, outputs, 1 - outputs)
        gradients = tape.gradient(score, values)
        weights = tf.reduce_mean(gradients, axis=(1, 2), keepdims=True)
        found = tf.nn.relu(tf.reduce_sum(values * weights, axis=-1))
        return found / (tf.reduce_max(found, axis=(1, 2), keepdims=True) + 1e-20)

    compiled = tf.function(maps)

    def through(function, batch):
        def work():
            results = []
            for start in range(0, len(options["photos"]), batch):
                paths = options["photos"][start:start + batch]
                photos = load_photos(paths, options["size"])
                results.append(function(tf.constant(photos)).numpy())
                if options.get("pictures"):
                    for path, heat in zip(paths, results[-1]):
                        draw_heatmap(path, heat, options["pictures"])
            return np.concatenate(results)
        return work

    return {
        "one at a time, as in the book": through(maps, 1),
        "batches of 20": through(maps, 20),
        "batches of 20, tf.function": through(compiled, 20),
    }


def heatmaps_keras(options):
    return fastest(heatmap_ways(options), options)


def heatmaps_once_keras(options):
    import numpy as np
    np.save(options["result"], heatmap_ways(options)["batches of 20"]())


BASES = {
    "TensorFlow": base_tensorflow, "Keras": base_keras, "PyTorch": base_torch,
    "onnxruntime": base_onnxruntime, "OpenVINO": base_openvino, "ncnn": base_ncnn,
    "PyTorch bf16": base_torch_bf16, "OpenVINO bf16": base_openvino_bf16,
}
JOBS = {
    "vgg16": BASES,
    "resnet50": BASES,
    "features": {"Keras": features_keras},
    "head": {"Keras": head_keras, "PyTorch": head_torch},
    "heatmaps": {"Keras": heatmaps_keras},
    "photos": {"Keras": photos_keras, "torchvision": photos_torch},
    "tune": {"Keras": tune_keras, "Keras, augmenting": tune_keras_augmenting,
             "PyTorch": tune_torch, "PyTorch bf16": tune_torch_bf16},
}
ONCE = {
    "heatmaps-once": {"Keras": heatmaps_once_keras},
    "photo": {"Keras": photo_keras, "PyTorch": photo_torch},
    "prepare": {
        "tile": prepare_tile, "state": prepare_state, "agreement": prepare_agreement,
        "resnet50": prepare_resnet50},
}


def report(stream, **values):
    print(json.dumps(values), file=stream, flush=True)


def serve(job, peer, options, stream):
    """Prepares, warms up, and then works once for every line of standard input."""
    options["network"] = job
    work = JOBS[job][peer](options)
    if job not in ("features", "head"):  # which have warmed up with a part of their work
        result = work()
        if options.get("result"):
            import numpy as np
            np.save(options["result"], result)
    report(stream, note=options.get("note", ""))
    for _ in sys.stdin:
        before = processor_seconds()
        elapsed = seconds(work)
        report(stream, seconds=elapsed, processor=processor_seconds() - before)


def versions():
    """The installed version of every peer, or why there is none."""
    found = {}
    for peer, package in PACKAGES.items():
        for name in (package, package + "-cpu"):
            try:
                found[peer] = importlib.metadata.version(name)
                break
            except importlib.metadata.PackageNotFoundError:
                continue
    return found


def main():
    job, peer, options = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
    # Libraries print what they like; only our own lines may reach the real standard output.
    stream = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if job == "versions":
        return report(stream, **versions())
    try:
        if job in ONCE:
            answer = ONCE[job][peer](options)
            if answer is not None:
                print(answer, file=stream, flush=True)
        else:
            serve(job, peer, options, stream)
    except Exception as error:
        reason = str(error).strip().splitlines() or [""]
        report(stream, error=f"{type(error).__name__}: {reason[0]}"[:200])
        sys.exit(1)


if __name__ == "__main__":
    main()
