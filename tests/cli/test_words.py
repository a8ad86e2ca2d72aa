#!/usr/bin/env python3
"""test_words.py DOCTOR: the command line from outside. Exit status, one document on stdout, one clear line on stderr."""

import json
import os
import pathlib
import pty
import shutil
import subprocess
import sys
import tempfile
import unittest

DOCTOR = str(pathlib.Path(sys.argv.pop()).resolve())
SOURCE = pathlib.Path(__file__).resolve().parents[2]
CAPTURES = SOURCE / "fixtures" / "captures"


class Home(unittest.TestCase):
    """Each test has a scratch folder with a copy of a home in it."""

    capture = "a0-fresh-local-paired-2026.2.19"

    def setUp(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="dr-cli-"))
        self.addCleanup(shutil.rmtree, self.top)
        self.home = self.top / "home"
        self.home.mkdir()
        if self.capture:
            subprocess.run(["tar", "xzf", CAPTURES / f"{self.capture}.tar.gz", "-C", self.home], check=True)

    def run_doctor(self, *words, exit, env=None, program=DOCTOR, cwd=None, stdin=subprocess.DEVNULL):
        environment = {"HOME": str(self.home), "PATH": "/usr/bin:/bin", "TMPDIR": str(self.top), **(env or {})}
        environment.update({name: os.environ[name] for name in os.environ if name.endswith("SAN_OPTIONS")})
        done = subprocess.run([program, *words], env=environment, cwd=cwd or self.top, stdin=stdin, capture_output=True,
                              text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, exit, f"{words}\n{done.stdout}\n{done.stderr}")
        return done

    def document(self, *words, exit, **more):
        done = self.run_doctor("--json", *words, exit=exit, **more)
        return json.loads(done.stdout)

    def break_pairing(self):
        (self.home / ".openclaw/devices/pending.json").write_text("[]")

    def loosen(self):
        (self.home / ".openclaw").chmod(0o755)
        (self.home / ".openclaw/openclaw.json").chmod(0o644)


class Usage(Home):
    def test_every_wrong_word_is_one_line_and_64(self):
        for words, text in {("--bogus",): "--bogus",
                            ("frobnicate",): "frobnicate",
                            ("--only", "no-such-check"): "no-such-check",
                            ("--only", "files-modes/no-such-problem"): "no-such-problem",
                            ("--severity-min", "fatal"): "fatal",
                            ("--exit-style", "vms"): "vms",
                            ("--format", "yaml"): "yaml",
                            ("--timeout", "soon"): "soon",
                            ("--timeout", "-1"): "-1",
                            ("--state-dir",): "--state-dir",
                            ("--state-dir", ""): "--state-dir",
                            ("--dry-run",): "--dry-run",
                            ("apply",): "apply",
                            ("undo", "a", "b"): "undo",
                            ("history", "x"): "history",
                            ("--fix", "undo"): "undo",
                            ("--root", "relative"): "--root",
                            ("--detailed-exit",): "--detailed-exit"}.items():
            with self.subTest(words=words):
                done = self.run_doctor(*words, exit=64)
                self.assertEqual(done.stdout, "")
                self.assertEqual(done.stderr.count("\n"), 1, done.stderr)
                self.assertIn(text, done.stderr)
                document = self.document(*words, exit=64)
                self.assertFalse(document["ok"])
                self.assertEqual(document["error"]["type"], "usage")
                self.assertEqual(document["exit"]["code"], 64)

    def test_words_that_need_no_home(self):
        for words, text in {("--help",): "--fix", ("-h",): "undo", ("--version",): "openclaw-doctor ",
                            ("--print-schema",): "json-schema", ("list",): "files-modes",
                            ("explain", "1008"): "1008"}.items():
            with self.subTest(words=words):
                done = self.run_doctor(*words, exit=0, env={"HOME": "/nonexistent"})
                self.assertIn(text, done.stdout)
                self.assertEqual(done.stderr, "")

    def test_openclaws_own_words_are_accepted(self):
        self.document("--lint", "--all", "--deep", "--non-interactive", "--no-workspace-suggestions", exit=0)


class Target(Home):
    def test_no_home_is_2_with_the_places_looked_at(self):
        done = self.run_doctor(exit=2, env={"HOME": "/nonexistent"})
        self.assertIn("/nonexistent", done.stderr)
        document = self.document(exit=2, env={"HOME": "/nonexistent"})
        self.assertIn("/nonexistent", document["error"]["message"])

    def test_the_state_directory_is_no_folder(self):
        file = self.top / "file"
        file.write_text("x")
        self.assertIn("not a folder", self.run_doctor("--state-dir", str(file), exit=2).stderr)

    def test_a_user_who_does_not_exist(self):
        self.assertIn("no such user", self.run_doctor("--user", "nobody-of-that-name", exit=2).stderr)

    def test_a_root_that_does_not_exist(self):
        self.assertIn("/nowhere", self.run_doctor("--root", "/nowhere", exit=2).stderr)

    def test_a_root_is_looked_at_as_its_own_machine(self):
        document = self.document("--root", str(self.top), exit=0, env={"HOME": "/home"})
        self.assertEqual(document["target"]["kind"], "root")
        self.assertTrue(document["ok"])

    def test_a_broken_configuration_is_unknown_with_line_and_column(self):
        (self.home / ".openclaw/openclaw.json").write_text('{\n  "gateway": {\n    "port": 1,,\n')
        document = self.document(exit=3)
        self.assertTrue(any("openclaw.json:3:" in unknown["reason"] for unknown in document["unknowns"]), document["unknowns"])
        self.assertIn("openclaw.json:3:", self.run_doctor(exit=3).stdout)


class Selection(Home):
    def statuses(self, *words):
        return {check["id"]: check["status"] for check in self.document(*words, exit=0)["checks"]}

    def test_only_skip_and_tag(self):
        only = self.statuses("--only", "files-modes")
        self.assertEqual([check for check, status in only.items() if status != "skipped"], ["files-modes"])
        self.assertEqual(self.statuses("--skip", "files-modes")["files-modes"], "skipped")
        tags = json.loads(self.run_doctor("list", "--json", exit=0).stdout)
        first = tags["checks"][0]
        self.assertNotEqual(self.statuses("--tag", first["tags"][0])[first["id"]], "skipped")

    def test_a_single_problem(self):
        self.loosen()
        self.document("--only", "files-modes/open-to-others", exit=1)
        self.document("--only", "files-modes/too-tight", exit=0)
        self.document("--skip", "files-modes/open-to-others", "--skip", "files-modes/dir-open", exit=0)


class Output(Home):
    def test_a_report_into_a_file_leaves_stdout_empty(self):
        target = self.top / "report.json"
        done = self.run_doctor("--json", "-o", str(target), exit=0)
        self.assertEqual(done.stdout, "")
        self.assertTrue(json.loads(target.read_text())["ok"])
        self.assertEqual(target.stat().st_mode & 0o777, 0o600)

    def test_a_file_that_cannot_be_written_is_2(self):
        self.assertIn("/nowhere/x", self.run_doctor("-o", "/nowhere/x", exit=2).stderr)

    def test_a_full_disk_is_2(self):
        self.run_doctor("--json", "-o", "/dev/full", exit=2)

    def test_deterministic_runs_are_equal(self):
        self.loosen()
        first = self.run_doctor("--json", "--deterministic", exit=1).stdout
        self.assertEqual(first, self.run_doctor("--json", "--deterministic", exit=1).stdout)

    def test_exit_zero_and_styles(self):
        self.loosen()
        self.run_doctor("--exit-zero", exit=0)
        self.run_doctor("--exit-style", "health", exit=1)
        self.run_doctor("--severity-min", "error", exit=0 if self.severities() == {"warning"} else 1)

    def severities(self):
        return {finding["severity"] for finding in self.document(exit=1)["findings"]}


class Repair(Home):
    def test_dry_run_changes_nothing_and_says_what_it_would(self):
        self.loosen()
        before = sorted(str(path) for path in self.home.rglob("*"))
        done = self.run_doctor("--fix", "--dry-run", exit=1)
        self.assertIn("0600 instead of 0644", done.stdout)
        self.assertEqual(before, sorted(str(path) for path in self.home.rglob("*")))

    def test_a_hint_that_is_repaired_stands_in_the_plan(self):
        config = self.home / ".openclaw/openclaw.json"
        config.chmod(0o644)  # behind a closed folder: a hint, repaired all the same
        done = self.run_doctor("--fix", "--dry-run", exit=0)
        self.assertIn("openclaw.json: mode 0600 instead of 0644", done.stdout)
        self.run_doctor("--fix", exit=0)
        self.assertEqual(config.stat().st_mode & 0o777, 0o600)

    def test_fix_then_nothing_to_do_then_undo(self):
        self.loosen()
        config = self.home / ".openclaw/openclaw.json"
        self.run_doctor("--fix", exit=0)
        self.assertEqual(config.stat().st_mode & 0o777, 0o600)
        self.assertEqual(len(json.loads(self.run_doctor("--json", "history", exit=0).stdout)), 1)
        self.run_doctor("--fix", exit=0)
        self.assertEqual(len(json.loads(self.run_doctor("--json", "history", exit=0).stdout)), 1)
        self.run_doctor("undo", exit=0)
        self.assertEqual(config.stat().st_mode & 0o777, 0o644)
        self.assertIn("no run to undo", self.run_doctor("undo", exit=2).stderr)

    def test_undo_refuses_what_was_changed_since(self):
        self.break_pairing()
        pending = self.home / ".openclaw/devices/pending.json"
        self.run_doctor("--fix", exit=0)
        self.assertEqual(pending.read_text(), "{}")
        pending.write_text('{"mine": 1}')
        self.run_doctor("undo", exit=1)
        self.assertEqual(pending.read_text(), '{"mine": 1}')
        self.run_doctor("undo", "--force", exit=0)
        self.assertEqual(pending.read_text(), "[]")

    def test_a_journal_elsewhere(self):
        self.loosen()
        journal = self.top / "journal"
        journal.mkdir(mode=0o700)
        self.run_doctor("--fix", "--journal-dir", str(journal), exit=0)
        self.assertFalse((self.home / ".openclaw/openclaw-doctor/runs").exists())
        self.assertEqual(len(list(journal.iterdir())), 1)
        self.run_doctor("undo", "--journal-dir", str(journal), exit=0)


class Plans(Home):
    def plan(self, *words):
        self.loosen()
        plan = self.top / "plan.json"
        self.run_doctor("plan", "-o", str(plan), *words, exit=0)
        return plan

    def test_a_saved_plan_is_carried_out(self):
        plan = self.plan()
        self.run_doctor("apply", str(plan), exit=0)
        self.assertEqual((self.home / ".openclaw/openclaw.json").stat().st_mode & 0o777, 0o600)

    def test_a_stale_plan_is_refused(self):
        plan = self.plan("--only", "files-modes/open-to-others")
        config = self.home / ".openclaw/openclaw.json"
        os.replace(shutil.copy2(config, self.top / "copy"), config)
        document = self.document("apply", str(plan), exit=1)
        self.assertIn(("~/.openclaw/openclaw.json", "refused"),
                      {(repair["path"], repair["status"]) for repair in document["repairs"]})
        self.assertEqual(config.stat().st_mode & 0o777, 0o644)

    def test_detailed_exit(self):
        self.run_doctor("plan", "--detailed-exit", exit=0)
        self.loosen()
        self.run_doctor("plan", "--detailed-exit", exit=2)
        self.run_doctor("plan", "--detailed-exit", exit=1, env={"HOME": "/nonexistent"})

    def test_bad_plans_are_one_line_and_2(self):
        plan = self.plan()
        good = plan.read_text()
        for text, words in {"": "not valid JSON", "{": "plan.json:1: not valid JSON", "{\n\n!": "plan.json:3: not valid JSON",
                            "[]": "not a plan", "{}": "not a plan", '{"planVersion": 2}': "not a plan",
                            '{"planVersion": 1}': "findings",
                            good.replace(str(self.home) + "/.openclaw\"", "/elsewhere\""): "/elsewhere"}.items():
            with self.subTest(words=words):
                plan.write_text(text)
                done = self.run_doctor("apply", str(plan), exit=2)
                self.assertEqual(done.stderr.count("\n"), 1)
                self.assertIn(words, done.stderr)
        self.assertIn("no such file", self.run_doctor("apply", str(self.top / "none"), exit=2).stderr)

    def test_a_plan_that_reaches_outside_is_refused(self):
        plan = self.plan()
        victim = pathlib.Path("/etc/hostname")
        mode = victim.stat().st_mode
        document = json.loads(plan.read_text())
        for operation in document["operations"]:
            operation["path"] = str(victim)
        plan.write_text(json.dumps(document))
        self.document("apply", str(plan), exit=1)
        self.assertEqual(victim.stat().st_mode, mode)

    def test_a_plan_holds_no_secret(self):
        plan = self.plan()
        self.assertNotIn("tok-AAAA", plan.read_text())


class Asked(Home):
    """Unsafe repairs are asked on a terminal, one by one."""

    capture = "k1-scopes-readonly.before"

    def converse(self, answer, *words):
        pid, terminal = pty.fork()
        if pid == 0:
            os.environ.clear()
            os.environ.update(HOME=str(self.home), PATH="/usr/bin:/bin", TERM="dumb")
            os.execv(DOCTOR, [DOCTOR, "--openclaw-version", "2026.2.19", *words])
        text = b""
        answered = False
        while True:
            try:
                piece = os.read(terminal, 4096)
            except OSError:
                break
            text += piece
            if not answered and b"[q]uit:" in text:
                os.write(terminal, answer)
                answered = True
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        return status, text.decode(errors="replace"), answered

    def scopes(self):
        return json.loads((self.home / ".openclaw/devices/paired.json").read_text()).popitem()[1]["scopes"]

    def test_no_leaves_it(self):
        status, text, asked = self.converse(b"n\n", "--fix")
        self.assertTrue(asked, text)
        self.assertEqual(status, 1)
        self.assertEqual(self.scopes(), ["operator.read"])

    def test_yes_does_it(self):
        status, text, asked = self.converse(b"y\n", "--fix")
        self.assertTrue(asked, text)
        self.assertEqual(status, 0, text)
        self.assertIn("operator.admin", self.scopes())

    def test_with_yes_nobody_is_asked_and_no_right_is_granted(self):
        status, _, asked = self.converse(b"", "--fix", "--yes")
        self.assertFalse(asked)
        self.assertEqual(status, 1)
        self.assertEqual(self.scopes(), ["operator.read"])


class UnderTheNameOpenclaw(Home):
    def setUp(self):
        super().setUp()
        self.bin = self.top / "bin"
        self.other = self.top / "other"
        self.bin.mkdir()
        self.other.mkdir()
        (self.bin / "openclaw").symlink_to(DOCTOR)

    def test_doctor_is_answered_here(self):
        done = self.run_doctor("doctor", "--json", exit=0, program=str(self.bin / "openclaw"))
        self.assertTrue(json.loads(done.stdout)["ok"])

    def test_other_words_go_to_the_next_openclaw(self):
        (self.other / "openclaw").write_text("#!/bin/sh\necho \"real: $*\"\nexit 7\n")
        (self.other / "openclaw").chmod(0o755)
        done = self.run_doctor("devices", "list", exit=7, program=str(self.bin / "openclaw"),
                               env={"PATH": f"{self.bin}:{self.other}:/bin"})
        self.assertEqual(done.stdout, "real: devices list\n")

    def test_without_another_one_it_says_so(self):
        done = self.run_doctor("devices", exit=2, program=str(self.bin / "openclaw"), env={"PATH": str(self.bin)})
        self.assertIn("no other openclaw", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=1)
