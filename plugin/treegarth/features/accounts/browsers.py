"""What a browser calls itself (RFC 9110, 10.1.5), in two words: which one, and on what. Pure.

A guess, by which people tell their own apart."""

from __future__ import annotations

import re

BROWSERS = (
    (re.compile(r"Edg(?:e|A|iOS)?/(\d+)"), "Edge"),
    (re.compile(r"OPR/(\d+)"), "Opera"),
    (re.compile(r"Whale/(\d+)"), "Whale"),
    (re.compile(r"SamsungBrowser/(\d+)"), "Samsung Internet"),
    (re.compile(r"(?:Firefox|FxiOS)/(\d+)"), "Firefox"),
    (re.compile(r"(?:Chrome|CriOS)/(\d+)"), "Chrome"),
    (re.compile(r"Version/(\d+)[\d.]* (?:Mobile/\S+ )?Safari/"), "Safari"),
)
"""In this order: most of them also say the names of others."""
SYSTEMS = (
    (re.compile(r"Android"), "Android"),
    (re.compile(r"iPhone|iPad|iPod"), "iOS"),
    (re.compile(r"Windows"), "Windows"),
    (re.compile(r"Macintosh|Mac OS X"), "macOS"),
    (re.compile(r"CrOS"), "ChromeOS"),
    (re.compile(r"Linux|X11"), "Linux"),
)


def browser_in_words(said: str | None) -> str | None:
    """`Firefox 128 · Linux`; what calls itself otherwise is shown as it does."""
    if not said:
        return None
    browser = next((f"{name} {found[1]}" for pattern, name in BROWSERS if (found := pattern.search(said))), None)
    system = next((name for pattern, name in SYSTEMS if pattern.search(said)), None)
    return " · ".join(one for one in (browser, system) if one) if browser else said[:60]
