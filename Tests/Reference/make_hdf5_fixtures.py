"""Writes the HDF5 files that HDF5Tests reads: Tests/HDF5Tests/Fixtures/*.h5.

Python 3.11.7, h5py 3.14.0 (HDF5 1.14.6), numpy 2.4.6.
Run from the top of the repository: python Tests/Reference/make_hdf5_fixtures.py
"""

import struct
from pathlib import Path

import h5py
import numpy as np

FOLDER = Path(__file__).parent.parent / "HDF5Tests" / "Fixtures"


def create(name, **options):
    return h5py.File(FOLDER / name, "w", **options)


def fixed(length, pad, cset):
    """A fixed-length string type of any padding, which NumPy's types cannot say."""
    kind = h5py.h5t.C_S1.copy()
    kind.set_size(length)
    kind.set_strpad(pad)
    kind.set_cset(cset)
    return kind


def raw_attribute(place, name, kind, shape, data):
    space = h5py.h5s.create_simple(shape) if shape else h5py.h5s.create(h5py.h5s.SCALAR)
    attribute = h5py.h5a.create(place.id, name.encode(), kind, space)
    attribute.write(data, mtype=kind)


def numbers():
    """One dataset per numeric type, low values and the extremes; some big-endian."""
    with create("numbers.h5") as file:
        for name in ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]:
            for order, suffix in (("<", ""), (">", "_big")):
                limits = np.iinfo(name)
                values = np.array([[limits.min, 0, 1], [2, 100, limits.max]], order + name)
                file[name + suffix] = values
        for name in ["f2", "f4", "f8"]:
            for order, suffix in (("<", ""), (">", "_big")):
                file[name + suffix] = np.array([[-1.5, 0, 0.1], [1 / 3, 1024, 65504]], order + name)
        file["booleans"] = np.array([True, False, True])
        file["scalar"] = np.float32(2.5)
        file["null"] = h5py.Empty("f4")
        file["no_rows"] = np.zeros((0, 3), "f4")
        colours = h5py.enum_dtype({"red": 1, "green": 300}, basetype="i2")
        file.create_dataset("enumeration", data=np.array([300, 1, 300], "i2"), dtype=colours)
        file["compound"] = np.zeros(2, [("a", "f4"), ("b", "i4")])
        # Ties, subnormal halves, overflow and the specials, and what NumPy makes of them.
        special = [1 + 2**-11, 1 + 3 * 2**-11, 2**-24, 2**-25, 1.5 * 2**-25, 3 * 2**-26, 65519.9,
                   65520, 1e10, -1e10, np.inf, -np.inf, np.nan, 0.0, -0.0, 6.1e-5, 5.9e-5]
        random = np.random.default_rng(1).normal(size=200)
        random *= 10.0 ** np.arange(-8, 5).repeat(16)[:200]
        source = np.concatenate([special, random]).astype("f4")
        file["half_source"] = source
        with np.errstate(over="ignore"):
            file["half"] = source.astype("f2")


def strings():
    """Strings of every kind, in datasets and attributes."""
    words = ["", "a", "gr\u00fc\u00dfe", "a longer one"]
    with create("strings.h5") as file:
        file.create_dataset("variable", data=words, dtype=h5py.string_dtype())
        file.create_dataset("variable_2d", data=[["a", "b"], ["c", ""]], dtype=h5py.string_dtype())
        file["fixed"] = np.array([word.encode() for word in words], "S14")
        file["scalar"] = "one"
        attributes = file.attrs
        attributes["variable"] = "gr\u00fc\u00dfe"
        attributes["variable_ascii"] = np.array("plain", dtype=h5py.string_dtype("ascii"))
        attributes["variable_list"] = np.array(words, dtype=h5py.string_dtype())
        attributes["fixed"] = np.bytes_(b"2.15.0")
        attributes["fixed_list"] = [b"dense", b"dense_1", b""]
        attributes["fixed_utf8"] = np.array(
            "gr\u00fc\u00dfe".encode(), dtype=h5py.string_dtype("utf-8", 10))
        attributes["empty_list"] = []
        attributes["empty_text"] = ""
        attributes["empty_fixed_list"] = np.array([], "S5")
        attributes["null"] = h5py.Empty("S1")
        attributes["number"] = 7
        attributes["numbers"] = np.array([1.5, -2], "f4")
        attributes["matrix"] = np.arange(6, dtype="i2").reshape(2, 3)
        attributes["largest"] = np.uint64(2**64 - 1)
        attributes["boolean"] = True
        attributes["pair"] = np.zeros(1, [("a", "f4")])[0]
        attributes["na\u00efve"] = 1
        t, ascii_ = h5py.h5t, h5py.h5t.CSET_ASCII
        space = np.array([b"ab   ", b"c d  ", b"     "], "S5")
        raw_attribute(file, "space_padded", fixed(5, t.STR_SPACEPAD, ascii_), (3,), space)
        ended = np.frombuffer(b"ab\0xycd\0\0\0", "S5")
        raw_attribute(file, "null_terminated", fixed(5, t.STR_NULLTERM, ascii_), (2,), ended)
        full = np.frombuffer(b"abcdea\0b\0\0", "S5")
        raw_attribute(file, "null_padded", fixed(5, t.STR_NULLPAD, ascii_), (2,), full)
        latin = np.array(b"a\xff", "S2")
        raw_attribute(file, "not_utf8", fixed(2, t.STR_NULLPAD, ascii_), (), latin)


def stored():
    """The same 20 x 6 numbers in every storage; row i, column j holds 6 i + j."""
    data = np.arange(120, dtype="f4").reshape(20, 6)
    with create("stored.h5") as file:
        file["contiguous"] = data
        file.create_dataset("chunked", data=data, chunks=(7, 4))
        file.create_dataset("gzip", data=data, chunks=(7, 4), compression="gzip")
        file.create_dataset("shuffled", data=data, chunks=(7, 4), compression=9, shuffle=True)
        file.create_dataset("checked", data=data, chunks=(5, 6), fletcher32=True)
        # A filter that libhdf5 itself lacks; equal numbers, or h5py would leave it out.
        file.create_dataset("lzf", data=np.zeros((99, 6)), chunks=(99, 6), compression="lzf")
        file.create_dataset("growing", data=data, chunks=(5, 6), maxshape=(None, 6))
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple(data.shape)
        dataset = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, space, compact)
        dataset.write(h5py.h5s.ALL, h5py.h5s.ALL, data)
        file.create_dataset("missing_chunks", (20, 6), "f4", chunks=(5, 6), fillvalue=-1)[5:10] = 3


def tree(name, **options):
    """Nested groups with attributes, the same in the oldest and the newest format."""
    with create(name, **options) as file:
        for outer in ["b", "a", "c"]:
            group = file.create_group(f"{outer}/inner")
            group["values"] = np.arange(3, dtype="f4")
            group.attrs["weight_names"] = [f"{outer}/kernel:0".encode(), b"bias:0"]
        file.create_group("empty")
        file["gr\u00fc\u00dfe"] = 1.0
        for index in range(12):
            file.attrs[f"attribute{index}"] = index
        if options.get("libver") == "latest":
            file.attrs["large"] = np.arange(9000, dtype="f8")


def links():
    """Links of every kind, what lies outside, and what declares more than there is."""
    with create("links.h5") as file:
        file["group/values"] = np.arange(4, dtype="f4")
        file["hard"] = file["group/values"]
        file["group/cycle"] = file["group"]
        file["soft"] = h5py.SoftLink("/group/values")
        file["group/relative"] = h5py.SoftLink("values")
        file["soft_group"] = h5py.SoftLink("group")
        file["dangling"] = h5py.SoftLink("/nowhere")
        file["loop"] = h5py.SoftLink("/loop")
        file["external"] = h5py.ExternalLink("numbers.h5", "/f4")
        file["through_external"] = h5py.SoftLink("/external_group/inner")
        file["external_group"] = h5py.ExternalLink("oldest.h5", "/a")
        file.create_dataset("outside", (4,), "f4", external=[("outside.bin", 0, 16)])
        layout = h5py.VirtualLayout((6,), "f4")
        layout[:] = h5py.VirtualSource("numbers.h5", "f4", (6,))
        file.create_virtual_dataset("virtual", layout)
        file.create_dataset("huge_chunked", (2**40,), "f4", chunks=(1024,))
        file.create_dataset("huge_contiguous", (2**40,), "f4")
        file.create_dataset("huge_chunk", (10,), "f4", maxshape=(None,), chunks=(2**29,))
        file.create_dataset("uncountable", (2**40, 2**40), "f4", chunks=(1, 1))
        file["type"] = np.dtype("f4")


def oversized():
    """A contiguous dataset whose header has been changed to declare more than the file."""
    path = FOLDER / "oversized.h5"
    with h5py.File(path, "w") as file:
        file["values"] = np.arange(12345, dtype="u1")
        file["fine"] = np.arange(3, dtype="f4")
    data = path.read_bytes()
    assert data.count(struct.pack("<Q", 12345)) == 3
    path.write_bytes(data.replace(struct.pack("<Q", 12345), struct.pack("<Q", 2 * 10**12)))


def main():
    FOLDER.mkdir(exist_ok=True)
    numbers()
    strings()
    stored()
    tree("oldest.h5", libver="earliest")
    tree("latest.h5", libver="latest")
    links()
    oversized()


if __name__ == "__main__":
    main()
