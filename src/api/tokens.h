/*
 * Every place that can hold the gateway token or password, and which one wins for the server and for local clients, by the
 * precedence of the installed release (facts/openclaw-2026.2.md §3, openclaw-2026.9.md §3.5).
 */
#ifndef DR_API_TOKENS_H
#define DR_API_TOKENS_H

#include "api/fact.h"
#include "api/file_state.h"

enum dr_token_place_kind {
    DR_PLACE_CONFIG_AUTH = 0, /* gateway.auth.token */
    DR_PLACE_CONFIG_REMOTE, /* gateway.remote.token */
    DR_PLACE_CONFIG_HOOKS, /* hooks.token (hygiene only) */
    DR_PLACE_ENVIRONMENT, /* of this process */
    DR_PLACE_STATE_DOTENV, /* .env in the state directory */
    DR_PLACE_CWD_DOTENV, /* .env in the working directory */
    DR_PLACE_UNIT, /* Environment= of a unit or drop-in */
    DR_PLACE_UNIT_FILE, /* EnvironmentFile= of a unit */
    DR_PLACE_COMPOSE_DOTENV, /* .env beside a compose file, or the environment of its service */
    DR_PLACE_GATEWAY_DOTENV, /* ~/.config/openclaw/gateway.env, read last by releases from 2026.8.1 on */
    DR_PLACE_RUNNING, /* /proc/<pid>/environ of the running gateway */
    DR_PLACE_KINDS
};

/* What is wrong with the characters of one value. */
enum dr_token_flaw {
    DR_FLAW_EMPTY = 1 << 0, /* nothing, or white space only */
    DR_FLAW_SPACE = 1 << 1, /* white space around it, of the kinds that JavaScript's trim() drops */
    DR_FLAW_INVISIBLE = 1 << 2, /* control characters, zero-width characters, odd spaces */
    DR_FLAW_QUOTES = 1 << 3, /* quotes that are part of the value */
    DR_FLAW_SENTINEL = 1 << 4, /* no secret at all: "undefined", "__OPENCLAW_REDACTED__", an example of the documentation */
};

struct dr_token_place {
    enum dr_token_place_kind kind;
    const char *variable; /* "OPENCLAW_GATEWAY_TOKEN", "gateway.auth.token" ... */
    bool password; /* gateway.auth.password and OPENCLAW_GATEWAY_PASSWORD rather than the token */
    const char *value; /* decoded; a secret. "" when set to nothing */
    const char *from_env; /* the configuration takes it from ${NAME}; the value is the resolved one */
    struct dr_source source; /* file, line; for the environment: path NULL, pointer = variable */
    /* Where the raw characters stand in the file; length 0 when they cannot be edited in place (escapes, ${}, not a file). */
    uint64_t value_offset, value_length;
    uint64_t line_offset, line_length; /* the whole assignment, for commenting it out; 0 where that makes no sense */
    struct dr_file_identity identity;
    const char *sha256;
    const char *not_editable; /* NULL: the value may be replaced where it stands; else why not, in words */
    const char *service; /* DR_PLACE_UNIT, DR_PLACE_UNIT_FILE: name of the unit */
    const char *restart; /* the command that makes a change here take effect; NULL: the next start of a program does */
    unsigned flaws; /* enum dr_token_flaw */
    const char *clean; /* the value without its flaws (a sentinel stays); a secret */
    bool ignored; /* the installed release does not read it at all, or a later assignment of the same service replaces it */
};

struct dr_token_unread {
    struct dr_source source;
    const char *reason;
};

/*
 * fact: DR_UNKNOWN when the configuration could not be read (reason and source are the configuration's): then the places that
 * could be read are there, and nobody wins. The winners are passwords when auth_mode is "password".
 */
struct dr_tokens {
    struct dr_fact fact;
    const struct dr_token_place *places;
    size_t count;
    const struct dr_token_unread *not_read; /* places that could not be read (they may hold a token) */
    size_t not_read_count;
    const struct dr_token_place *server; /* which the gateway accepts; NULL: none is set */
    const struct dr_token_place *client; /* which a local client (CLI) sends; NULL: none */
    const struct dr_token_place *service; /* which the gateway's own process hands to its children (unit), or NULL */
    struct dr_source config; /* where gateway.auth stands, or belongs */
    bool no_config; /* there is no configuration file */
    bool secret_reference; /* gateway.auth names a secret store instead of a value */
    const char *reference_unset; /* gateway.auth takes its value from ${NAME}, and the gateway's environment has no NAME */
    const char *mode; /* gateway.mode: "local", "remote", NULL when unset */
    const char *auth_mode; /* effective: "token", "password", "none", "trusted-proxy" */
};

const struct dr_tokens *dr_tokens(struct dr_context *context);

/* The place of a finding's arguments, for fixers. `path` NULL: the environment. NULL when there is none (any more). */
const struct dr_token_place *dr_token_at(const struct dr_tokens *tokens, const char *path, const char *variable);

/*
 * NULL when the bytes of `from` may stand, as they are, in any of the files that hold tokens; else why not, in words: not in a file,
 * not written verbatim, or with characters that mean something in one of the formats.
 */
const char *dr_token_not_copyable(const struct dr_token_place *from);

/* The edit of the file of `to` that gives it the value of `from`: a reference, which holds no secret. */
struct dr_edit;
void dr_token_copy(const struct dr_token_place *from, const struct dr_token_place *to, struct dr_edit *ret_edit);

#endif
