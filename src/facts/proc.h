/*
 * What /proc says of one process: who runs it, since when, which program, its environment. The folder is request->proc ("/proc";
 * tests point elsewhere). Nothing here is cached: a process may be gone at the next call.
 *
 * All functions return 0, or a negative errno: -ESRCH when there is no such process, -EACCES when it belongs to someone else.
 */
#ifndef DR_FACTS_PROC_H
#define DR_FACTS_PROC_H

#include "facts/context.h"

struct dr_process {
    long pid;
    uint32_t uid; /* effective, from the owner of /proc/<pid> */
    uint64_t start_ticks; /* field 22 of /proc/<pid>/stat: with the pid it names one process for ever */
    char state; /* field 3: 'R', 'S', 'D', 'T' ... */
    const char *title; /* comm, at most 15 characters: "openclaw-gatewa" */
};

int dr_process_read(struct dr_context *context, long pid, struct dr_process *ret_process);

/* How long it lives; -1 where that cannot be told. */
int64_t dr_process_age_ms(struct dr_context *context, const struct dr_process *process);

/* The value of a variable in its first environment (arena). -ENOENT when it is not set. */
int dr_process_variable(struct dr_context *context, long pid, const char *name, const char **ret_value);

/* Where /proc/<pid>/exe, cwd or root leads (arena). `link` is one of these words. */
int dr_process_link(struct dr_context *context, long pid, const char *link, const char **ret_target);

/*
 * Landlock does not let a process look into others (environ, fd), not even into those of the same user, nor as root. So what may be asked
 * for later is taken before the worker gives up its rights: the environment and the sockets of those processes that may be a
 * gateway, by their title. At most 32 of each kind (OpenClaw, other programs of Node or Bun, reverse proxies) are kept; nothing is parsed.
 * Does nothing below --root.
 */
void dr_processes_keep(struct dr_context *context);

/*
 * The kept processes that Node or Bun runs, and that may be OpenClaw by their title, one after the other: `after` 0 begins, 0 is the end. A program of
 * ours that was started under the name "openclaw" is none of them.
 */
long dr_process_next_script(struct dr_context *context, long after);

/*
 * Processes by title, of any user, as dr_processes_keep met them: reverse proxies ("nginx", "caddy" ...). For those that may be looked into, the
 * environment was kept too. NULL-ended list by `next`; at most 64.
 */
struct dr_met_process {
    long pid;
    const char *title;
    bool elsewhere; /* it sees other files than we do: a container's */
    struct dr_met_process *next;
};

const struct dr_met_process *dr_processes_met(struct dr_context *context);

/* The words of its command line (arena, NULL-ended). A process that rewrote them (nginx) has one word. */
int dr_process_words(struct dr_context *context, long pid, const char *const **ret_words);

/* The kept process that holds socket:[inode], 0 when none does. */
long dr_process_of_socket(struct dr_context *context, unsigned long inode);

#endif
