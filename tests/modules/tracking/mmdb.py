"""Writes a MaxMind-format database, as small as it can be (MaxMind DB File Format, version 2.0)."""

from ipaddress import ip_network
from pathlib import Path
from typing import Any

Tree = list[Any]  # [left, right]: each a Tree, None, or what is stored of a network


def write_database(path: Path, networks: dict[str, Any]) -> None:
    """A database of these IPv4 networks, none of which is in another, and what is known of each."""
    root: Tree = [None, None]
    for network, known in networks.items():
        _place(root, network, known)
    nodes: list[Tree] = []
    _number(root, nodes)
    data, offsets = b"", {}
    for known in networks.values():
        if id(known) not in offsets:
            offsets[id(known)] = len(data)
            data += _encoded(known)
    places = {id(node): number for number, node in enumerate(nodes)}
    search_tree = b"".join(
        _record(child, places, offsets, len(nodes)).to_bytes(4, "big")
        for node in nodes
        for child in node
    )
    about = {
        "node_count": _unsigned(6, 4, len(nodes)),
        "record_size": _unsigned(5, 2, 32),
        "ip_version": _unsigned(5, 2, 4),
        "database_type": "Test",
        "languages": ["en"],
        "binary_format_major_version": _unsigned(5, 2, 2),
        "binary_format_minor_version": _unsigned(5, 2, 0),
        "build_epoch": _unsigned(9, 8, 1),
        "description": {"en": "A test"},
    }
    metadata = b"\xab\xcd\xefMaxMind.com" + _encoded(about)
    path.write_bytes(search_tree + bytes(16) + data + metadata)


def _place(root: Tree, network: str, known: Any) -> None:
    parsed = ip_network(network)
    bits = f"{int(parsed.network_address):032b}"[: parsed.prefixlen]
    node = root
    for bit in map(int, bits[:-1]):
        if node[bit] is None:
            node[bit] = [None, None]
        node = node[bit]
    node[int(bits[-1])] = known


def _number(node: Tree, nodes: list[Tree]) -> None:
    nodes.append(node)
    for child in node:
        if isinstance(child, list):
            _number(child, nodes)


def _record(child: Any, places: dict[int, int], offsets: dict[int, int], count: int) -> int:
    if child is None:
        return count
    if isinstance(child, list):
        return places[id(child)]
    return count + 16 + offsets[id(child)]


def _unsigned(kind: int, size: int, value: int) -> bytes:
    """A number of a type of the format; types from 8 on are extended ones."""
    head = bytes([kind << 5 | size]) if kind < 8 else bytes([size, kind - 7])
    return head + value.to_bytes(size, "big")


def _encoded(value: Any) -> bytes:
    if isinstance(value, str):
        text = value.encode()
        return bytes([2 << 5 | len(text)]) + text
    if isinstance(value, bytes):
        return value  # encoded already
    if isinstance(value, list):
        return bytes([len(value), 11 - 7]) + b"".join(map(_encoded, value))
    inner = b"".join(_encoded(key) + _encoded(each) for key, each in value.items())
    return bytes([7 << 5 | len(value)]) + inner
