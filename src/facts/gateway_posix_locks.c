/* POSIX locks on the coordinator files of 2026.9 (facts/openclaw-2026.9.md §1.2): SQLite's byte range, held as long as the gateway runs. */
#include "facts/gateway_evidence.h"

#include "base/file.h"

#include <fcntl.h>

enum { SQLITE_PENDING_BYTE = 0x40000000, SQLITE_LOCK_BYTES = 512 };

static bool is_locked(struct dr_context *context, const char *path, long *ret_pid)
{
    struct flock lock = {
        .l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = SQLITE_PENDING_BYTE, .l_len = SQLITE_LOCK_BYTES
    };
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (dr_stat(context->request->root_fd, path, &st) < 0 || !S_ISREG(st.st_mode))
        return false;
    if (dr_open(context->request->root_fd, path, O_RDONLY, &fd) < 0 || fcntl(fd, F_OFD_GETLK, &lock) < 0)
        return false;
    if (lock.l_type == F_UNLCK)
        return false;
    *ret_pid = lock.l_pid > 0 ? lock.l_pid : 0; /* 0 or -1 in another pid namespace */
    return true;
}

static bool tell(struct dr_context *context, const char *path, struct dr_gateway_evidence *evidence)
{
    long pid;

    if (!is_locked(context, path, &pid))
        return false;
    *evidence = (struct dr_gateway_evidence){
        .state = DR_KNOWN,
        .pid = pid,
        .how = pid ? dr_format(context, "process %ld holds the lock on %s", pid, path)
                   : dr_format(context, "a process in another container holds the lock on %s", path),
    };
    return true;
}

static bool tell_lifecycle(struct dr_context *context, const char *base, uint32_t uid, const char *hash,
                           struct dr_gateway_evidence *evidence)
{
    return tell(context, dr_format(context, "%s/openclaw-state-locks-%u/gateway-lifecycle.%s.lock.sqlite", base, uid, hash),
                evidence);
}

static bool is_repeated(const uint32_t *uids, size_t i)
{
    for (size_t j = 0; j < i; j++)
        if (uids[j] == uids[i])
            return true;
    return false;
}

void dr_gateway_from_posix_locks(struct dr_context *context, const struct dr_target *target,
                                 struct dr_gateway_evidence *ret_evidence)
{
    const char *hash = dr_gateway_hash(context, dr_format(context, "%s/state/openclaw.sqlite", target->state_dir));
    const char *temp = dr_environment(context, "TMPDIR");
    const uint32_t uids[] = { target->uid, target->running_uid, 0 };

    *ret_evidence = (struct dr_gateway_evidence){ .state = DR_ABSENT };
    for (size_t i = 0; i < DR_COUNT(uids); i++) {
        if (is_repeated(uids, i))
            continue;
        if (tell(context, dr_format(context, "%s/tmp/openclaw-%u/gateway.state.lock.sqlite", target->state_dir, uids[i]),
                 ret_evidence))
            return;
        if (hash && (tell_lifecycle(context, "/tmp", uids[i], hash, ret_evidence) ||
                     (temp && temp[0] == '/' && tell_lifecycle(context, temp, uids[i], hash, ret_evidence))))
            return;
    }
}
