/*
 * How each kind of operation is judged, made and taken back.
 *
 * judge    opens the place, compares it with what the fixer saw, keeps the old, and fills in the step. Changes nothing of the user's.
 * make     changes the world, through what judge opened. Called when the step is in the journal.
 * revert   makes the place what it was before the step: 0 done so, 1 it was so already, -ESTALE it is neither what it was before
 *          nor what the step left. It needs nothing but the step, so undo and recovery use it as well.
 *
 * `error` gets the reason in plain words, without the path (who prints it knows the path).
 */
#ifndef DR_REPAIR_CHANGE_H
#define DR_REPAIR_CHANGE_H

#include "repair/journal.h"
#include "repair/place.h"
#include "repair/row.h"

/* Who takes a step back, and where. A user may have put something else of root's in a folder of his own. */
enum dr_power {
    DR_OWN_POWER = 0, /* whoever runs the doctor, in what is his own run */
    DR_ROOT_AMONG_ROOTS, /* root, on root's word, where only root can have been: what is kept goes on root's shelf */
    DR_ROOT_AMONG_USERS, /* root, on root's word, where others may write: only at the very thing that the word is about */
    DR_AS_OWNER, /* root, on the user's word: with the user's own rights and no others */
};

struct dr_scene {
    const struct dr_repair_target *target;
    struct dr_places *places;
    const struct dr_journal_home *home;
    struct dr_arena *arena; /* of the steps */
    struct dr_journal *journal; /* of the run that the steps belong to */
    struct dr_journal *safe; /* where a revert keeps what it replaces: the same, or the undo's own */
    const char *run_id;
    const struct dr_step *earlier; /* steps of this run so far: they explain a new inode or owner */
    size_t earlier_count;
    const struct dr_step *all; /* all steps of the run that the steps belong to: a command asks what came after it */
    size_t all_count;
    const struct dr_operation *rest; /* judge: what the same group is yet to do */
    size_t rest_count;
    bool force; /* revert what somebody changed since, too */
    const char *not_held; /* why no line of the run is held (custody.h); NULL: only this one is not */
    enum dr_power power; /* revert: set by change.c */
};

/* What judge opened for make. */
struct dr_prepared {
    struct dr_place place;
    int original; /* the file that is edited, opened for reading */
    struct dr_buffer content;
    struct dr_database database;
    char *row_after;
};

void dr_prepared_init(struct dr_prepared *prepared);
void dr_prepared_release(struct dr_prepared *prepared);
#define _cleanup_prepared_ _cleanup_(dr_prepared_release)

int dr_change_judge(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                    struct dr_prepared *prepared, struct dr_error *error) DR_MUST_CHECK;
int dr_change_make(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                   struct dr_prepared *prepared, struct dr_error *error) DR_MUST_CHECK;
int dr_change_revert(struct dr_scene *scene, const struct dr_step *step, struct dr_error *error) DR_MUST_CHECK;

/* Looks whether revert would be refused, and changes nothing: 0, 1 or -ESTALE as revert. */
int dr_change_would_revert(struct dr_scene *scene, const struct dr_step *step, struct dr_error *error) DR_MUST_CHECK;

/*
 * Why a revert did not happen: the user changed it since, it is out of our reach, or a command did not do its work. It is left as it
 * is; any other code stops the work.
 */
bool dr_change_is_out_of_reach(int code);

/* --- for the kinds' own files ------------------------------------------------------------------------------------- */

struct dr_kind {
    int (*judge)(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                 struct dr_prepared *prepared, struct dr_error *error);
    int (*make)(struct dr_scene *scene, const struct dr_operation *operation, struct dr_step *step,
                struct dr_prepared *prepared, struct dr_error *error);
    int (*revert)(struct dr_scene *scene, const struct dr_step *step, bool only_look, struct dr_error *error);
};

extern const struct dr_kind dr_kind_set_mode, dr_kind_set_owner, dr_kind_edit_file, dr_kind_write_file, dr_kind_move_aside,
    dr_kind_make_directory, dr_kind_update_row, dr_kind_run_command;

/* The thing is still the one that was judged: type, device, inode; a file has one name only. */
int dr_judge_identity(const struct dr_scene *scene, const struct dr_operation *operation, const struct dr_place *place,
                      struct dr_error *error) DR_MUST_CHECK;

int dr_stale(struct dr_error *error); /* -ESTALE, "it changed since it was looked at" */
int dr_gone(struct dr_error *error); /* -ESTALE, "it is gone" */
int dr_failed(struct dr_error *error, int code,
              const char *doing); /* code, "<doing>: <errno text>"; keeps an earlier sentence */

/* Root on root's word where others may write: it is the user's thing, or the one that the step had changed. Else -EPERM. */
int dr_judge_reach(const struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place,
                   struct dr_error *error) DR_MUST_CHECK;

/* Where the step's own things are, and where a revert keeps what it takes away. */
struct dr_shelf dr_scene_shelf(const struct dr_scene *scene, const struct dr_step *step);
struct dr_shelf dr_scene_safe(const struct dr_scene *scene, const struct dr_step *step);

/* Keeps a file that a forced revert is about to replace. */
int dr_keep_present(struct dr_scene *scene, const struct dr_step *step, const struct dr_place *place) DR_MUST_CHECK;

#endif
