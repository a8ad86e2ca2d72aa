/*
 * The parent's side of a look: starts the worker, listens to its pipe, and when it hangs, crashes or runs out of memory notes that
 * against the module at work and starts a new worker without it. A worker's words count when it came to its end; each new worker says
 * everything again (checks take milliseconds), so nothing has to be pieced together.
 */
#include "engine/engine.h"

#include "api/registry.h"
#include "base/text.h"
#include "engine/causes.h"
#include "engine/look_lines.h"
#include "engine/select.h"
#include "engine/worker.h"
#include "facts/socket_owner.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>

enum { MOST_WIRE = 256 * 1024 * 1024, MOST_CHECKS = 256, MOST_FAILED_FIXES = 64 };

struct failed_check {
    const char *status; /* "error", "timeout" */
    const char *reason;
};

struct looking {
    const struct dr_request *request;
    const struct dr_look_options *options;
    struct dr_progress *progress;
    bool runs[MOST_CHECKS];
    struct failed_check failed[MOST_CHECKS];
    char failed_fixes[MOST_FAILED_FIXES][24];
    const char *skip_fix[MOST_FAILED_FIXES + 1];
    size_t failed_fix_count;
    int64_t deadline_ms;
    struct dr_look *look;
};

enum ending { ENDED_WELL, ENDED_EARLY, ENDED_TIMEOUT, ENDED_DEADLINE };

void dr_look_release(struct dr_look *look)
{
    cJSON_Delete(look->target);
    cJSON_Delete(look->checks);
    cJSON_Delete(look->findings);
    cJSON_Delete(look->unknowns);
    cJSON_Delete(look->operations);
    cJSON_Delete(look->probes);
    *look = (struct dr_look){ 0 };
}

static int begin_result(struct dr_look *look)
{
    double duration = look->duration_ms;

    dr_look_release(look);
    look->duration_ms = duration;
    look->checks = cJSON_CreateArray();
    look->findings = cJSON_CreateArray();
    look->unknowns = cJSON_CreateArray();
    look->operations = cJSON_CreateArray();
    look->probes = cJSON_CreateArray();
    return look->checks && look->findings && look->unknowns && look->operations && look->probes ? 0 : -ENOMEM;
}

/* Milliseconds until somebody is too late: the module at work, or all together. */
static int64_t time_left(const struct looking *looking, enum ending *ret_ending)
{
    int64_t now = dr_monotonic_ms();
    int64_t total = looking->deadline_ms - now;
    int stage = atomic_load(&looking->progress->stage);
    int64_t own = atomic_load(&looking->progress->since_ms) + looking->options->check_timeout_ms - now;

    *ret_ending = ENDED_DEADLINE;
    /* The walk serves all checks and grows with the tree: only the common deadline bounds it. */
    if ((stage == DR_STAGE_CHECK || stage == DR_STAGE_FIX || stage == DR_STAGE_START) && own < total) {
        *ret_ending = ENDED_TIMEOUT;
        return own;
    }
    return total;
}

/* What the worker may ask: which process holds a socket. Whoever asks too much, or nonsense, gets no answer any more. */
static void answer_question(const struct looking *looking, struct pollfd *questions, unsigned *answered)
{
    if (!questions->revents)
        return;
    if (dr_socket_owner_answer(questions->fd, looking->request->proc) < 0 || ++*answered == DR_MOST_OWNER_QUESTIONS)
        questions->fd = -1; /* poll passes over it */
}

static enum ending hear(struct looking *looking, int in, int questions, bool *ended)
{
    _cleanup_buffer_ struct dr_buffer input = DR_BUFFER(MOST_WIRE);
    struct pollfd ends[2] = { { .fd = in, .events = POLLIN }, { .fd = questions, .events = POLLIN } };
    unsigned answered = 0;

    for (;;) {
        enum ending late;
        int64_t left = time_left(looking, &late);
        char *space;

        if (left <= 0)
            return late;
        ends[0].revents = ends[1].revents = 0;
        int ready = poll(ends, 2, left > 100 ? 100 : (int)left);

        if (ready < 0 && errno != EINTR)
            return ENDED_EARLY;
        if (ready <= 0)
            continue;
        answer_question(looking, &ends[1], &answered);
        if (!ends[0].revents)
            continue;
        if (dr_buffer_reserve(&input, 64 * 1024, &space) < 0)
            return ENDED_EARLY;
        ssize_t got = read(in, space, 64 * 1024);

        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got <= 0)
            return *ended ? ENDED_WELL : ENDED_EARLY;
        dr_buffer_commit(&input, (size_t)got);
        dr_look_take_lines(looking->look, &input, ended);
    }
}

static const char *how_it_ended(int status)
{
    if (WIFEXITED(status) && WEXITSTATUS(status) == DR_EXIT_OUT_OF_MEMORY)
        return "ran out of memory";
    if (WIFSIGNALED(status))
        switch (WTERMSIG(status)) {
        case SIGSEGV:
        case SIGBUS:
            return "crashed (invalid memory access)";
        case SIGABRT:
            return "crashed (aborted)";
        case SIGKILL:
            return "was killed (out of memory?)";
        case SIGSYS:
            return "made a system call that checks may not make";
        default:
            return "crashed";
        }
    return "ended before it was done";
}

static int fail_check(struct looking *looking, int check, const char *status, const char *reason)
{
    if (check < 0 || check >= MOST_CHECKS || !looking->runs[check])
        return -EPROTO;
    looking->runs[check] = false;
    looking->failed[check] = (struct failed_check){ .status = status, .reason = reason };
    return 0;
}

/* What all who walk, or all who ask the probes, have in common has failed. */
static int blame_all(struct looking *looking, bool live, const char *kind, const char *reason)
{
    int blamed = 0;

    for (int i = 0; dr_check_table[i]; i++)
        if (looking->runs[i] && (live ? dr_check_table[i]->live : dr_check_table[i]->visit != NULL) &&
            fail_check(looking, i, kind, reason) == 0)
            blamed++;
    return blamed > 0 ? 0 : -EPROTO;
}

/* Notes who was at work when the worker ended. 0: another worker may try without it. */
static int blame(struct looking *looking, enum ending ending, int status)
{
    bool late = ending == ENDED_TIMEOUT || ending == ENDED_DEADLINE;
    const char *kind = late ? "timeout" : "error";
    const char *reason = late ? "took too long" : how_it_ended(status);
    int stage = atomic_load(&looking->progress->stage);
    int check = atomic_load(&looking->progress->check);

    if (stage == DR_STAGE_FIX && looking->failed_fix_count < MOST_FAILED_FIXES) {
        size_t slot = looking->failed_fix_count++;

        memcpy(looking->failed_fixes[slot], looking->progress->finding, sizeof(looking->failed_fixes[slot]) - 1);
        looking->skip_fix[slot] = looking->failed_fixes[slot];
        return 0;
    }
    if (stage == DR_STAGE_WALK && check < 0)
        return blame_all(looking, false, kind, late ? "the files could not be walked in time" : reason);
    if (stage == DR_STAGE_LIVE)
        return blame_all(looking, true, kind, late ? "the probes did not end in time" : reason);
    return fail_check(looking, check, kind, reason);
}

static enum ending start_worker(struct looking *looking, int *ret_status, struct dr_error *error, int *ret_result)
{
    int ends[2];
    int line[2]; /* for the worker's questions */
    bool ended = false;

    *ret_result = 0;
    memset(looking->progress, 0, sizeof(*looking->progress));
    atomic_store(&looking->progress->check, -1);
    atomic_store(&looking->progress->since_ms, dr_monotonic_ms());
    if (pipe2(ends, O_CLOEXEC) < 0) {
        *ret_result = dr_error_set(error, -errno, "no pipe for the worker: %s", dr_errno_text(-errno));
        return ENDED_EARLY;
    }
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, line) < 0) {
        *ret_result = dr_error_set(error, -errno, "no line to the worker: %s", dr_errno_text(-errno));
        (void)close(ends[0]);
        (void)close(ends[1]);
        return ENDED_EARLY;
    }

    pid_t pid = fork();

    if (pid == 0) {
        const struct dr_worker worker = {
            .request = looking->request,
            .options = looking->options,
            .runs = looking->runs,
            .skip_fix = looking->skip_fix,
            .progress = looking->progress,
            .out = ends[1],
            .parent = { .fd = line[1] },
        };

        (void)close(ends[0]);
        (void)close(line[0]);
        (void)signal(SIGPIPE, SIG_DFL);
        dr_worker_run(&worker);
    }
    (void)close(ends[1]);
    (void)close(line[1]);

    _cleanup_close_ int in = ends[0];
    _cleanup_close_ int questions = line[0];

    if (pid < 0) {
        *ret_result = dr_error_set(error, -errno, "no worker could be started: %s", dr_errno_text(-errno));
        return ENDED_EARLY;
    }

    enum ending ending = hear(looking, in, questions, &ended);

    if (ending != ENDED_WELL)
        (void)kill(pid, ending == ENDED_EARLY ? SIGTERM : SIGKILL);
    while (waitpid(pid, ret_status, 0) < 0 && errno == EINTR)
        ;
    return ending;
}

static bool any_left(const struct looking *looking)
{
    for (int i = 0; dr_check_table[i]; i++)
        if (looking->runs[i])
            return true;
    return false;
}

/* Every check of the catalogue has a line: passed, failed, skipped. */
static int complete_checks(struct looking *looking)
{
    struct dr_look *look = looking->look;

    for (int i = 0; dr_check_table[i]; i++) {
        const struct dr_check *check = dr_check_table[i];
        int r = 0;

        if (looking->failed[i].status)
            r = dr_look_add_check(look, check, looking->failed[i].status, looking->failed[i].reason);
        else if (!dr_selection_takes_check(&looking->options->selection, check))
            r = dr_look_add_check(look, check, "skipped", "not selected");
        else if (!dr_look_has_check(look, check->id))
            r = look->deadline_hit ? dr_look_add_check(look, check, "timeout", "the time for the whole look was over") : 0;
        if (r < 0)
            return r;
    }
    return 0;
}

static int run_workers(struct looking *looking, struct dr_error *error)
{
    for (;;) {
        int status = 0;
        int result;
        int r = begin_result(looking->look);

        if (r < 0)
            return dr_error_set(error, r, "out of memory");

        enum ending ending = start_worker(looking, &status, error, &result);

        if (result < 0)
            return result;
        if (ending == ENDED_WELL)
            return 0;
        if (WIFEXITED(status) && WEXITSTATUS(status) == DR_EXIT_NO_SANDBOX)
            return dr_error_set(error, -EPERM, "the worker could not give up the right to write; nothing was looked at");
        if (ending == ENDED_DEADLINE)
            looking->look->deadline_hit = true;
        r = blame(looking, ending, status);
        if (looking->look->deadline_hit)
            return 0; /* what the last worker said so far is what there is */
        if (r < 0)
            return dr_error_set(error, r, "the worker %s before it could look", how_it_ended(status));
        if (!any_left(looking))
            return 0;
    }
}

static int look_with(struct looking *looking, struct dr_error *error)
{
    int64_t start = dr_monotonic_ms();
    int r;

    for (int i = 0; i < MOST_CHECKS && dr_check_table[i]; i++)
        looking->runs[i] = dr_selection_takes_check(&looking->options->selection, dr_check_table[i]);
    looking->deadline_ms = start + looking->options->total_timeout_ms;
    r = run_workers(looking, error);
    if (r >= 0)
        r = complete_checks(looking);
    if (r >= 0)
        r = dr_look_sort_checks(looking->look->checks);
    if (r >= 0)
        r = dr_causes_link(looking->look->findings);
    looking->look->duration_ms = (double)(dr_monotonic_ms() - start);
    return r;
}

int dr_look_run(const struct dr_request *request, const struct dr_look_options *options, struct dr_look *ret_look,
                struct dr_error *error)
{
    _cleanup_look_ struct dr_look look = { 0 };
    _cleanup_free_ struct looking *looking = calloc(1, sizeof(*looking));
    int r;

    if (!looking)
        return dr_error_set(error, -ENOMEM, "out of memory");

    void *shared = mmap(NULL, sizeof(struct dr_progress), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (shared == MAP_FAILED)
        return dr_error_set(error, -errno, "out of memory");
    looking->request = request;
    looking->options = options;
    looking->progress = shared;
    looking->look = &look;
    r = look_with(looking, error);
    (void)munmap(shared, sizeof(struct dr_progress));
    if (r < 0)
        return r;
    *ret_look = look;
    look = (struct dr_look){ 0 };
    return 0;
}
