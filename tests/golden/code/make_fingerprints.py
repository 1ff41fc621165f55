"""Write the fingerprints of the source texts in this folder; run it after a change of `gamtune.runtime.syntax.FORMAT`."""

import json
from pathlib import Path

from gamtune.runtime.syntax import read_source

folder = Path(__file__).parent
result = {path.name: read_source(path.read_bytes()).fingerprint for path in sorted(folder.glob("*.txt"))}
(folder / "fingerprints.json").write_text(json.dumps(result, indent=2) + "\n")
