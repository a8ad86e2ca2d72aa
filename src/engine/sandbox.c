#include "engine/sandbox.h"

#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>

/* Rights of later ABIs that Debian 12's headers do not name yet (linux/landlock.h of 6.2 and 6.10). */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER (1ULL << 13)
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE (1ULL << 14)
#endif

static uint64_t rights_to_give_up(int abi)
{
    uint64_t rights = LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
                      LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR |
                      LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
                      LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

    if (abi >= 2)
        rights |= LANDLOCK_ACCESS_FS_REFER;
    if (abi >= 3)
        rights |= LANDLOCK_ACCESS_FS_TRUNCATE;
    return rights;
}

static int enter_landlock(int *ret_abi, struct dr_error *error)
{
    long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

    *ret_abi = 0;
    if (abi <= 0)
        return 0; /* not in this kernel, or switched off */

    /* Reading is not handled, so it stays allowed everywhere; no rule gives any of the handled rights back. */
    const struct landlock_ruleset_attr attributes = { .handled_access_fs = rights_to_give_up((int)abi) };
    _cleanup_close_ int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof(attributes), 0);

    if (ruleset < 0 || syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
        return dr_error_set(error, -errno, "Landlock could not be switched on: %s", dr_errno_text(-errno));
    *ret_abi = (int)abi;
    return 0;
}

static const int denied_calls[] = {
#ifdef SYS_chmod
    SYS_chmod,
#endif
    SYS_fchmod,
    SYS_fchmodat,
#ifdef SYS_chown
    SYS_chown,
    SYS_lchown,
#endif
    SYS_fchown,
    SYS_fchownat,
#ifdef SYS_rename
    SYS_rename,
#endif
#ifdef SYS_renameat
    SYS_renameat,
#endif
    SYS_renameat2,
#ifdef SYS_unlink
    SYS_unlink,
    SYS_rmdir,
    SYS_link,
    SYS_symlink,
    SYS_mkdir,
    SYS_mknod,
    SYS_creat,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
#endif
    SYS_unlinkat,
    SYS_linkat,
    SYS_symlinkat,
    SYS_mkdirat,
    SYS_mknodat,
    SYS_truncate,
    SYS_ftruncate,
    SYS_fallocate,
    SYS_utimensat,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_fsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_fremovexattr,
    SYS_mount,
    SYS_umount2,
    SYS_execve,
    SYS_execveat,
#ifdef SYS_fork
    SYS_fork,
    SYS_vfork,
#endif
    SYS_ptrace,
    SYS_process_vm_writev,
    452, /* fchmodat2, kernel 6.6 */
};

#if defined(__x86_64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define THIS_ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

/* struct seccomp_data holds arguments as 64 bits in the order of this machine's bytes; both architectures are little-endian. */
#define LOW_WORD_OF_FIRST_ARGUMENT offsetof(struct seccomp_data, args)

static int enter_seccomp(int *ret_on, struct dr_error *error)
{
    *ret_on = 0;
#ifdef THIS_ARCHITECTURE
    enum { HEAD = 4, PER_CALL = 2, THREADS = 6 };
    struct sock_filter program[HEAD + PER_CALL * DR_COUNT(denied_calls) + THREADS + 1];
    size_t used = 0;
    const uint32_t refuse = SECCOMP_RET_ERRNO | EPERM;

    program[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
    program[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, THIS_ARCHITECTURE, 1, 0);
    program[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
    program[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
    for (size_t i = 0; i < DR_COUNT(denied_calls); i++) {
        program[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)denied_calls[i], 0, 1);
        program[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, refuse);
    }
    /*
     * A thread, but no process: libcurl resolves names in threads, and these are held by the same filter and the same Landlock rules. The flags of
     * clone3 stand in memory, where a filter cannot look: it is not there, and the C library goes back to clone.
     */
    program[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone3, 0, 1);
    program[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
    program[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3);
    program[used++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, LOW_WORD_OF_FIRST_ARGUMENT);
    program[used++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, CLONE_THREAD, 1, 0);
    program[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, refuse);
    program[used++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);

    const struct sock_fprog filter = { .len = (unsigned short)used, .filter = program };

    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter, 0, 0) < 0) {
        if (errno == EINVAL)
            return 0; /* a kernel without seccomp filters */
        return dr_error_set(error, -errno, "the system call filter could not be switched on: %s", dr_errno_text(-errno));
    }
    *ret_on = 1;
#else
    (void)error;
#endif
    return 0;
}

static int limit(int resource, rlim_t most, struct dr_error *error)
{
    const struct rlimit limits = { .rlim_cur = most, .rlim_max = most };

    if (setrlimit((__rlimit_resource_t)resource, &limits) < 0)
        return dr_error_set(error, -errno, "a resource limit could not be set: %s", dr_errno_text(-errno));
    return 0;
}

static int enter_limits(size_t most_memory, struct dr_error *error)
{
    int r = limit(RLIMIT_CORE, 0, error);

#ifndef DR_SANITIZED /* the sanitizers reserve terabytes of address space and write their reports */
    if (r >= 0)
        r = limit(RLIMIT_FSIZE, 0, error);
    if (r >= 0 && most_memory > 0)
        r = limit(RLIMIT_AS, most_memory, error);
#else
    (void)most_memory;
#endif
    return r;
}

int dr_sandbox_enter(size_t most_memory, struct dr_sandbox *ret_sandbox, struct dr_error *error)
{
    int r;

    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
        return dr_error_set(error, -errno, "no_new_privs could not be set: %s", dr_errno_text(-errno));
    r = enter_landlock(&ret_sandbox->landlock_abi, error);
    if (r >= 0)
        r = enter_limits(most_memory, error);
    if (r >= 0)
        r = enter_seccomp(&ret_sandbox->seccomp, error);
    return r;
}
