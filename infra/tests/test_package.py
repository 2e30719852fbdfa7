"""`make package` zips what can be built, and says what is missing for the rest. The compilers are stand-ins."""

import pathlib
import platform
import subprocess
import sys
import tempfile
import unittest
import zipfile

SCRIPT = pathlib.Path(__file__).resolve().parents[1] / "package"
TRIPLES = {"x86_64": "x86_64-unknown-linux-gnu", "arm64": "aarch64-unknown-linux-gnu"}
OWN = {"x86_64": "x86_64", "aarch64": "arm64"}.get(platform.machine())

# Writes a binary where cargo would, that says for what and with which linker it was built.
CARGO = """#!/bin/sh
for word in "$@"; do triple=$word; done
mkdir -p "$CARGO_TARGET_DIR/$triple/release"
env | grep ^CARGO_TARGET_.*_LINKER= | sort > "$CARGO_TARGET_DIR/$triple/release/bootstrap"
"""


@unittest.skipUnless(OWN, "a machine of another kind builds neither")
class Package(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.program("cargo", CARGO)
        self.program("rustc", f"#!/bin/sh\necho {self.folder}/sysroot\n")
        self.program("cc", "#!/bin/sh\n")
        (self.folder / "bin" / "python3").symlink_to(pathlib.Path(sys.executable).resolve())
        for name in ("sh", "env", "grep", "sort", "mkdir", "dirname", "uname"):
            found = subprocess.run(["sh", "-c", f"command -v {name}"], check=True, capture_output=True, text=True).stdout
            (self.folder / "bin" / name).symlink_to(found.strip())

    def program(self, name, text):
        path = self.folder / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
        path.chmod(0o755)

    def run_with(self, stds, **variables):
        for arch in stds:
            (self.folder / "sysroot/lib/rustlib" / TRIPLES[arch] / "lib").mkdir(parents=True, exist_ok=True)
        env = {"PATH": str(self.folder / "bin"), "CARGO_TARGET_DIR": str(self.folder / "target"), "HOME": str(self.folder)}
        return subprocess.run(["sh", str(SCRIPT)], env=env | variables, capture_output=True, text=True)

    def zips(self):
        return sorted(path.stem for path in (self.folder / "target").glob("lambda/*.zip"))

    def test_each_is_built_with_its_linker_and_zipped_the_same_every_time(self):
        (other,) = TRIPLES.keys() - {OWN}
        machine = TRIPLES[other].split("-")[0]
        self.program(f"{machine}-linux-gnu-gcc", "#!/bin/sh\n")
        run = self.run_with(TRIPLES)
        self.assertEqual(run.returncode, 0, run.stderr)
        self.assertNotIn("left out", run.stderr)
        self.assertEqual(self.zips(), sorted(TRIPLES))
        archive = self.folder / "target" / "lambda" / f"{other}.zip"
        first = archive.read_bytes()
        with zipfile.ZipFile(archive) as opened:
            (entry,) = opened.infolist()
            self.assertEqual((entry.filename, entry.external_attr >> 16), ("bootstrap", 0o755))
            self.assertIn(f"={machine}-linux-gnu-gcc\n", opened.read(entry).decode())
        self.run_with(TRIPLES)
        self.assertEqual(archive.read_bytes(), first)

    def test_what_is_missing_is_named_and_the_rest_is_built(self):
        (other,) = TRIPLES.keys() - {OWN}
        run = self.run_with([OWN])
        self.assertEqual((run.returncode, self.zips()), (0, [OWN]), run.stderr)
        self.assertIn(f"{other} left out: run `rustup target add {TRIPLES[other]}`", run.stderr)
        run = self.run_with(TRIPLES)
        self.assertEqual((run.returncode, self.zips()), (0, [OWN]), run.stderr)
        self.assertIn(f"{other} left out: install the linker {TRIPLES[other].split('-')[0]}-linux-gnu-gcc", run.stderr)

    def test_a_linker_that_cargo_was_told_of_is_used(self):
        (other,) = TRIPLES.keys() - {OWN}
        self.program("my-ld", "#!/bin/sh\n")
        variable = f"CARGO_TARGET_{TRIPLES[other].upper().replace('-', '_')}_LINKER"
        run = self.run_with(TRIPLES, **{variable: "my-ld"})
        self.assertEqual((run.returncode, self.zips()), (0, sorted(TRIPLES)), run.stderr)

    def test_nothing_built_is_a_failure(self):
        run = self.run_with([])
        self.assertNotEqual(run.returncode, 0)
        self.assertEqual(run.stderr.count("rustup target add"), 2)


if __name__ == "__main__":
    unittest.main()
