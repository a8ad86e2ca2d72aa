/*
 * A problem: one row of policy. What is wrong, how bad, what to say, which fixer, how safe.
 *
 * A check knows that something is wrong; the row says everything else. Codes are for ever: `<check>/<code>` is the
 * `checkId` of the report, and a retired code does not come back with another meaning.
 *
 * `message` and `advice` are templates: "{name}" is replaced by the finding's evidence of that name ({path} is the subject).
 * message: what is wrong, one or two short sentences. advice: the next step, one line, best a command.
 */
#ifndef DR_API_PROBLEM_H
#define DR_API_PROBLEM_H

enum dr_severity { DR_INFO = 0, DR_WARNING, DR_ERROR };
enum dr_confidence { DR_POSSIBLE = 0, DR_LIKELY, DR_CERTAIN };

/*
 * safe: reversible, meaning kept, no rights granted, nothing stopped, no data dropped.
 * unsafe: may stop a service, grant a right, drop or replace data: asked one by one, or --unsafe; `why` says which.
 * manual: text only.
 */
enum dr_safety { DR_MANUAL = 0, DR_UNSAFE, DR_SAFE };

/* How the subject of a cause relates to the subject of what follows from it. */
enum dr_relation {
    DR_SAME_SUBJECT, /* same path */
    DR_BELOW_SUBJECT, /* same path, or the cause's path is a folder above it */
    DR_ANY_SUBJECT,
};

/* This problem follows from `code` (`<check>/<code>`) when that was found on a related subject. */
struct dr_cause {
    const char *code; /* NULL ends the list */
    enum dr_relation relation;
};

struct dr_problem {
    const char *code;
    enum dr_severity severity;
    enum dr_confidence confidence;
    enum dr_safety safety;
    const char *message;
    const char *advice;
    const char *fixer; /* id, or NULL: manual */
    const char *why; /* why the repair is not safe; NULL for safe and manual */
    const struct dr_cause *follows; /* NULL, or ended by code NULL */
};

#endif
