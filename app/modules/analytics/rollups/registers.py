"""HyperLogLog in bulk: the sketches of Apache DataSketches, read, added up and written with numpy.

The library adds an id in 0.1 µs and a sketch to another one in 120 µs. The largest of two times
32,768 bytes takes numpy 3 µs, and is the same whatever the order. How the library hashes ids, its
format (a compact image of lg_k 15, HLL_4) and its estimate stay: any DataSketches reads what is
written here.
"""

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from datasketches import hll_sketch

from app.modules.analytics.rollups.columns import Hashes, once_each

# What an id does to a sketch: in the lower 26 bits its register, above that the register's value.
Coupons = npt.NDArray[np.uint32]

LG_K = 15  # 32,768 registers in 16 KB
REGISTERS = 1 << LG_K
MOST_COUPONS = 3 * 2 ** (LG_K - 3) // 4  # beyond, the library writes registers

_FAMILY = 7
_SEED = 9_001
_VALUE_BITS = 26
_LIST, _SET, _HLL4, _HLL8 = 0, 1, 2, 10  # kinds of images
_COMPACT, _OUT_OF_ORDER = 8, 16  # flags; out of order is estimated from the registers alone
_HEADER = struct.Struct("<8B")
_NUMBERS = struct.Struct("<3d2I")
_EXCEPTION = 15  # in four bits: the value is in a list at the end


def coupons_of(ids: Hashes) -> Coupons:
    """A coupon for each id, as the library makes it: MurmurHash3 of its eight bytes."""
    # It takes whole numbers from 2^63 on for floating-point ones.
    words = np.where(ids >> np.uint64(63), ids.astype(np.float64).view(np.uint64), ids)
    first, second = _murmur3(words)
    zeros = np.minimum(_leading_zeros(second), 62)
    slots = (first & np.uint64(2**_VALUE_BITS - 1)).astype(np.uint32)
    coupons: Coupons = slots | ((zeros + 1).astype(np.uint32) << np.uint32(_VALUE_BITS))
    return coupons


def sketch_of(coupons: Coupons) -> bytes:
    """The image of a sketch of these coupons, which are not none."""
    unique = once_each(coupons)
    if len(unique) <= MOST_COUPONS:
        return _image_of_coupons(unique)
    registers = Registers()
    registers.add(unique)
    return registers.image()


def merged_sketch(images: Sequence[bytes], coupons: Coupons) -> bytes:
    """The image of a sketch of everything in these sketches, and of these coupons."""
    lists = [_coupons_in(image) for image in images]
    if all(found is not None for found in lists):
        return sketch_of(
            np.concatenate([coupons, *(found for found in lists if found is not None)])
        )
    return _union(images, coupons).image()


def estimate(images: Sequence[bytes], coupons: Coupons) -> float:
    """How many distinct ids were added to these sketches or gave these coupons."""
    return _union(images, coupons).estimate()


def _union(images: Sequence[bytes], coupons: Coupons) -> "Registers":
    registers = Registers()
    lists = [coupons]
    for image in images:
        found = _coupons_in(image)
        if found is None:
            registers.add_image(image)
        else:
            lists.append(found)
    registers.add(np.concatenate(lists))
    return registers


class Registers:
    """The registers of a sketch: those of even numbers, then those of odd ones, as an image has them
    in the lower and the upper half of its bytes."""

    def __init__(self) -> None:
        self._values = np.zeros(REGISTERS, np.uint8)

    def add(self, coupons: Coupons) -> None:
        """Add ids by their coupons."""
        values = (coupons >> np.uint32(_VALUE_BITS)).astype(np.uint8)
        np.maximum.at(self._values, _places(coupons), values)

    def add_image(self, image: bytes) -> None:
        """Add a sketch by its image, one of registers."""
        smallest = image[6]
        nibbles = np.frombuffer(image, np.uint8, REGISTERS // 2, _HEADER.size + _NUMBERS.size)
        added = np.concatenate([nibbles & np.uint8(15), nibbles >> np.uint8(4)])
        if smallest:
            added += np.uint8(smallest)
        np.maximum(self._values, added, out=self._values)
        exceptions = np.frombuffer(image, "<u4", -1, _HEADER.size + _NUMBERS.size + len(nibbles))
        if len(exceptions):  # where one is, too small a value was added
            self.add(exceptions)

    def estimate(self) -> float:
        """The library's estimate of how many ids were added."""
        header = _HEADER.pack(10, 1, _FAMILY, LG_K, 0, _COMPACT | _OUT_OF_ORDER, 0, _HLL8)
        numbers = _NUMBERS.pack(
            0.0, self._sum_of_powers(), 0.0, int(np.count_nonzero(self._values == 0)), 0
        )
        sketch = hll_sketch.deserialize(header + numbers + self._values.tobytes())
        return float(sketch.get_estimate())

    def image(self) -> bytes:
        """The image of a sketch with these registers."""
        smallest = int(self._values.min())
        above = self._values - np.uint8(smallest)
        is_exception = above >= _EXCEPTION
        nibbles = np.where(is_exception, np.uint8(_EXCEPTION), above)
        places = np.flatnonzero(is_exception)
        exceptions = _slots(places) | (
            self._values[places].astype(np.uint32) << np.uint32(_VALUE_BITS)
        )
        flags = _COMPACT | _OUT_OF_ORDER
        header = _HEADER.pack(10, 1, _FAMILY, LG_K, 0, flags, smallest, _HLL4)
        numbers = _NUMBERS.pack(
            0.0, self._sum_of_powers(), 0.0, int(np.count_nonzero(above == 0)), len(places)
        )
        half = REGISTERS // 2
        packed = nibbles[:half] | (nibbles[half:] << np.uint8(4))
        return b"".join([header, numbers, packed.tobytes(), exceptions.astype("<u4").tobytes()])

    def _sum_of_powers(self) -> float:
        """The sum of 2^-value over all registers, exact: as floats of these exponents."""
        bits = self._values.astype(np.uint32)
        np.subtract(np.uint32(127), bits, out=bits)
        np.left_shift(bits, np.uint32(23), out=bits)
        return float(bits.view(np.float32).sum(dtype=np.float64))


def _places(coupons: Coupons) -> npt.NDArray[Any]:
    """Where in Registers the registers of coupons are."""
    slots = coupons & np.uint32(REGISTERS - 1)
    return (slots >> np.uint32(1)) | ((slots & np.uint32(1)) << np.uint32(LG_K - 1))


def _slots(places: npt.NDArray[Any]) -> Coupons:
    """The registers' numbers of these places."""
    half = REGISTERS // 2
    return np.where(places < half, 2 * places, 2 * (places - half) + 1).astype(np.uint32)


def _coupons_in(image: bytes) -> Coupons | None:
    """The coupons that an image lists; None for one of registers."""
    kind = image[7]
    if kind == _LIST:
        return np.frombuffer(image, "<u4", offset=8)
    if kind == _SET:
        return np.frombuffer(image, "<u4", offset=12)
    return None


def _image_of_coupons(coupons: Coupons) -> bytes:
    """As a list up to seven, as a hash set beyond, whose size the library wants to be told."""
    listed = coupons.astype("<u4").tobytes()
    if len(coupons) < 8:
        return _HEADER.pack(2, 1, _FAMILY, LG_K, 3, _COMPACT, len(coupons), _LIST) + listed
    size = 5
    while 4 * len(coupons) > 3 << size:
        size += 1
    header = _HEADER.pack(3, 1, _FAMILY, LG_K, size, _COMPACT, 0, _SET)
    return header + struct.pack("<I", len(coupons)) + listed


def _murmur3(words: Hashes) -> tuple[Hashes, Hashes]:
    """MurmurHash3 for x64 of eight bytes each, 128 bits."""
    first = words * np.uint64(0x87C37B91114253D5)
    first = _rotated(first, 31) * np.uint64(0x4CF5AD432745937F)
    length = np.uint64(8)
    first = (first ^ np.uint64(_SEED)) ^ length
    second = np.uint64(_SEED) ^ length
    first = first + second
    mixed, other = _mixed(first), _mixed(second + first)
    first = mixed + other
    return first, other + first


def _rotated(words: Hashes, bits: int) -> Hashes:
    rotated: Hashes = (words << np.uint64(bits)) | (words >> np.uint64(64 - bits))
    return rotated


def _mixed(words: Hashes) -> Hashes:
    shift = np.uint64(33)
    words = words ^ (words >> shift)
    words = words * np.uint64(0xFF51AFD7ED558CCD)
    words = words ^ (words >> shift)
    words = words * np.uint64(0xC4CEB9FE1A85EC53)
    mixed: Hashes = words ^ (words >> shift)
    return mixed


def _leading_zeros(words: Hashes) -> npt.NDArray[np.int64]:
    """How many of the 64 bits are zero before the first that is not."""
    # As exponents of floats: half at a time, so that nothing is rounded up to the next power of two.
    upper, lower = words >> np.uint64(32), words & np.uint64(0xFFFFFFFF)
    halves = np.where(upper > 0, upper, lower).astype(np.float64)
    _, exponents = np.frexp(halves)
    return np.where(upper > 0, 32, 64) - exponents.astype(np.int64)
