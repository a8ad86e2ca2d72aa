/*
 * A check: facts -> findings. It reads facts through src/api, reports through dr_report, and does nothing else: it cannot
 * write, print, prompt, spawn or exit (include path, sandbox and a test of its object file see to that).
 *
 * A folder checks/<area>-<subject>/ with check.c defining `const struct dr_check dr_check_<area>_<subject>`, README.md (the
 * text behind `explain`) and cases/. Nothing outside the folder changes; see docs/adding-a-check.md.
 *
 * `visit` is called for each entry of the one shared tree walk (see api/tree.h), before `run`; what it gathers goes into
 * `state` (zeroed, `state_size` bytes). `run` returns 0 when it looked, 1 when the question does not apply here (say why with
 * dr_not_applicable), or a negative errno when it could not look at all.
 */
#ifndef DR_API_CHECK_H
#define DR_API_CHECK_H

#include "api/finding.h"

struct dr_entry;

struct dr_check {
    const char *id;
    const char *title; /* the healthy sentence: "Files belong to the user who runs the gateway" */
    const char *const *tags; /* NULL-ended: "files", "pairing", "tokens", "offline" ... */
    const struct dr_problem *problems;
    size_t problem_count;
    bool live; /* it asks dr_live: probes are started before it, and it runs when they are done, after the other checks */
    size_t state_size;
    void (*visit)(struct dr_context *context, const struct dr_entry *entry, void *state);
    int (*run)(struct dr_context *context, void *state, struct dr_findings *findings);
};

int dr_not_applicable(struct dr_findings *findings, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
