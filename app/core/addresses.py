"""IP addresses as they are compared and counted."""

from ipaddress import IPv4Address, IPv6Address, ip_address

IPV4_IN_IPV6 = "::ffff:"


def parsed_address(text: str) -> IPv4Address | IPv6Address | None:
    """The address; None of what is none. IPv4 by way of an IPv6 socket (::ffff:192.0.2.1) is IPv4."""
    try:
        address = ip_address(text)
    except ValueError:
        return None
    if isinstance(address, IPv6Address):
        return address.ipv4_mapped or address
    return address


def plain_address(text: str) -> str:
    """The same as text, and any other text as it is."""
    return str(parsed_address(text) or text) if text.lower().startswith(IPV4_IN_IPV6) else text
