"""Fifty user agents as browsers send them. Browsers say little that differs by now, hence the patterns."""

_WINDOWS = "Windows NT 10.0; Win64; x64"
_MAC = "Macintosh; Intel Mac OS X 10_15_7"
_LINUX = "X11; Linux x86_64"
_BLINK = "AppleWebKit/537.36 (KHTML, like Gecko)"
_WEBKIT = "AppleWebKit/605.1.15 (KHTML, like Gecko)"


def _chrome(system: str, version: int, more: str = "") -> str:
    return f"Mozilla/5.0 ({system}) {_BLINK} Chrome/{version}.0.0.0 Safari/537.36{more}"


def _chrome_mobile(system: str, version: int, browser: str = "") -> str:
    return f"Mozilla/5.0 ({system}) {_BLINK} {browser}Chrome/{version}.0.0.0 Mobile Safari/537.36"


def _firefox(system: str, version: int) -> str:
    return f"Mozilla/5.0 ({system}; rv:{version}.0) Gecko/20100101 Firefox/{version}.0"


def _safari(version: str) -> str:
    return f"Mozilla/5.0 ({_MAC}) {_WEBKIT} Version/{version} Safari/605.1.15"


def _safari_mobile(device: str, version: str) -> str:
    system = version.replace(".", "_")
    like = f"CPU {'iPhone ' if device == 'iPhone' else ''}OS {system} like Mac OS X"
    return f"Mozilla/5.0 ({device}; {like}) {_WEBKIT} Version/{version} Mobile/15E148 Safari/604.1"


USER_AGENTS = (
    *(_chrome(system, v) for system in (_WINDOWS, _MAC, _LINUX) for v in (138, 139, 140, 141, 142)),
    *(_chrome(_WINDOWS, v, f" Edg/{v}.0.0.0") for v in (140, 141, 142)),
    *(_chrome(_WINDOWS, v, " OPR/122.0.0.0") for v in (137, 138)),
    *(_chrome_mobile("Linux; Android 10; K", v) for v in (138, 139, 140, 141, 142)),
    *(
        _chrome_mobile(f"Linux; Android {system}; {model}", 130, "SamsungBrowser/28.0 ")
        for system, model in ((13, "SM-A536B"), (14, "SM-S911B"), (14, "SM-S921B"))
    ),
    *(_firefox(_WINDOWS, v) for v in (128, 143, 144, 145)),
    *(_firefox("Macintosh; Intel Mac OS X 10.15", v) for v in (144, 145)),
    *(_firefox("X11; Ubuntu; Linux x86_64", v) for v in (144, 145)),
    *(_safari(v) for v in ("17.6", "18.4", "18.5", "18.6")),
    *(_safari_mobile("iPhone", v) for v in ("16.7", "17.6", "17.7", "18.4", "18.5", "18.6")),
    *(_safari_mobile("iPad", v) for v in ("16.7", "17.6", "17.7", "18.6")),
)
