/*
 * What the gateway's own log says: which known messages stand in it, how often, since when and until when, and who met them.
 *
 * Where (facts/openclaw-2026.2.md sections 1 and 10; openclaw-2026.9.md section 1.1): `logging.file` of the configuration, else
 * /tmp/openclaw/openclaw-YYYY-MM-DD.log, else <tmp>/openclaw-<uid>/ of the same names (where /tmp/openclaw is another user's); and what
 * supervisors write, <state>/logs/NAME.log. Lines are JSON or plain text. Of the newest two files the last 4 MiB are read, in one pass.
 *
 * fact: DR_KNOWN: at least one file was read (`files` says how far); DR_ABSENT: there is none, `reason` says where was looked; DR_UNKNOWN: there
 * is one and none could be read. What a file does not say did perhaps happen: logs are cut, rotated and switched off.
 *
 * Trust: a log is somebody else's text, and anybody who reaches the port can put his own Host, Origin and X-Forwarded-For into it. Only
 * what reads as an address, an origin or a host is kept, each at most 255 bytes; no other text of a line leaves, so no token in a URL does.
 * Evidence from here says what the gateway saw, not who is to be trusted.
 *
 * Ownership: everything lives in the run's arena.
 */
#ifndef DR_API_LOG_H
#define DR_API_LOG_H

#include "api/locality.h"

/* A message that is known. `id` is stable; `check` explains it (NULL: none does). */
struct dr_log_signature {
    const char *id; /* "origin-refused" */
    const char *needle; /* bytes of the message, the same in JSON and in plain lines */
    const char *check;
    const char *releases; /* who writes it, in words: "before 2026.8.1" */
};

extern const struct dr_log_signature dr_log_signatures[];
extern const size_t dr_log_signature_count;

/* Times are milliseconds since 1970, 0 where no line said. */
struct dr_log_hit {
    const struct dr_log_signature *signature;
    size_t count; /* lines */
    int64_t first_ms, last_ms;
    const char *path; /* of the file with the last one */
};

/* Lines with one signature that agree in who met it. */
struct dr_log_meeting {
    const struct dr_log_signature *signature;
    const char *peer; /* the other end of the connection, an address as OpenClaw wrote it; NULL: the line does not say */
    struct dr_address address; /* the same; family 0: none */
    bool forwarded; /* it came with X-Forwarded-For */
    const char *origin; /* "https://gw.example.com", scheme, host and port only; NULL: none */
    const char *host; /* Host header; NULL: none */
    size_t count;
    int64_t first_ms, last_ms;
};

struct dr_log_file {
    const char *path;
    uint64_t size;
    uint64_t from; /* read from here to the end */
    const char *why_not; /* NULL: it was read */
};

struct dr_log {
    struct dr_fact fact;
    const struct dr_log_file *files; /* the newest first */
    size_t file_count;
    const struct dr_log_hit *hits; /* only those that were met, in the order of dr_log_signatures */
    size_t hit_count;
    const struct dr_log_meeting *meetings; /* in the order of their first line; at most 256 */
    size_t meeting_count;
    bool meetings_cut; /* there were more */
};

const struct dr_log *dr_log(struct dr_context *context);

/*
 * Does a line of that time (0: not known) still say something about today? For a day in any case; for a week where the gateway that runs now is the
 * one that wrote it, or none runs. What it met before it was started anew, and not again since, was most likely mended.
 */
bool dr_log_is_recent(struct dr_context *context, int64_t ms);

/* NULL: no line of the read part has it (also when the fact is not known). */
const struct dr_log_hit *dr_log_find(const struct dr_log *log, const char *id);

#endif
