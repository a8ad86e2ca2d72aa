#include "repair/journal.h"

#include "base/file.h"
#include "base/text.h"
#include "repair/content.h"
#include "repair/custody.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>

#define OWN_FOLDER "openclaw-doctor"

/* Opens a folder of ours below `dir_fd`. It must belong to the state's owner, to us or to root, and nobody else may look in. */
static int open_own(int dir_fd, const char *name, const struct dr_repair_target *target, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = dr_open_below(dir_fd, name, O_RDONLY | O_DIRECTORY, &fd);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != target->uid && st.st_uid != geteuid() && st.st_uid != 0)
        return -EPERM;
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

/* 0700 and the state's owner's, whatever the umask and whoever we are. */
static int make_ours(int fd, const struct dr_repair_target *target)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -errno;
    if ((st.st_mode & 0777) != 0700 && fchmod(fd, 0700) < 0)
        return -errno;
    if (geteuid() == 0 && (st.st_uid != target->uid || st.st_gid != target->gid) && fchown(fd, target->uid, target->gid) < 0)
        return -errno;
    return 0;
}

static int make_folder(int dir_fd, const char *name, const struct dr_repair_target *target, bool *made, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    bool is_new = mkdirat(dir_fd, name, 0700) == 0;

    if (!is_new && errno != EEXIST)
        return -errno;
    int r = open_own(dir_fd, name, target, &fd);

    if (r == 0)
        r = make_ours(fd, target);
    if (r == 0 && is_new)
        r = dr_sync_folder(dir_fd);
    if (r < 0) {
        if (is_new)
            (void)unlinkat(dir_fd, name, AT_REMOVEDIR);
        return r;
    }
    if (made)
        *made = is_new;
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

void dr_journal_home_release(struct dr_journal_home *home)
{
    dr_cleanup_close(&home->lock_fd);
    dr_cleanup_close(&home->runs_fd);
    dr_cleanup_close(&home->home_fd);
    free(home->runs_path);
    *home = (struct dr_journal_home)DR_JOURNAL_HOME;
}

static char *runs_path(const struct dr_repair_target *target)
{
    return target->journal_dir ? strdup(target->journal_dir) : dr_path_join(target->state_dir, OWN_FOLDER "/runs");
}

/* --journal-dir: a folder of the user's choice; it is made when only its last component is missing. */
static int open_chosen(const struct dr_repair_target *target, bool make, int *ret_fd)
{
    _cleanup_free_ char *clean = dr_path_clean(target->journal_dir);
    char *slash = clean ? strrchr(clean, '/') : NULL;
    _cleanup_close_ int parent = -1;

    if (!clean)
        return -ENOMEM;
    if (!slash || slash[1] == '\0')
        return -EINVAL;
    *slash = '\0';
    int r = dr_open(target->root_fd, *clean ? clean : "/", O_RDONLY | O_DIRECTORY, &parent);

    if (r < 0)
        return r;
    return make ? make_folder(parent, slash + 1, target, NULL, ret_fd) : open_own(parent, slash + 1, target, ret_fd);
}

int dr_journal_home_look(const struct dr_places *places, struct dr_journal_home *ret_home, struct dr_error *error)
{
    const struct dr_repair_target *target = places->target;
    struct dr_journal_home home = DR_JOURNAL_HOME;
    int r = open_own(places->bases[0].fd, OWN_FOLDER, target, &home.home_fd);

    if (r == 0 && !target->journal_dir)
        r = open_own(home.home_fd, "runs", target, &home.runs_fd);
    if (r == -ENOENT)
        r = 0;
    if (r == 0 && target->journal_dir)
        r = open_chosen(target, false, &home.runs_fd);
    home.runs_path = runs_path(target);
    if (r == -ENOENT)
        r = 0;
    if (r == 0 && !home.runs_path)
        r = -ENOMEM;
    if (r < 0) {
        int code = dr_error_set(error, r, "the journal in %s cannot be read (%s)", home.runs_path, dr_errno_text(r));

        dr_journal_home_release(&home);
        return code;
    }
    *ret_home = home;
    return 0;
}

/* --- the lock --------------------------------------------------------------------------------------------------- */

static int name_holder(int fd, struct dr_error *error)
{
    char pid[32] = "";
    ssize_t got = pread(fd, pid, sizeof(pid) - 1, 0);

    pid[got > 0 ? strspn(pid, "0123456789") : 0] = '\0';
    return dr_error_set(error, -EBUSY, "another openclaw-doctor is repairing this state%s%s; wait for it to end",
                        *pid ? ", process " : "", pid);
}

static int write_pid(int fd, const struct dr_repair_target *target)
{
    char text[32];
    int length = snprintf(text, sizeof(text), "%ld\n", (long)getpid());

    /* Emptied first: the owner may have put another file of root's there, which is not to be given to him with what is in it. */
    if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)length, 0) < 0)
        return -errno;
    if (geteuid() == 0 && fchown(fd, target->uid, target->gid) < 0)
        return -errno;
    return 0;
}

/* 1: locked; 0: the file was removed under us, try again. */
static int try_lock(struct dr_journal_home *home, const struct dr_repair_target *target, struct dr_error *error)
{
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = dr_open_below(home->home_fd, "lock", O_RDWR | O_CREAT, &fd);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? name_holder(fd, error) : -errno;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_nlink == 0)
        return 0;
    if (st.st_nlink > 1)
        return -EMLINK;
    r = write_pid(fd, target);
    if (r < 0)
        return r;
    home->lock_fd = DR_TAKE_FD(fd);
    return 1;
}

int dr_journal_home_lock(const struct dr_places *places, struct dr_journal_home *ret_home, struct dr_error *error)
{
    const struct dr_repair_target *target = places->target;
    struct dr_journal_home home = DR_JOURNAL_HOME;
    int r = make_folder(places->bases[0].fd, OWN_FOLDER, target, &home.made, &home.home_fd);

    if (r == 0)
        home.runs_path = runs_path(target);
    if (geteuid() == 0 && target->uid != 0) {
        home.custody_dir = target->custody_dir;
        home.custody_uid = target->uid;
    }
    if (r == 0 && !home.runs_path)
        r = -ENOMEM;
    for (int tries = 0; r == 0 && tries < 10; tries++)
        r = try_lock(&home, target, error);
    if (r == 0)
        r = -EAGAIN;
    if (r > 0) {
        /* Only now: while we were not alone, the folder may have been somebody else's to make. */
        r = target->journal_dir ? open_chosen(target, false, &home.runs_fd)
                                : open_own(home.home_fd, "runs", target, &home.runs_fd);
        r = r == -ENOENT ? 0 : r;
    }
    if (r < 0) {
        if (r != -EBUSY)
            (void)dr_error_set(error, r, "the journal folder %s/" OWN_FOLDER " cannot be used (%s)", target->state_dir,
                               dr_errno_text(r));
        if (r != -EBUSY)
            dr_journal_home_unmake(&home);
        dr_journal_home_release(&home);
        return r;
    }
    *ret_home = home;
    return 0;
}

int dr_journal_home_busy(const struct dr_journal_home *home)
{
    _cleanup_close_ int fd = -1;
    int r = home->home_fd < 0 ? -ENOENT : dr_open_below(home->home_fd, "lock", O_RDONLY | O_NONBLOCK, &fd);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    return flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK;
}

void dr_journal_home_unmake(struct dr_journal_home *home)
{
    if (!home->made)
        return;
    if (home->lock_fd >= 0)
        (void)unlinkat(home->home_fd, "lock", 0);
    (void)unlinkat(home->home_fd, "../" OWN_FOLDER, AT_REMOVEDIR);
}

int dr_journal_home_runs(const struct dr_places *places, struct dr_journal_home *home, struct dr_error *error)
{
    const struct dr_repair_target *target = places->target;
    int r = 0;

    if (home->runs_fd < 0)
        r = target->journal_dir ? open_chosen(target, true, &home->runs_fd)
                                : make_folder(home->home_fd, "runs", target, NULL, &home->runs_fd);
    if (r < 0)
        return dr_error_set(error, r, "the journal folder %s cannot be made (%s)", home->runs_path, dr_errno_text(r));
    return 0;
}

/* --- run folders ------------------------------------------------------------------------------------------------ */

void dr_names_free(char ***names)
{
    for (char **name = *names; name && *name; name++)
        free(*name);
    free(*names);
    *names = NULL;
}

static int newest_first(const void *a, const void *b)
{
    return strcmp(*(char *const *)b, *(char *const *)a);
}

enum { RUNS_MOST = 100 * 1000 };

static int gather(DIR *dir, char ***names, size_t *count)
{
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        if (*count >= RUNS_MOST)
            return -E2BIG;
        char **more = realloc(*names, (*count + 2) * sizeof(**names));

        if (!more)
            return -ENOMEM;
        *names = more;
        more[*count] = NULL;

        char *name = strdup(entry->d_name);

        if (!name)
            return -ENOMEM;
        more[(*count)++] = name;
        more[*count] = NULL;
    }
    return 0;
}

int dr_journal_runs(const struct dr_journal_home *home, char ***ret_names)
{
    _cleanup_closedir_ DIR *dir = NULL;
    _cleanup_(dr_names_free) char **names = calloc(1, sizeof(*names));
    size_t count = 0;

    if (!names)
        return -ENOMEM;
    if (home->runs_fd >= 0) {
        int fd = openat(home->runs_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

        if (fd < 0)
            return -errno;
        dir = fdopendir(fd);
        if (!dir) {
            (void)close(fd);
            return -ENOMEM;
        }
        int r = gather(dir, &names, &count);

        if (r < 0)
            return r;
    }
    qsort(names, count, sizeof(*names), newest_first);
    *ret_names = DR_TAKE_PTR(names);
    return 0;
}

static int open_journal(struct dr_journal *journal, int flags)
{
    struct stat st;
    int r = dr_open_below(journal->dir_fd, "journal.jsonl", O_RDWR | O_APPEND | flags, &journal->fd);

    if (r < 0)
        return r;
    if (fstat(journal->fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return -EINVAL;
    /* Only what was made just now is given away: a file of root's that the owner put there is not his to read. */
    if (geteuid() == 0 && st.st_uid != journal->uid && st.st_size > 0)
        return -EPERM;
    if (geteuid() == 0 && (st.st_uid != journal->uid || st.st_gid != journal->gid) &&
        fchown(journal->fd, journal->uid, journal->gid) < 0)
        return -errno;
    journal->good = st.st_size;
    return 0;
}

int dr_journal_make(const struct dr_journal_home *home, const struct dr_repair_target *target, const char *run_id,
                    struct dr_journal *ret_journal)
{
    struct dr_journal journal = DR_JOURNAL;
    bool made = false;
    int r = make_folder(home->runs_fd, run_id, target, &made, &journal.dir_fd);

    journal.uid = target->uid;
    journal.gid = target->gid;
    if (r == 0 && !made)
        r = -EEXIST;
    if (r == 0)
        r = open_journal(&journal, O_CREAT | O_EXCL);
    if (r == 0)
        r = dr_sync_folder(journal.dir_fd);
    if (r < 0) {
        if (made && journal.fd >= 0)
            (void)unlinkat(journal.dir_fd, "journal.jsonl", 0);
        if (made)
            (void)unlinkat(home->runs_fd, run_id, AT_REMOVEDIR);
        dr_journal_release(&journal);
        return r;
    }
    *ret_journal = journal;
    return 0;
}

/* A torn last line is cut off, so that the next one begins at a line's beginning. */
static int cut_torn_line(struct dr_journal *journal)
{
    char byte;

    while (journal->good > 0) {
        if (pread(journal->fd, &byte, 1, journal->good - 1) != 1)
            return -EIO;
        if (byte == '\n')
            break;
        journal->good--;
    }
    return ftruncate(journal->fd, journal->good) < 0 ? -errno : 0;
}

int dr_journal_open(const struct dr_journal_home *home, const struct dr_repair_target *target, const char *run_id,
                    struct dr_journal *ret_journal)
{
    struct dr_journal journal = DR_JOURNAL;
    int r = open_own(home->runs_fd, run_id, target, &journal.dir_fd);

    journal.uid = target->uid;
    journal.gid = target->gid;
    if (r == 0)
        r = open_journal(&journal, O_CREAT);
    if (r == 0)
        r = cut_torn_line(&journal);
    if (r == 0)
        dr_custody_open(home, run_id, &journal);
    if (r < 0) {
        dr_journal_release(&journal);
        return r;
    }
    *ret_journal = journal;
    return 0;
}
