"""The lint can fail: each rule is shown a small tree that breaks it, and one that does not."""

import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent

GOOD = {
    "cmake/arrows.txt": "api:\nbase: api\nfacts: base api\n",
    "tests/lint/exceptions.txt": "",
    "src/api/check.h": "int dr_report(int);\n",
    "src/base/buffer.h": "#include <stdio.h>\n",
    "src/base/buffer.c": '#include "base/buffer.h"\n/* strcpy( is only talked about */\nconst char *x = "unlink(";\n',
    "src/facts/target.c": '#include "base/buffer.h"\n',
    "checks/files-modes/check.c": '#include "api/check.h"\n#include <string.h>\n',
}


class Lint(unittest.TestCase):
    def setUp(self):
        self.root = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.root)
        for name, text in GOOD.items():
            self.write(name, text)

    def write(self, name, text):
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def run_lint(self, script, *arguments):
        command = [sys.executable, "-B", str(HERE / script), str(self.root), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        return done.returncode, done.stdout + done.stderr

    def refuses(self, script, words, *arguments):
        status, output = self.run_lint(script, *arguments)
        self.assertEqual(status, 1, output)
        self.assertIn(words, output)

    def test_good_tree_passes(self):
        for script in ("arrows.py", "banned.py", "writers.py"):
            status, output = self.run_lint(script)
            self.assertEqual(status, 0, output)

    def test_upward_include(self):
        self.write("src/base/buffer.c", '#include "facts/target.h"\n')
        self.refuses("arrows.py", "src/base may not include")

    def test_climbing_include(self):
        self.write("src/base/buffer.c", '#include "../facts/target.h"\n')
        self.refuses("arrows.py", "climbs")

    def test_module_sees_api_only(self):
        self.write("checks/files-modes/check.c", '#include "base/buffer.h"\n')
        self.refuses("arrows.py", "a module may not include")

    def test_module_sees_no_unistd(self):
        self.write("checks/files-modes/check.c", "#include <unistd.h>\n")
        self.refuses("arrows.py", "<unistd.h>")

    def test_unknown_room(self):
        self.write("src/attic/a.c", "")
        self.refuses("arrows.py", "no room")

    def test_banned_function(self):
        self.write("src/base/buffer.c", "void f(char *a)\n{\n    strcpy (a, a);\n}\n")
        self.refuses("banned.py", "src/base/buffer.c:3: strcpy: use a dr_buffer")

    def test_banned_constant(self):
        self.write("src/facts/target.c", "char path[PATH_MAX];\n")
        self.refuses("banned.py", "PATH_MAX")

    def test_writer_outside_repair(self):
        self.write("src/facts/target.c", "int f(void)\n{\n    return unlinkat(1, 0, 0);\n}\n")
        self.refuses("writers.py", "unlinkat: only src/repair writes")

    def test_exception_holds_for_its_place_only(self):
        self.write("tests/lint/exceptions.txt", "src/facts/target.c unlinkat told why\nsrc/facts/target.c chmod why\n")
        self.write("src/facts/target.c", "int f(void)\n{\n    return unlinkat(1, 0, 0) + chmod(0, 0);\n}\n")
        for script in ("banned.py", "writers.py"):
            status, output = self.run_lint(script)
            self.assertEqual(status, 0, output)
        self.write("src/base/buffer.c", "int f(void)\n{\n    return unlinkat(1, 0, 0);\n}\n")
        self.refuses("writers.py", "src/base/buffer.c:3: unlinkat")

    def test_stale_exception(self):
        self.write("tests/lint/exceptions.txt", "src/facts/target.c O_RDWR not any more\n")
        self.refuses("writers.py", "matches nothing any more")

    def test_dead_link(self):
        self.write("README.md", "[docs](docs/README.md)\n")
        self.refuses("links.py", "README.md: docs/README.md is not there")

    def compile_module(self, text):
        self.write("checks/files-modes/check.c", text)
        target = self.root / "build/checks/files-modes/check.o"
        target.parent.mkdir(parents=True)
        subprocess.run(["cc", "-c", "-w", "-o", target, self.root / "checks/files-modes/check.c"], check=True)
        return str(target)

    def test_module_that_writes(self):
        made = self.compile_module("int unlink(const char *);\nint f(void)\n{\n    return unlink(0);\n}\n")
        self.refuses("symbols.py", "calls unlink()", "nm", made)

    def test_module_that_reaches_past_the_api(self):
        made = self.compile_module("int dr_repair_begin(void);\nint f(void)\n{\n    return dr_repair_begin();\n}\n")
        self.refuses("symbols.py", "calls dr_repair_begin()", "nm", made)

    def test_module_that_only_reports(self):
        made = self.compile_module("int dr_report(int);\nint f(void)\n{\n    return dr_report(1);\n}\n")
        status, output = self.run_lint("symbols.py", "nm", made)
        self.assertEqual(status, 0, output)

    def registry(self, text):
        dump = self.root / "dump"
        dump.write_text(f"#!/bin/sh\nprintf '{text}'\n")
        dump.chmod(0o755)
        return str(dump)

    def test_problem_without_case(self):
        dump = self.registry("check\\tfiles-modes\\nproblem\\tfiles-modes/open\\tmode-set\\nfixer\\tmode-set\\n")
        self.write("checks/files-modes/cases/healthy/case.json", "{}")
        self.refuses("cases.py", "no case expects it", dump)
        self.write("checks/files-modes/cases/open/case.json", '{"findings": ["files-modes/open"]}')
        status, output = self.run_lint("cases.py", dump)
        self.assertEqual(status, 0, output)

    def test_check_without_healthy_case(self):
        self.refuses("cases.py", "no healthy case", self.registry("check\\tfiles-modes\\n"))

    def test_fixer_that_nobody_names(self):
        self.refuses("cases.py", "no problem names it", self.registry("fixer\\tmode-set\\n"))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
