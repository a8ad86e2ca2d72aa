#!/usr/bin/env python3
"""The harness proves itself: a snapshot that missed a change, or a process left behind, would make the real tests worthless."""
import os
import pathlib
import subprocess
import sys
import tempfile
import textwrap
import time
import unittest

import harness
import prove


class Snapshots(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.root = pathlib.Path(self.folder.name)
        self.file = self.root / "devices" / "paired.json"
        self.file.parent.mkdir()
        self.file.write_text("{}")
        (self.root / "link").symlink_to("devices")
        self.before = harness.snapshot(self.root)

    def changed(self, **options):
        return [line.rsplit("/", 1)[-1].split(" ")[:2] for line in
                harness.differences(self.before, harness.snapshot(self.root), **options)]

    def test_nothing(self):
        self.assertEqual(self.changed(), [])

    def test_mode(self):
        self.file.chmod(0o640)
        self.assertIn(["paired.json:", "mode"], self.changed())

    def test_same_size_and_time(self):
        info = self.file.stat()
        self.file.write_text("[]")
        os.utime(self.file, ns=(info.st_atime_ns, info.st_mtime_ns))
        self.assertEqual(self.changed(), [["paired.json:", "sha256"]])

    def test_time_alone(self):
        os.utime(self.file, ns=(1, 1))
        self.assertEqual(self.changed(), [["paired.json:", "mtime"]])
        self.assertEqual(self.changed(fields=harness.SAME_CONTENT), [])

    def test_replaced_by_a_copy(self):
        copy = self.root / "copy"
        copy.write_text("{}")
        os.utime(copy, ns=(self.file.stat().st_atime_ns, self.file.stat().st_mtime_ns))
        copy.chmod(0o644)
        copy.rename(self.file)
        self.assertIn(["paired.json:", "inode"], self.changed())

    def test_new_gone_and_link(self):
        (self.root / "new").write_text("")
        self.file.unlink()
        (self.root / "link").unlink()
        (self.root / "link").symlink_to("elsewhere")
        changed = self.changed(fields=harness.SAME_CONTENT)
        for line in (["new:", "new"], ["paired.json:", "gone"], ["link:", "target"]):
            self.assertIn(line, changed)

    def test_ignored(self):
        self.file.chmod(0o640)
        self.assertEqual(self.changed(ignore=("/paired.json",)), [])


class Reports(unittest.TestCase):
    def report(self, text, code=0):
        return harness.Report(harness.Result(["doctor"], code, text, ""))

    def test_whole_names_only(self):
        report = self.report('{"findings": [{"checkId": "token-mismatch/env", "severity": "warning"}]}')
        self.assertTrue(prove.has(report, "token-mismatch"))
        self.assertTrue(prove.has(report, "token-mismatch/env"))
        self.assertFalse(prove.has(report, "token"))

    def test_information_does_not_count(self):
        report = self.report('{"findings": [{"checkId": "token-mismatch/env", "severity": "info"}]}')
        self.assertFalse(prove.has(report, "token-mismatch"))

    def test_no_document(self):
        with self.assertRaises(harness.Failure):
            self.report("Segmentation fault")


def command_lines() -> list:
    lines = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes())
        except OSError:  # ended meanwhile
            pass
    return lines


class Processes(unittest.TestCase):
    def test_time_limit(self):
        began = time.monotonic()
        with self.assertRaises(harness.Failure):
            harness.run(["/bin/sh", "-c", "sleep 60 & sleep 60"], env={}, timeout=1)
        self.assertLess(time.monotonic() - began, 10)

    def test_nothing_outlives_the_test(self):
        """A child that leaves its session and its parent is still killed when the test ends, and when it is killed."""
        program = textwrap.dedent("""
            import os, signal, sys, time
            import harness
            harness._spawn(["/bin/sh", "-c", "sleep MARK1 & setsid sleep MARK2 & sleep MARK3".replace("MARK", sys.argv[2])])
            time.sleep(0.5)
            print("ready", flush=True)
            if sys.argv[1] == "raise":
                raise SystemExit(3)
            time.sleep(60)
        """)
        mark = f"61.{os.getpid()}"  # no other checkout's test has the same
        for how in ("raise", "term"):
            child = subprocess.Popen([sys.executable, "-c", program, how, mark], stdout=subprocess.PIPE,
                                     cwd=pathlib.Path(harness.__file__).parent)
            child.stdout.readline()
            if how == "term":
                child.terminate()
            child.wait(timeout=20)
            child.stdout.close()
            self.assertEqual([line for line in command_lines() if line.startswith(b"sleep\0" + mark.encode())], [])


if __name__ == "__main__":
    unittest.main()
