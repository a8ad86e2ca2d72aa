#include "repair/command.h"

#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

enum { ARENA_MOST = 1024 * 1024, OUTPUT_MOST = 256 * 1024, STAT_MOST = 4096, WORDS_MOST = 2048, MOST_VARIABLES = 12 };

void dr_launch_release(struct dr_launch *launch)
{
    dr_cleanup_close(&launch->program);
    dr_cleanup_close(&launch->process);
    *launch = (struct dr_launch)DR_LAUNCH;
}

/* --- a process that gets a signal ---------------------------------------------------------------------------------- */

/* Field 22 of /proc/<pid>/stat; the name in field 2 may hold anything, so count from the last ")". */
static bool started_at(int proc_fd, const char *ticks)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(STAT_MOST);
    _cleanup_close_ int fd = openat(proc_fd, "stat", O_RDONLY | O_CLOEXEC);

    if (fd < 0 || dr_read_fd(fd, &text) < 0)
        return false;
    const char *at = strrchr(dr_buffer_text(&text), ')');

    for (int field = 2; at && field < 22; field++) {
        at = strchr(at, ' ');
        at = at ? at + 1 : NULL;
    }
    return at && strncmp(at, ticks, strlen(ticks)) == 0 && at[strlen(ticks)] == ' ';
}

static bool runs_program(int proc_fd, const char *program)
{
    _cleanup_free_ char *real = realpath(program, NULL);
    _cleanup_free_ char *exe = NULL;
    int r = dr_read_link(proc_fd, "exe", &exe);

    if (r < 0 || !real)
        return false;
    /* A server that was updated under its feet runs "… (deleted)". */
    size_t length = strlen(real);

    return strncmp(exe, real, length) == 0 && (exe[length] == '\0' || strcmp(exe + length, " (deleted)") == 0);
}

static int judge_process(const struct dr_command *command, struct dr_launch *launch, struct dr_error *error)
{
    char folder[40];
    long pid = strtol(command->words[0], NULL, 10);

    launch->process = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
    if (launch->process < 0)
        return dr_error_set(error, -ESRCH, "the process %s is gone", command->words[0]);
    (void)snprintf(folder, sizeof(folder), "/proc/%ld", pid);
    _cleanup_close_ int proc = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);

    /* The pidfd was opened first: what is read now belongs to the same process, or to nobody. */
    if (proc < 0 || !started_at(proc, command->words[1]) || !runs_program(proc, command->program))
        return dr_error_set(error, -ESRCH, "the process %s is another one by now", command->words[0]);
    if (syscall(SYS_pidfd_send_signal, launch->process, 0, NULL, 0) < 0)
        return dr_error_set(error, -errno, "the process %s cannot be signalled: %s", command->words[0],
                            dr_errno_text(-errno));
    return 0;
}

/* --- a program ------------------------------------------------------------------------------------------------------ */

static int choose_user(const struct dr_repair_target *target, const struct dr_command_row *row, struct dr_launch *launch,
                       struct dr_error *error)
{
    launch->uid = geteuid();
    launch->gid = getegid();
    if (row->runs_as == DR_RUNS_AS_CALLER || launch->uid == target->uid)
        return 0;
    if (launch->uid != 0)
        return dr_error_set(error, -EPERM, "only uid %u or root can do that", target->uid);
    launch->uid = target->uid;
    launch->gid = target->gid;
    launch->steps_down = true;
    return 0;
}

int dr_command_judge(const struct dr_repair_target *target, const struct dr_command *command, struct dr_launch *ret_launch,
                     struct dr_error *error)
{
    _cleanup_launch_ struct dr_launch launch = DR_LAUNCH;
    const struct dr_command_row *row = dr_command_find(command->name);
    int r = row ? dr_command_check(command, error) : -EINVAL;

    if (r == 0 && target->root_fd != AT_FDCWD)
        r = dr_error_set(error, -EPERM, "a command acts on the running system, not on the files below --root");
    if (r == 0)
        r = choose_user(target, row, &launch, error);
    if (r == 0 && row->signal != 0)
        r = judge_process(command, &launch, error);
    else if (r == 0)
        r = dr_program_open(command->program, launch.uid, launch.uid == 0, &launch.program, error);
    for (size_t i = 0; r == 0 && launch.uid == 0 && i < DR_COMMAND_WORDS; i++)
        if (row->words[i] == DR_WORD_FILE && command->words[i])
            r = dr_path_in_roots_hands(command->words[i], error);
    if (r < 0)
        return r;
    *ret_launch = launch;
    launch = (struct dr_launch)DR_LAUNCH;
    return 0;
}

struct environment {
    const char *variables[MOST_VARIABLES + 1];
    size_t count;
    bool failed;
};

static void set(struct environment *environment, const char *variable)
{
    if (!variable)
        environment->failed = true;
    else if (environment->count < MOST_VARIABLES)
        environment->variables[environment->count++] = variable;
}

static void inherit(struct environment *environment, struct dr_arena *arena, const char *name)
{
    const char *value = getenv(name);

    if (value)
        set(environment, dr_arena_format(arena, "%s=%s", name, value));
}

/* The folder of a user's own bus and systemd, when he has one. */
static void set_runtime(struct environment *environment, struct dr_arena *arena, uint32_t uid)
{
    const char *folder = dr_arena_format(arena, "/run/user/%u", uid);
    struct stat st;

    if (!folder || lstat(folder, &st) < 0 || !S_ISDIR(st.st_mode) || st.st_uid != uid)
        return;
    set(environment, dr_arena_format(arena, "XDG_RUNTIME_DIR=%s", folder));
    set(environment, dr_arena_format(arena, "DBUS_SESSION_BUS_ADDRESS=unix:path=%s/bus", folder));
}

/* Nothing of our own environment but where the user's things are: a variable can make any program do anything. */
static int make_environment(const struct dr_repair_target *target, const struct dr_launch *launch, const char *variable,
                            struct dr_arena *arena, struct environment *environment)
{
    set(environment, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
    set(environment, "LANG=C.UTF-8");
    if (variable)
        set(environment, variable);
    if (launch->steps_down) {
        set(environment, dr_arena_format(arena, "HOME=%s", target->home ? target->home : "/"));
        if (target->user) {
            set(environment, dr_arena_format(arena, "USER=%s", target->user));
            set(environment, dr_arena_format(arena, "LOGNAME=%s", target->user));
        }
        set_runtime(environment, arena, launch->uid);
    } else {
        static const char *const own[] = { "HOME", "USER", "LOGNAME", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS" };
        const char *home = getenv("HOME");
        /* `sudo -E` brings a user's: what root's program makes there, it would make through that user's links. */
        bool foreign = launch->uid == 0 && home && (home[0] != '/' || dr_path_in_roots_hands(home, NULL) < 0);

        for (size_t i = 0; i < DR_COUNT(own) && !foreign; i++)
            inherit(environment, arena, own[i]);
        if (foreign)
            set(environment, "HOME=/root");
        if (foreign || !getenv("XDG_RUNTIME_DIR"))
            set_runtime(environment, arena, launch->uid);
    }
    return environment->failed ? -ENOMEM : 0;
}

static int explain(const struct dr_command_row *row, int status, const struct dr_buffer *output, struct dr_error *error)
{
    _cleanup_buffer_ struct dr_buffer words = DR_BUFFER(WORDS_MOST);

    if (status == -ETIMEDOUT)
        return dr_error_set(error, -ETIMEDOUT, "took longer than %u s and was stopped", row->seconds);
    if (status < 0 && status != -EINTR)
        return dr_error_set(error, status, "cannot be started: %s", dr_errno_text(status));
    int r = dr_last_words(output, &words);

    if (r < 0)
        return r;
    if (status == -EINTR)
        return dr_error_set(error, -ETIMEDOUT, "was killed%s%s", words.length > 0 ? ": " : "", dr_buffer_text(&words));
    if (words.length > 0)
        return dr_error_set(error, -DR_COMMAND_FAILED, "it says: %s", dr_buffer_text(&words));
    return dr_error_set(error, -DR_COMMAND_FAILED, "ended with status %d and said nothing", status);
}

int dr_command_run(const struct dr_repair_target *target, const struct dr_command *command, struct dr_launch *launch,
                   struct dr_error *error)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA(ARENA_MOST);
    _cleanup_buffer_ struct dr_buffer output = DR_BUFFER(OUTPUT_MOST);
    const struct dr_command_row *row = dr_command_find(command->name);
    const char *arguments[DR_COMMAND_ARGUMENTS + 2], *variable = NULL;
    struct environment environment = { 0 };

    if (row->signal != 0)
        return syscall(SYS_pidfd_send_signal, launch->process, row->signal, NULL, 0) < 0
                   ? dr_error_set(error, -DR_COMMAND_FAILED, "the signal cannot be sent: %s", dr_errno_text(-errno))
                   : 0;
    int r = dr_command_arguments(command, &arena, arguments, &variable);

    if (r == 0)
        r = make_environment(target, launch, variable, &arena, &environment);
    if (r < 0)
        return r;
    int status = dr_spawn_and_wait(launch, arguments, environment.variables, row->seconds, &output);

    return status == 0 ? 0 : explain(row, status, &output, error);
}
