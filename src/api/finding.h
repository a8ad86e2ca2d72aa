/*
 * A finding: a problem met on a subject, with the evidence for it.
 *
 * dr_report is the only way for a check to speak. It never prints and never decides. Evidence is named; the templates of
 * the problem's row quote it. Secrets go through dr_finding_secret and leave as fingerprints.
 * Arguments are for the fixer alone and are not shown; they never hold a secret (fixers read secrets from the facts).
 */
#ifndef DR_API_FINDING_H
#define DR_API_FINDING_H

#include "api/fact.h"
#include "api/problem.h"

struct dr_findings; /* the sink of one check */
struct dr_finding;

/* `subject` is copied; its path may be NULL. At most DR_MOST_FINDINGS findings per check: report a group as one with a count. */
enum { DR_MOST_FINDINGS = 256 };

struct dr_finding *dr_report(struct dr_findings *findings, const struct dr_problem *problem,
                             const struct dr_source *subject);

void dr_finding_text(struct dr_finding *finding, const char *name, const char *text);
void dr_finding_word(struct dr_finding *finding, const char *name, const char *text); /* fills a template; is no evidence */
void dr_finding_number(struct dr_finding *finding, const char *name, long long number);
void dr_finding_path(struct dr_finding *finding, const char *name, const char *path); /* shown with ~ */
void dr_finding_secret(struct dr_finding *finding, const char *name, const char *secret); /* shown as fingerprint */
void dr_finding_argument(struct dr_finding *finding, const char *name, const char *value);

/*
 * Softens or hardens one finding against its row, for instance where the installed release makes it harmless. The repair may be
 * made stricter than the row (DR_SAFE -> DR_UNSAFE -> DR_MANUAL), never laxer.
 */
void dr_finding_severity(struct dr_finding *finding, enum dr_severity severity);
void dr_finding_confidence(struct dr_finding *finding, enum dr_confidence confidence);
void dr_finding_restrict(struct dr_finding *finding, enum dr_safety safety, const char *why);

/*
 * What it is about, where several findings of one problem may stand at one file (a route of a proxy): so that each keeps its fingerprint when
 * another is repaired. Not shown. Without it they are told apart by their order.
 */
void dr_finding_identity(struct dr_finding *finding, const char *identity);

/* What a fixer reads. */
const struct dr_problem *dr_finding_problem(const struct dr_finding *finding);
const struct dr_source *dr_finding_subject(const struct dr_finding *finding);
const char *dr_finding_get(const struct dr_finding *finding, const char *argument); /* NULL when not set */

/* The pieces of an argument "a, b": at most `most`, in the run's memory. Returns how many. */
size_t dr_finding_list(struct dr_context *context, const struct dr_finding *finding, const char *argument,
                       const char **ret_texts, size_t most);

/* A part of the question that could not be answered. The check goes on; the report says so and the exit status is 3. */
void dr_could_not_tell(struct dr_findings *findings, const struct dr_source *subject, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Passes on why a fact is unknown. True when it was (so that `if (dr_unknown_fact(...)) return 0;` reads well). */
bool dr_unknown_fact(struct dr_findings *findings, const struct dr_fact *fact);

#endif
