#!/usr/bin/env bash
# Builds the wheel and tests it where the checkout cannot be imported: what users get is what is tested.
# Run by `make wheel`.
set -euo pipefail

checkout=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
uv=$checkout/.venv/bin/uv
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT

cd "$checkout"
rm -rf dist
"$uv" build --quiet --wheel --out-dir dist
"$uv" venv --quiet --seed --python .venv/bin/python "$place/venv"
"$uv" pip install --quiet --python "$place/venv/bin/python" -c constraints.txt --group test dist/*.whl

mkdir "$place/tests"
cp pyproject.toml "$place"
cp -r tests/conftest.py tests/cache tests/flow tests/plugins "$place/tests"
cd "$place"
PATH=$place/venv/bin:$PATH
python - <<'PYTHON'
import moabot, moabot_cache, moabot_platforms, moabot_providers, moabot_strategies
for room in (moabot, moabot_strategies, moabot_providers, moabot_platforms, moabot_cache):
    assert "site-packages" in room.__file__, room.__file__
PYTHON
moabot --version

# A third party's distribution, as its users get it: two steps, then a question.
cp -r "$checkout/examples/moabot-acme" "$place/acme" # a builder leaves files where it builds
cp acme/config.toml .
"$uv" build --quiet --wheel acme
moabot plugins install acme/dist/*.whl --yes
grep --quiet 'moabot-acme==0.1.0 sha256:' config.toml
moabot plugins verify --ask
answer=$(moabot ask --strategy longest 'is it so?')
[[ $answer == "IS IT SO?"* ]]
pytest --quiet -p no:cacheprovider acme/tests
moabot plugins remove moabot-acme

pytest --quiet -n 2 -p no:cacheprovider tests/plugins tests/cache/test_semantic.py tests/flow/test_ask.py \
  tests/flow/test_demo.py
