#include "cli/as_openclaw.h"

#include "base/text.h"

#include <string.h>
#include <sys/stat.h>

static const char *const name = "openclaw";

bool dr_as_openclaw(const char *argv0)
{
    const char *slash = argv0 ? strrchr(argv0, '/') : NULL;

    return argv0 && strcmp(slash ? slash + 1 : argv0, name) == 0;
}

static bool is_this_program(const struct stat *st)
{
    struct stat own;

    return stat("/proc/self/exe", &own) == 0 && own.st_dev == st->st_dev && own.st_ino == st->st_ino;
}

static char *candidate(const char *folder, size_t length)
{
    _cleanup_free_ char *copy = strndup(folder, length);

    return copy ? dr_path_join(copy, name) : NULL;
}

int dr_hand_on(char **argv, struct dr_error *error)
{
    const char *rest = getenv("PATH");

    while (rest && *rest) {
        size_t length = strcspn(rest, ":");
        _cleanup_free_ char *path = length > 0 ? candidate(rest, length) : NULL;
        struct stat st;

        /* A link to this very program must not call itself for ever. */
        if (path && stat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 0111) && !is_this_program(&st))
            (void)execv(path, argv);
        rest += length + (rest[length] == ':');
    }
    return dr_error_set(error, -ENOENT, "there is no other openclaw on PATH; here is only \"openclaw doctor\"");
}
