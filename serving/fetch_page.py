"""Fetch what the page needs beside our own files: LiteRT for the browser, two packages of npm, in .data/litert_js/."""

from coursekit import places
from serving import npm

FOLDER = places.FETCHED / "litert_js"
WASM = [f"wasm/litert_wasm{kind}_internal.{end}" for kind in ("", "_compat") for end in ("js", "wasm")]
PACKAGES = {
    "@litertjs/core": (
        "2.5.3",
        "PlGmbMOq9WitX7FO0jhbdJw9GthatsyuCQXjTt/wJZo0FLaw48q4tz8IwqgqCIkviYGr9OFDL1kCnN4nzWoyJQ==",
        ["dist/index.js", *WASM],
    ),
    "@litertjs/wasm-utils": (
        "2.5.3",
        "4fJiw6tBQnIs+0jH/OQ16nYOiSl8/+zZnn5h2ul8aTKHi05sVqZW580Tmk78pC2kT39A9OYBVdFawteZ/sI1kQ==",
        ["dist/index.js"],
    ),
}

if __name__ == "__main__":
    npm.fetch(FOLDER, PACKAGES)
