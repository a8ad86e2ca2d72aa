/*
 * Findings as the engine keeps them (the module side is api/finding.h). Everything lives in the run's arena.
 */
#ifndef DR_ENGINE_FINDING_H
#define DR_ENGINE_FINDING_H

#include "api/check.h"
#include "facts/context.h"

enum { DR_FINGERPRINT_HEX = 17 };

struct dr_named {
    const char *name;
    const char *value; /* for secrets: the fingerprint */
    bool secret;
    struct dr_named *next;
};

struct dr_finding {
    struct dr_context *context;
    const struct dr_check *check;
    const struct dr_problem *problem;
    struct dr_source subject;
    enum dr_severity severity;
    enum dr_confidence confidence;
    enum dr_safety safety;
    const char *why;
    const char *identity; /* NULL: the place is enough */
    struct dr_named *words; /* of the sentences, not shown apart */
    struct dr_named *evidence;
    struct dr_named *arguments;
    char fingerprint[DR_FINGERPRINT_HEX];
    struct dr_finding *next;
};

struct dr_unknown {
    struct dr_source subject;
    const char *reason;
    struct dr_unknown *next;
};

/* The sink of one check. */
struct dr_findings {
    struct dr_context *context;
    const struct dr_check *check;
    struct dr_finding *first, **last;
    size_t count;
    bool overflow; /* more than DR_MOST_FINDINGS */
    struct dr_unknown *unknowns, **last_unknown;
    const char *not_applicable;
};

void dr_findings_init(struct dr_findings *findings, struct dr_context *context, const struct dr_check *check);

/* Gives each finding its fingerprint: stable over runs and machines for the same check, problem, place and ordinal. */
void dr_findings_seal(struct dr_findings *findings);

/* The template with its evidence filled in (arena); an unknown name stays as "{name}", which a test looks for. */
const char *dr_finding_expand(const struct dr_finding *finding, const char *template);

#endif
