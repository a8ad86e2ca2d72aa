/*
 * Running a program that was judged: no shell, a clean environment, nothing on its standard input, a ceiling on what it says, a limit
 * on its time. The words come from the closed table (wire/commands.h).
 *
 * A program is run when it is a plain executable file of root's or of the user who runs it, that nobody else may write. For root each
 * folder above it (and above each file that the program is to read) must be in root's hands as well: else somebody who is not
 * root would say what root does. It is run through the descriptor that was judged.
 */
#ifndef DR_REPAIR_COMMAND_H
#define DR_REPAIR_COMMAND_H

#include "base/arena.h"
#include "base/error.h"
#include "repair/repair.h"
#include "wire/commands.h"

/* The program ran and did not do its work; no other code of this doctor's is this errno. */
enum { DR_COMMAND_FAILED = EREMOTEIO };

/* Who runs it, and as what: made by dr_command_judge, for dr_command_run. */
struct dr_launch {
    int program; /* O_PATH */
    int process; /* a pidfd, for a row that is a signal */
    uint32_t uid, gid;
    bool steps_down; /* root runs it as that user */
};

#define DR_LAUNCH                    \
    {                                \
        .program = -1, .process = -1 \
    }
void dr_launch_release(struct dr_launch *launch);
#define _cleanup_launch_ _cleanup_(dr_launch_release)

/*
 * Could it be run now? Opens program or process. -ENOENT: no such program; -EPERM: it, or a file it reads, may be written by somebody
 * else, or only its user or root may run it; -ESRCH: the process is gone or another.
 */
int dr_command_judge(const struct dr_repair_target *target, const struct dr_command *command, struct dr_launch *ret_launch,
                     struct dr_error *error) DR_MUST_CHECK;

/*
 * Runs it and waits. -DR_COMMAND_FAILED: it ended with another status than 0, its last words are the reason; -ETIMEDOUT: it was killed, by us
 * when its time was over; other codes: it could not be started.
 */
int dr_command_run(const struct dr_repair_target *target, const struct dr_command *command, struct dr_launch *launch,
                   struct dr_error *error) DR_MUST_CHECK;

/* --- parts --------------------------------------------------------------------------------------------------------- */

/* `path` and what it leads to are `uid`'s or root's, and nobody else may write them; with `strict` each folder above as well. */
int dr_program_open(const char *path, uint32_t uid, bool strict, int *ret_fd, struct dr_error *error) DR_MUST_CHECK;
int dr_path_in_roots_hands(const char *path, struct dr_error *error) DR_MUST_CHECK;

/* Every folder above `path`, on its way and where that leads, is root's, and nobody else may make anything in it. */
bool dr_folders_are_roots(const char *path);

/* Forks, runs, and gathers the end of what it says in `output`. `environment` NULL-ended. 0..255, or -ETIMEDOUT, -EINTR (a signal). */
int dr_spawn_and_wait(const struct dr_launch *launch, const char *const *arguments, const char *const *environment,
                      unsigned seconds, struct dr_buffer *output) DR_MUST_CHECK;

/* The last lines of an output as one sentence, safe to show, without what looks like a secret. */
int dr_last_words(const struct dr_buffer *output, struct dr_buffer *words) DR_MUST_CHECK;

#endif
