/*
 * Runs a program and tampers with one of the system calls by which it changes something. (strace can do this too, but Debian 12's does not
 * know fchmodat2, and counts each call's name apart.)
 *
 * inject count FILE -- PROGRAM...          writes one line per such call: its name's number, and "ok" or the errno
 * inject kill N -- PROGRAM...              SIGKILL when the N-th call (from 1) has returned
 * inject error N ERRNO -- PROGRAM...       the N-th call is not made and answers -ERRNO
 * inject errors N ERRNO -- PROGRAM...      so do all that follow
 *
 * inject torn N -- PROGRAM...              the N-th call, a write, writes half of its bytes; then SIGKILL
 * inject short N ERRNO -- PROGRAM...       the N-th call, a write, writes half of its bytes; the next answers -ERRNO
 *
 * With "--at TEXT" as the first words, calls that read count as well (openat, openat2, read, pread64, fstat, newfstatat), and
 * only those are points whose file's path, or that of the descriptor, holds TEXT.
 *
 * Only the program itself is traced, not what it forks: in openclaw-doctor, the parent is the writer.
 * Exit status: the program's, 137 when it was killed, 77 when tracing is not possible here.
 */
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/ptrace.h>

#ifndef SYS_fchmodat2
#define SYS_fchmodat2 452
#endif

enum action { COUNT, KILL, TORN, ERROR, ERRORS, SHORT };

static const char *at; /* --at */

static const long changing[] = {
    SYS_write,     SYS_pwrite64, SYS_writev,    SYS_pwritev,   SYS_renameat, SYS_renameat2, SYS_linkat,    SYS_unlinkat,
    SYS_fchmod,    SYS_fchmodat, SYS_fchmodat2, SYS_fchown,    SYS_fchownat, SYS_fsync,     SYS_fdatasync, SYS_ftruncate,
    SYS_fallocate, SYS_mkdirat,  SYS_utimensat, SYS_fsetxattr, SYS_clone,
#ifdef SYS_rename
    SYS_rename,    SYS_link,     SYS_unlink,    SYS_rmdir,     SYS_chmod,    SYS_chown,     SYS_lchown,    SYS_mkdir,
#endif
};

static uint64_t peek(pid_t pid, uint64_t address)
{
    uint64_t value = 0;
    struct iovec here = { &value, sizeof(value) }, there = { (void *)(uintptr_t)address, sizeof(value) };

    (void)!process_vm_readv(pid, &here, 1, &there, 1, 0);
    return value;
}

static void peek_text(pid_t pid, uint64_t address, char *text, size_t size)
{
    for (size_t i = 0; i + 1 < size; i++) {
        uint64_t byte = peek(pid, address + i) & 0xff;

        text[i] = (char)byte;
        text[i + 1] = '\0';
        if (byte == 0)
            return;
    }
}

static void descriptor_path(pid_t pid, int fd, char *path, size_t size)
{
    char link[64];

    (void)snprintf(link, sizeof(link), fd == AT_FDCWD ? "/proc/%d/cwd" : "/proc/%d/fd/%d", (int)pid, fd);
    ssize_t length = readlink(link, path, size - 1);

    path[length > 0 ? length : 0] = '\0';
}

/* The call's file: its descriptor's path, with the name below it. */
static bool is_at(pid_t pid, const struct ptrace_syscall_info *info)
{
    const uint64_t *arguments = (const uint64_t *)info->entry.args;
    long number = (long)info->entry.nr;
    bool names = number == SYS_openat || number == SYS_openat2 || number == SYS_newfstatat || number == SYS_mkdirat ||
                 number == SYS_unlinkat || number == SYS_renameat || number == SYS_renameat2;
    char path[1024] = "", name[512] = "";

#ifdef SYS_mkdir
    if (number == SYS_mkdir || number == SYS_rmdir || number == SYS_unlink) {
        peek_text(pid, arguments[0], name, sizeof(name));
        return strstr(name, at);
    }
#endif
    descriptor_path(pid, (int)arguments[0], path, sizeof(path));
    if (names)
        peek_text(pid, arguments[1], name, sizeof(name));
    return strstr(name, at) || (name[0] != '/' && strstr(path, at));
}

static bool reads(long number)
{
    return number == SYS_read || number == SYS_pread64 || number == SYS_fstat || number == SYS_newfstatat ||
           number == SYS_openat || number == SYS_openat2;
}

static bool is_point(pid_t pid, const struct ptrace_syscall_info *info)
{
    const uint64_t *arguments = (const uint64_t *)info->entry.args;
    long number = (long)info->entry.nr;

    if (at && !is_at(pid, info))
        return false;
    if (at && reads(number))
        return true;
    if (number == SYS_write || number == SYS_writev)
        return arguments[0] > 2; /* what it says is no change */
    if (number == SYS_openat)
        return (arguments[2] & O_CREAT) != 0;
    if (number == SYS_openat2)
        return (peek(pid, arguments[2]) & O_CREAT) != 0;
    for (size_t i = 0; i < sizeof(changing) / sizeof(changing[0]); i++)
        if (changing[i] == number)
            return true;
    return false;
}

/* At the call's entry: the kernel will find no call to make. */
static void skip(pid_t pid)
{
#if defined(__x86_64__)
    struct user_regs_struct registers;

    (void)ptrace(PTRACE_GETREGS, pid, NULL, &registers);
    registers.orig_rax = (unsigned long long)-1;
    (void)ptrace(PTRACE_SETREGS, pid, NULL, &registers);
#elif defined(__aarch64__)
    int none = -1;
    struct iovec io = { &none, sizeof(none) };

    (void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_ARM_SYSTEM_CALL, &io);
#else
#error "say here how a system call is skipped"
#endif
}

/* At the entry of a write: half of its bytes. */
static void halve(pid_t pid)
{
#if defined(__x86_64__)
    struct user_regs_struct registers;

    (void)ptrace(PTRACE_GETREGS, pid, NULL, &registers);
    registers.rdx /= 2;
    (void)ptrace(PTRACE_SETREGS, pid, NULL, &registers);
#elif defined(__aarch64__)
    struct user_regs_struct registers;
    struct iovec io = { &registers, sizeof(registers) };

    (void)ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io);
    registers.regs[2] /= 2;
    (void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io);
#endif
}

/* At the call's exit: what it answers. */
static void answer(pid_t pid, int code)
{
#if defined(__x86_64__)
    struct user_regs_struct registers;

    (void)ptrace(PTRACE_GETREGS, pid, NULL, &registers);
    registers.rax = (unsigned long long)-code;
    (void)ptrace(PTRACE_SETREGS, pid, NULL, &registers);
#elif defined(__aarch64__)
    struct user_regs_struct registers;
    struct iovec io = { &registers, sizeof(registers) };

    (void)ptrace(PTRACE_GETREGSET, pid, (void *)NT_PRSTATUS, &io);
    registers.regs[0] = (unsigned long long)-code;
    (void)ptrace(PTRACE_SETREGSET, pid, (void *)NT_PRSTATUS, &io);
#endif
}

static int errno_of(const char *name)
{
    static const struct {
        const char *name;
        int code;
    } known[] = { { "ENOSPC", ENOSPC }, { "EIO", EIO }, { "EACCES", EACCES }, { "EROFS", EROFS }, { "EPERM", EPERM } };

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (strcmp(known[i].name, name) == 0)
            return known[i].code;
    return -1;
}

struct plan {
    enum action action;
    unsigned long target;
    int code;
    FILE *list;
};

static int follow(pid_t pid, const struct plan *plan)
{
    unsigned long count = 0;
    bool inside = false, tampered = false;
    long number = 0;
    int status, pass = 0;

    for (;;) {
        if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)pass) < 0 || waitpid(pid, &status, 0) != pid)
            return 77;
        if (WIFEXITED(status))
            return WEXITSTATUS(status);
        if (WIFSIGNALED(status))
            return 128 + WTERMSIG(status);
        pass = 0;
        if (WSTOPSIG(status) != (SIGTRAP | 0x80)) {
            pass = WSTOPSIG(status) == SIGTRAP ? 0 : WSTOPSIG(status);
            continue;
        }
        struct ptrace_syscall_info info = { 0 };

        (void)ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info);
        if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
            inside = is_point(pid, &info);
            number = (long)info.entry.nr;
            count += inside;
            tampered = inside && ((plan->action == ERROR && count == plan->target) ||
                                  (plan->action == SHORT && count == plan->target + 1) ||
                                  (plan->action == ERRORS && count >= plan->target));
            if (tampered)
                skip(pid);
            else if (inside && number == SYS_write && count == plan->target &&
                     (plan->action == TORN || plan->action == SHORT))
                halve(pid);
        } else if (inside) {
            inside = false;
            if (tampered)
                answer(pid, plan->code);
            if (plan->list)
                (void)fprintf(plan->list, "%ld %lld\n", number, (long long)info.exit.rval);
            if ((plan->action == KILL || plan->action == TORN) && count == plan->target)
                (void)kill(pid, SIGKILL);
        }
    }
}

static int usage(void)
{
    (void)fprintf(stderr,
                  "usage: inject [--at TEXT] count FILE | kill N | torn N | error N ERRNO | errors N ERRNO | short N ERRNO"
                  " -- PROGRAM...\n");
    return 64;
}

int main(int argc, char **argv)
{
    static const char *const words[] = {
        [COUNT] = "count", [KILL] = "kill", [TORN] = "torn", [ERROR] = "error", [ERRORS] = "errors", [SHORT] = "short"
    };
    struct plan plan = { .action = COUNT };
    int program = 1, status;
    size_t action = 0;

    if (argc > 3 && strcmp(argv[1], "--at") == 0) {
        at = argv[2];
        argv += 2;
        argc -= 2;
    }
    while (program < argc && strcmp(argv[program], "--") != 0)
        program++;
    while (argc > 1 && action <= SHORT && strcmp(argv[1], words[action]) != 0)
        action++;
    if (program + 1 >= argc || action > SHORT || program != (action >= ERROR ? 4 : 3))
        return usage();
    plan.action = (enum action)action;
    plan.target = action == COUNT ? 0 : strtoul(argv[2], NULL, 10);
    plan.list = action == COUNT ? fopen(argv[2], "we") : NULL;
    plan.code = action >= ERROR ? errno_of(argv[3]) : 0;
    if (plan.code < 0 || (action == COUNT && !plan.list))
        return usage();

    pid_t pid = fork();

    if (pid == 0) {
        if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
            _exit(77);
        (void)raise(SIGSTOP);
        (void)execv(argv[program + 1], argv + program + 1);
        _exit(127);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || !WIFSTOPPED(status) ||
        ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)(PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL)) < 0)
        return 77;
    status = follow(pid, &plan);
    if (plan.list && fclose(plan.list) != 0)
        return 77;
    return status;
}
