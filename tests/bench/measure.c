/*
 * measure COUNT PROGRAM [ARG...]: runs a program COUNT times, its output thrown away, and prints one JSON line per run:
 * {"wallNs": n, "maxRssKiB": n, "exit": n}. `exit` is 128 + signal for a killed run.
 *
 * It exists because ru_maxrss of a child starts at the peak of the process that forked it: measured from Python, every
 * small program weighs what Python weighs. Like time(1), the figure is that of the largest process of the run, helpers
 * and worker included.
 */
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static uint64_t now_ns(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * UINT64_C(1000000000) + (uint64_t)now.tv_nsec;
}

static int run_once(char **command, const posix_spawn_file_actions_t *quiet)
{
    struct rusage usage;
    uint64_t began = now_ns();
    int status, error;
    pid_t pid;

    error = posix_spawn(&pid, command[0], quiet, NULL, command, environ);
    if (error != 0) {
        fprintf(stderr, "measure: %s: %s\n", command[0], strerror(error));
        return -error;
    }
    while (wait4(pid, &status, 0, &usage) < 0)
        if (errno != EINTR)
            return -errno;
    printf("{\"wallNs\": %llu, \"maxRssKiB\": %ld, \"exit\": %d}\n", (unsigned long long)(now_ns() - began), usage.ru_maxrss,
           WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
    return 0;
}

int main(int argc, char **argv)
{
    posix_spawn_file_actions_t quiet;
    long count = argc >= 3 ? strtol(argv[1], NULL, 10) : 0;

    if (count <= 0) {
        fputs("usage: measure COUNT PROGRAM [ARG...]\n", stderr);
        return 64;
    }
    posix_spawn_file_actions_init(&quiet);
    posix_spawn_file_actions_addopen(&quiet, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
    posix_spawn_file_actions_addopen(&quiet, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
    for (long i = 0; i < count; i++)
        if (run_once(argv + 2, &quiet) < 0)
            return 1;
    posix_spawn_file_actions_destroy(&quiet);
    return 0;
}
