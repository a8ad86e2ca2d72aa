/*
 * The closed table of commands that a repair may run (DR_RUN_COMMAND), and the checks of what fills them in.
 *
 * A plan file, a journal and a worker can only name a row and its words; this table alone says what is run. A word never becomes an
 * option: paths begin with "/", the others with a letter or digit. Nothing here runs anything (src/repair/command.c does).
 */
#ifndef DR_WIRE_COMMANDS_H
#define DR_WIRE_COMMANDS_H

#include "api/operation.h"
#include "base/arena.h"
#include "base/buffer.h"
#include "base/error.h"

#include <cjson/cJSON.h>
#include <stdbool.h>

enum { DR_COMMAND_WORDS = 8, DR_COMMAND_ARGUMENTS = 32 };

/* What fits a placeholder. */
enum dr_word_kind {
    DR_WORD_NONE = 0,
    DR_WORD_FILE, /* absolute path; when root runs the command as root, it must be in root's hands alone */
    DR_WORD_PATH, /* absolute path that the program only hands on, or that belongs to the user who runs it */
    DR_WORD_UNIT, /* "nginx.service" */
    DR_WORD_USER, /* a login name */
    DR_WORD_ADDRESS, /* this host only: 127.0.0.1:PORT, [::1]:PORT, localhost:PORT, unix//path */
    DR_WORD_NUMBER, /* decimal, at least 1 */
};

enum dr_command_runs_as {
    DR_RUNS_AS_CALLER, /* whoever runs the doctor */
    DR_RUNS_AS_OWNER, /* the owner of the state directory, also when root runs the doctor */
};

struct dr_command_row {
    const char *name;
    const char *title; /* for people: "test the configuration of nginx" */
    const char *programs; /* allowed names of the program, separated by blanks */
    /* Arguments; "{N}" is filled in. Those after a "?", up to the next, are left out unless all their words are given. */
    const char *arguments[DR_COMMAND_ARGUMENTS];
    enum dr_word_kind words[DR_COMMAND_WORDS];
    const char *variable; /* one more environment variable, "NAME={N}"; left out without its word */
    unsigned seconds; /* then it is killed, with all that it started */
    int signal; /* not a program to run, but a signal to a process: words are pid and start ticks, the program what it must be */
    enum dr_command_runs_as runs_as;
    bool only_looks; /* changes nothing: no reason to reload when taken back */
    bool whole; /* when it says that it failed, it did nothing: then nothing has to be taken back */
    bool starts; /* what it starts may end again at once: whether it runs is looked at twice */
    bool stops; /* may stop or restart something: belongs into an unsafe repair only */
};

const struct dr_command_row *dr_command_find(const char *name); /* NULL: there is none */
const struct dr_command_row *dr_command_at(size_t index); /* NULL after the last */

/* The program's name and every word fit the row. -EINVAL with a sentence. */
int dr_command_check(const struct dr_command *command, struct dr_error *error) DR_MUST_CHECK;

/*
 * The arguments of a command that was checked, argv[0] first and NULL-ended, in `arena`. `ret_variable` (may be NULL) gets the row's
 * variable filled in, or NULL.
 */
int dr_command_arguments(const struct dr_command *command, struct dr_arena *arena,
                         const char *arguments[DR_COMMAND_ARGUMENTS + 2], const char **ret_variable) DR_MUST_CHECK;

/* How a person would type it. For display only: quoted for a shell, never given to one. */
int dr_command_line(const struct dr_command *command, struct dr_buffer *line) DR_MUST_CHECK;

/* {name, words, when}; the program is the operation's path. Caller owns; NULL without memory. */
cJSON *dr_command_to_json(const struct dr_command *command);

/* -EINVAL for anything that the table does not allow. Texts in `arena`. */
int dr_command_from_json(const cJSON *json, const char *program, struct dr_arena *arena, struct dr_command *ret_command,
                         struct dr_error *error) DR_MUST_CHECK;

#endif
