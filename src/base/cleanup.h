/*
 * Scope owns resources: attributes that release a handle when its variable leaves the scope.
 *
 * Every destructor accepts the empty value (NULL, -1). DR_TAKE_PTR and DR_TAKE_FD move ownership out of
 * the scope: the variable is left empty, so nothing is released twice.
 */
#ifndef DR_BASE_CLEANUP_H
#define DR_BASE_CLEANUP_H

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

static inline void dr_cleanup_free(void *pointer_to_pointer)
{
    free(*(void **)pointer_to_pointer);
}

static inline void dr_cleanup_close(const int *fd)
{
    if (*fd >= 0) {
        int saved = errno;

        (void)close(*fd);
        errno = saved;
    }
}

static inline void dr_cleanup_closedir(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

#define _cleanup_(function) __attribute__((cleanup(function)))
#define _cleanup_free_ _cleanup_(dr_cleanup_free)
#define _cleanup_close_ _cleanup_(dr_cleanup_close)
#define _cleanup_closedir_ _cleanup_(dr_cleanup_closedir)

#define DR_TAKE_PTR(pointer)                  \
    __extension__({                           \
        __typeof__(pointer) *p_ = &(pointer); \
        __typeof__(pointer) v_ = *p_;         \
        *p_ = NULL;                           \
        v_;                                   \
    })

static inline int dr_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define DR_TAKE_FD(fd) dr_take_fd(&(fd))

#define DR_PRINTF(format_index, first_argument) __attribute__((format(printf, format_index, first_argument)))
#define DR_MUST_CHECK __attribute__((warn_unused_result))
#define DR_UNUSED __attribute__((unused))
#define DR_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
