/*
 * Operations: the closed set of changes that the executor in src/repair can make, preview and undo.
 *
 * A fixer only describes them. Each says what the world looked like when it was judged (`judged`, `sha256`); the executor
 * compares that again, through the descriptor that it writes through, and refuses (`stale`) when the world moved.
 *
 * A secret never travels in an operation: where new text is a secret, the edit names where the executor takes it from
 * (`struct dr_reference`), or that it shall be made anew. So a saved plan holds no secret.
 */
#ifndef DR_API_OPERATION_H
#define DR_API_OPERATION_H

#include "api/fact.h"
#include "api/file_state.h"

struct dr_plan; /* what a fixer adds to; one per finding */

enum dr_operation_kind {
    DR_SET_MODE,
    DR_SET_OWNER,
    DR_EDIT_FILE, /* replace spans of bytes; everything else stays byte for byte */
    DR_WRITE_FILE, /* create a file that does not exist */
    DR_MOVE_ASIDE, /* rename into the run's quarantine folder; never deletes */
    DR_MAKE_DIRECTORY,
    DR_UPDATE_ROW, /* one row of a SQLite store, in one short transaction */
    DR_RUN_COMMAND, /* a program of the closed table in wire/commands.c, with that row's own words */
};

/* What to do when a gateway runs on this state. */
enum dr_while_running {
    DR_GO_AHEAD, /* the gateway reads it anew, or does not care (say so in the fixer's README) */
    DR_WAIT_FOR_STOP, /* would be overwritten or break a live gateway: only when stopped */
};

enum dr_reference_kind {
    DR_LITERAL = 0, /* the edit's own `text` */
    DR_FROM_FILE, /* bytes [offset, offset+length) of `path`, whose contents must still have `sha256` */
    DR_NEW_TOKEN, /* 48 random hex digits, made by the executor */
};

struct dr_reference {
    enum dr_reference_kind kind;
    const char *path;
    const char *sha256;
    uint64_t offset;
    uint64_t length;
};

struct dr_edit {
    uint64_t offset;
    uint64_t length; /* bytes replaced; 0 inserts */
    const char *text; /* for DR_LITERAL; may be NULL to delete */
    size_t text_length;
    struct dr_reference from;
};

enum dr_row_action {
    DR_ROW_SET_TEXT, /* column := text */
    DR_ROW_SET_JSON, /* column := json_set(column, json_path, json(text)) */
    DR_ROW_COPY, /* column := json_extract(from_column, json_path) of the row (from_table, from_key) */
    DR_ROW_DELETE,
};

struct dr_cell {
    const char *column;
    const char *text;
};

/* One change of one row. `key` and `from_key` identify exactly one row each, or the operation is stale. */
struct dr_row_change {
    const char *table;
    struct dr_cell key[3]; /* ended by column NULL or the array's end */
    enum dr_row_action action;
    const char *column;
    const char *json_path;
    const char *text; /* never a secret */
    const char *from_table;
    struct dr_cell from_key[3];
    const char *from_column;
    const char *expect_sha256; /* of the column's present text (of all columns joined by \n for DR_ROW_DELETE: NULL) */
    int64_t schema_version; /* PRAGMA user_version when judged */
};

/* When a command is run. A group is taken back last step first, so a reload is planned as
 * [reload ON_UNDO] [edit] [test FORWARD] [reload FORWARD]: taken back, the server reads the old file again. */
enum dr_command_when {
    DR_COMMAND_FORWARD = 1, /* when the step's turn comes; taking it back does nothing */
    DR_COMMAND_ON_UNDO = 2, /* when the group is taken back, and had come so far that this is needed */
};

/*
 * Never a free command line: `name` is a row of the table, which has the words; what may be filled in is checked by the kind that
 * the row says (an absolute path, a unit, a user, a pid). A program must have one of the row's names, and is judged before it is run.
 */
struct dr_command {
    const char *name; /* "nginx-test": docs/operations.md lists them */
    const char *program; /* absolute */
    const char *words[8]; /* what fills {0} to {7} of the row; NULL from the first that is not given */
    unsigned when; /* enum dr_command_when, one or both */
};

struct dr_operation {
    unsigned id; /* from 1, given by the engine; stable within a plan */
    enum dr_operation_kind kind;
    const char *path; /* absolute, under the root; DR_RUN_COMMAND: the program */
    struct dr_file_identity judged;
    const char *sha256; /* of the whole file: DR_EDIT_FILE, DR_MOVE_ASIDE of a regular file; NULL otherwise */
    uint32_t mode; /* DR_SET_MODE, DR_WRITE_FILE, DR_MAKE_DIRECTORY: permission bits */
    uint32_t uid, gid; /* DR_SET_OWNER, DR_WRITE_FILE, DR_MAKE_DIRECTORY */
    struct dr_edit *edits; /* sorted, not overlapping */
    size_t edit_count;
    /* DR_EDIT_FILE without edits: a command of the same group writes the file anew. Taken back, the file is what it was. */
    bool keep;
    const char *content; /* DR_WRITE_FILE; no secret */
    size_t content_length;
    struct dr_row_change *row;
    struct dr_command *command; /* DR_RUN_COMMAND */
    const char *summary; /* one line for people */
    enum dr_while_running while_running;
    const char *restart; /* what must be restarted to take effect, as a command; NULL when nothing */
    const char *preview; /* unified diff or table for people, secrets replaced; made by the engine */
};

/* Builders. All copy what they are given into the run's arena and return the operation to be refined (summary, restart, ...). */
struct dr_operation *dr_plan_set_mode(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                      uint32_t mode);
struct dr_operation *dr_plan_set_owner(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                       uint32_t uid, uint32_t gid);
struct dr_operation *dr_plan_edit_file(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                       const char *sha256, const struct dr_edit *edits, size_t edit_count);
/* Edits of the configuration (api/config.h). The gateway may go on: it takes the file in by itself. */
struct dr_config_edits;
struct dr_operation *dr_plan_edit_config(struct dr_plan *plan, const struct dr_config_edits *edits);
/* Puts texts at the end of the list at `path` of the configuration; refuses the plan, and returns NULL, where that cannot be done by an edit. */
struct dr_operation *dr_plan_append_config(struct dr_plan *plan, const char *path, const char *const *texts, size_t count);
struct dr_operation *dr_plan_keep_file(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                       const char *sha256);
struct dr_operation *dr_plan_write_file(struct dr_plan *plan, const char *path, const char *content, size_t length,
                                        uint32_t mode, uint32_t uid, uint32_t gid);
struct dr_operation *dr_plan_move_aside(struct dr_plan *plan, const char *path, const struct dr_file_identity *judged,
                                        const char *sha256);
struct dr_operation *dr_plan_make_directory(struct dr_plan *plan, const char *path, uint32_t mode, uint32_t uid,
                                            uint32_t gid);
struct dr_operation *dr_plan_update_row(struct dr_plan *plan, const char *database, const struct dr_file_identity *judged,
                                        const struct dr_row_change *change);

/* Refuses the plan (dr_plan_refuse) when the table has no such row, or a word does not fit it. The summary is the row's title. */
struct dr_operation *dr_plan_run_command(struct dr_plan *plan, const struct dr_command *command);

/* The fixer cannot help here after all: the finding becomes manual and the report says why. Drops what was added. */
void dr_plan_refuse(struct dr_plan *plan, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* How many operations the plan may still take (a plan is bounded; say in the summary when more remain). */
size_t dr_plan_room(const struct dr_plan *plan);

#endif
