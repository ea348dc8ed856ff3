"""Writes Tests/LayersTests/Goldens/{parts,transposed,merges,gathering,resizing,scaling}.h5.

The layers that few networks have. The layout is that of make_graph_layer_goldens.py.

Made with Python 3.11, TensorFlow 2.21.0, Keras 3.15.1, h5py 3.14.0, numpy 2.4.6:
    python Tests/Reference/make_rare_layer_goldens.py
"""

from make_function_goldens import SMALL
from make_graph_layer_goldens import create, keras, layers, normal, np, write_case

PICTURE, SMALLER = (2, 4, 5, 6), (1, 5, 4, 4)


def write_file(file_name, seed, cases):
    """`cases` maps names to a layer and the shapes of its inputs."""
    generator = np.random.default_rng(seed)
    with create(file_name, libver=SMALL) as file:
        for name, (layer, *shapes) in cases.items():
            inputs = [normal(generator, *shape) for shape in shapes]
            write_case(file, name, layer, inputs, generator)


if __name__ == "__main__":
    conv = layers.Conv2D
    write_file("parts.h5", 21, {
        "groups_2": (conv(4, 3, groups=2, padding="same"), PICTURE),
        "groups_3_stride_2": (
            conv(6, 3, groups=3, strides=2, padding="same", activation="relu"), PICTURE),
        "groups_2_valid_silu": (conv(4, 2, groups=2, activation="silu"), PICTURE),
        "groups_2_1x1_no_bias": (conv(8, 1, groups=2, use_bias=False), PICTURE),
        "as_many_groups": (conv(6, 3, groups=6, padding="same"), PICTURE),
        "as_many_groups_twice": (conv(12, 3, groups=6, strides=2), (1, 5, 5, 6)),
        "dilation_2_same": (conv(5, 3, dilation_rate=2, padding="same"), PICTURE),
        "dilation_2_valid": (conv(5, 3, dilation_rate=2), (1, 7, 6, 3)),
        "dilation_3_2": (conv(3, (2, 3), dilation_rate=(3, 2), padding="same"), SMALLER),
        "dilation_and_groups": (
            conv(4, 3, dilation_rate=2, groups=2, padding="same", activation="relu6"), SMALLER),
        "dilation_wide": (conv(17, 3, dilation_rate=2, padding="same"), (1, 6, 5, 3)),
    })
    transpose = layers.Conv2DTranspose
    write_file("transposed.h5", 22, {
        "2x2_stride_2": (transpose(3, 2, strides=2), PICTURE),
        "3x3_same": (transpose(3, 3, padding="same"), PICTURE),
        "3x3_valid": (transpose(3, 3), PICTURE),
        "3x3_stride_2_same": (transpose(3, 3, strides=2, padding="same"), PICTURE),
        "3x3_stride_2_valid_relu": (transpose(3, 3, strides=2, activation="relu"), SMALLER),
        "4x4_stride_2_same": (transpose(3, 4, strides=2, padding="same"), SMALLER),
        "4x4_stride_2_silu": (
            transpose(2, 4, strides=2, padding="same", activation="silu"), SMALLER),
        "1x1_stride_2": (transpose(3, 1, strides=2), SMALLER),
        "2x3_stride_3_1": (transpose(2, (2, 3), strides=(3, 1), padding="same"), SMALLER),
        "output_padding": (transpose(2, 3, strides=2, output_padding=1), (1, 2, 3, 2)),
        "output_padding_same": (
            transpose(2, (5, 3), strides=(3, 2), padding="same", output_padding=(2, 0)),
            (1, 2, 3, 2)),
        "no_bias": (transpose(17, 3, strides=2, padding="same", use_bias=False), (1, 2, 3, 4)),
    })
    row, excite = (2, 6), (2, 1, 1, 6)
    small = (2, 2, 3, 6)
    write_file("merges.h5", 23, {
        "subtract": (layers.Subtract(), small, small),
        "multiply": (layers.Multiply(), small, small),
        "multiply_three": (layers.Multiply(), small, small, small),
        "maximum": (layers.Maximum(), small, small),
        "maximum_three": (layers.Maximum(), small, small, small),
        "minimum": (layers.Minimum(), small, small, small),
        "average": (layers.Average(), small, small, small),
        "excite": (layers.Multiply(), small, excite),
        "excite_first": (layers.Multiply(), excite, small),
        "excite_row": (layers.Multiply(), small, row),
        "rows": (layers.Multiply(), small, (2, 2, 1, 1)),
        # Keras takes a second tensor with as many photos as the first has rows for a bias.
        "add_one_for_each_photo": (layers.Add(), (2, 3, 2, 6), (2, 1, 1, 1)),
        "subtract_columns": (layers.Subtract(), (2, 1, 3, 6), (2, 2, 1, 6)),
        "concatenate_1": (layers.Concatenate(axis=1), small, (2, 3, 3, 6), small),
        "concatenate_2": (layers.Concatenate(axis=2), small, (2, 2, 2, 6)),
        "concatenate_minus_2": (layers.Concatenate(axis=-2), small, (2, 2, 1, 6)),
    })
    crop = layers.Cropping2D
    write_file("gathering.h5", 24, {
        "crop": (crop(1), PICTURE),
        "crop_rows_columns": (crop((1, 2)), PICTURE),
        "crop_each_side": (crop(((0, 2), (3, 1))), PICTURE),
        "permute": (layers.Permute((3, 1, 2)), PICTURE),
        "permute_two": (layers.Permute((2, 1)), (2, 3, 4)),
        "reshape": (layers.Reshape((10, 12)), PICTURE),
        "reshape_rest": (layers.Reshape((-1, 6)), PICTURE),
        "center_crop": (layers.CenterCrop(2, 3), PICTURE),
        "center_crop_odd": (layers.CenterCrop(3, 2), PICTURE),
        "dense_on_pictures": (layers.Dense(7, activation="relu"), PICTURE),
        "dense_on_rows": (layers.Dense(3, activation="gelu"), (2, 3, 4)),
        "average_kept": (layers.GlobalAveragePooling2D(keepdims=True), PICTURE),
        "maximum_kept": (layers.GlobalMaxPooling2D(keepdims=True), PICTURE),
    })
    up, resize = layers.UpSampling2D, layers.Resizing
    write_file("resizing.h5", 25, {
        "up": (up(2), SMALLER),
        "up_3_2": (up((3, 2)), SMALLER),
        "up_bilinear": (up(2, interpolation="bilinear"), SMALLER),
        "up_bilinear_3_2": (up((3, 2), interpolation="bilinear"), SMALLER),
        "larger": (resize(7, 9), SMALLER),
        "smaller": (resize(3, 2), (1, 7, 8, 3)),
        "same": (resize(5, 4), SMALLER),
        "one_pixel": (resize(1, 1), SMALLER),
        "nearest": (resize(7, 3, interpolation="nearest"), (1, 5, 8, 3)),
        "nearest_smaller": (resize(3, 5, interpolation="nearest"), (1, 8, 7, 3)),
        "crop": (resize(4, 4, crop_to_aspect_ratio=True), (1, 5, 8, 3)),
        "crop_odd": (resize(3, 7, crop_to_aspect_ratio=True), (1, 8, 5, 3)),
        "center_crop_enlarged": (layers.CenterCrop(6, 6), (1, 5, 8, 3)),
    })
    scale, normalize = layers.Rescaling, layers.Normalization
    write_file("scaling.h5", 26, {
        "rescale": (scale(1 / 255), PICTURE),
        "rescale_offset": (scale(1 / 127.5, offset=-1.0), PICTURE),
        "rescale_channels": (scale([1.0, 2, 3, 4, 5, 6], offset=[0.5, 1, 0, 0, 0, 1]), PICTURE),
        "given": (normalize(mean=[1.0, 2, 3, 4, 5, 6], variance=[0.5, 1, 2, 3, 4, 5]), PICTURE),
        "given_for_all": (normalize(mean=1.5, variance=2.0), PICTURE),
        "given_axis_none": (normalize(axis=None, mean=1.5, variance=2.0), PICTURE),
        "layer": (layers.LayerNormalization(), PICTURE),
        "layer_row": (layers.LayerNormalization(epsilon=1e-6), row),
        "layer_axes": (layers.LayerNormalization(axis=[1, 2, 3]), PICTURE),
        "layer_two_axes": (layers.LayerNormalization(axis=[-2, -1]), PICTURE),
        "layer_no_gamma": (layers.LayerNormalization(scale=False), PICTURE),
        "layer_no_beta": (layers.LayerNormalization(center=False), PICTURE),
        "flip": (layers.RandomFlip(), PICTURE),
        "rotation": (layers.RandomRotation(0.1), PICTURE),
        "random_crop": (layers.RandomCrop(4, 5), PICTURE),
    })
