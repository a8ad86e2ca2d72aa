/* One child, watched until it ends or its time is over. */
#include "repair/command.h"

#include "base/text.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>

enum { TICK_MS = 20, KEPT_OUTPUT = 64 * 1024, MOST_READS = 256, CANNOT_START = 127 };

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* --- the child ---------------------------------------------------------------------------------------------------- */

static void give_back_signals(void)
{
    static const int changed[] = { SIGPIPE, SIGXFSZ, SIGINT, SIGTERM, SIGHUP };
    sigset_t none;

    for (size_t i = 0; i < DR_COUNT(changed); i++)
        (void)signal(changed[i], SIG_DFL);
    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static bool step_down(const struct dr_launch *launch)
{
    gid_t gid = launch->gid;

    if (!launch->steps_down)
        return true;
    return setgroups(1, &gid) == 0 && setresgid(gid, gid, gid) == 0 && setresuid(launch->uid, launch->uid, launch->uid) == 0;
}

static bool put_streams(int output)
{
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    return nothing >= 0 && dup2(nothing, STDIN_FILENO) == STDIN_FILENO && dup2(output, STDOUT_FILENO) == STDOUT_FILENO &&
           dup2(output, STDERR_FILENO) == STDERR_FILENO;
}

static bool leave_folder(void)
{
    int top = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

    return top >= 0 && fchdir(top) == 0;
}

/*
 * What was open when the doctor was started, or is the doctor's own, is not the program's; least of all that of root when it runs as the owner.
 * Kernels before 5.11 do not know the call: there the doctor's own are closed, which are all opened so.
 */
static void close_the_rest(void)
{
    (void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
}

/* A script's interpreter opens the descriptor again by its name: it may not close on exec. */
static void be_the_program(const struct dr_launch *launch, const char *const *arguments, const char *const *environment,
                           int output)
{
    int program = -1;

    give_back_signals();
    /*
     * A session of its own: a program of the owner's that root starts could otherwise type into root's terminal (TIOCSTI). And no folder
     * that happens to be the present one: some programs take files from there (bun: bunfig.toml and .env).
     */
    if (setsid() < 0 || !put_streams(output) || !leave_folder())
        _exit(CANNOT_START);
    close_the_rest();
    program = fcntl(launch->program, F_DUPFD, 10);
    if (program < 0 || !step_down(launch))
        _exit(CANNOT_START);
    (void)umask(022);
    (void)syscall(SYS_execveat, program, "", arguments, environment, AT_EMPTY_PATH);
    _exit(CANNOT_START);
}

/* --- the parent --------------------------------------------------------------------------------------------------- */

/* Keeps the end: what a program says last is why it failed. */
static int take_output(int fd, struct dr_buffer *output)
{
    char *space;
    int r;

    if (output->length > KEPT_OUTPUT) {
        size_t rest = output->length / 2;

        memmove(output->data, output->data + output->length - rest, rest);
        output->length = rest;
    }
    r = dr_buffer_reserve(output, 4096, &space);
    if (r < 0)
        return r;
    ssize_t got = read(fd, space, 4096);

    if (got > 0)
        dr_buffer_commit(output, (size_t)got);
    return got > 0 || (got < 0 && (errno == EAGAIN || errno == EINTR)) ? 1 : 0;
}

static int ended(int status)
{
    return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

static int watch(pid_t pid, int in, unsigned seconds, struct dr_buffer *output)
{
    int64_t deadline = now_ms() + (int64_t)seconds * 1000;
    struct pollfd wait = { .fd = in, .events = POLLIN };
    int status;

    for (;;) {
        int ready = poll(&wait, 1, TICK_MS);

        /* Something that it left running may hold the pipe: the program's own end counts. At the pipe's end only the tick is left. */
        if (ready > 0 && take_output(in, output) <= 0)
            wait.fd = -1;
        pid_t gone = waitpid(pid, &status, WNOHANG);

        if (gone == pid) {
            /* What it left running may write for ever. */
            for (int i = 0; i < MOST_READS && wait.fd >= 0 && poll(&wait, 1, 0) > 0 && take_output(in, output) > 0; i++)
                ;
            return ended(status);
        }
        if (now_ms() < deadline)
            continue;
        (void)kill(-pid, SIGKILL);
        (void)kill(pid, SIGKILL);
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
        return -ETIMEDOUT;
    }
}

int dr_spawn_and_wait(const struct dr_launch *launch, const char *const *arguments, const char *const *environment,
                      unsigned seconds, struct dr_buffer *output)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    _cleanup_close_ int in = ends[0];
    pid_t pid = fcntl(in, F_SETFL, O_NONBLOCK) < 0 ? -1 : fork();
    int failed = pid < 0 ? -errno : 0;

    if (pid == 0)
        be_the_program(launch, arguments, environment, ends[1]);
    (void)close(ends[1]);
    if (failed < 0)
        return failed;
    return watch(pid, in, seconds, output);
}
