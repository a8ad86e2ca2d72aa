#include "repair/custody.h"

#include "base/file.h"
#include "repair/content.h"
#include "wire/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_MOST = 256 * 1024 * 1024, HEAD_MOST = 16 * 1024, LINE_MOST = 128 };

bool dr_custody_needed(const struct dr_places *places, const struct dr_step *step)
{
    if (step->kind != DR_RUN_COMMAND)
        return !dr_places_is_owners(places, step->path);
    const struct dr_command_row *row = dr_command_find(step->command.name);

    return !row || row->runs_as != DR_RUNS_AS_OWNER;
}

bool dr_custody_wished(const struct dr_places *places, const struct dr_step *step)
{
    return step->kind == DR_SET_OWNER || (step->before.mode != 0 && step->before.uid != places->target->uid);
}

bool dr_custody_covers(const struct dr_step *step)
{
    switch (step->kind) {
    case DR_EDIT_FILE:
    case DR_RUN_COMMAND:
    case DR_SET_MODE:
    case DR_SET_OWNER:
    case DR_MOVE_ASIDE:
        return true;
    case DR_WRITE_FILE:
    case DR_MAKE_DIRECTORY:
        return step->vault;
    case DR_UPDATE_ROW:
        break;
    }
    return false;
}

int dr_custody_chain(char chain[DR_SHA256_HEX], const char *line, size_t length)
{
    size_t before = strlen(chain);
    _cleanup_free_ char *both = malloc(before + length);

    if (!both)
        return -ENOMEM;
    memcpy(both, chain, before);
    memcpy(both + before, line, length);
    return dr_sha256_hex(both, before + length, chain);
}

/* Root's, and nobody else's to look into: what lies in it is believed. */
static int open_folder(const struct dr_journal_home *home, bool make, int *ret_fd)
{
    struct stat st;

    if (!home->custody_dir)
        return -ENOENT;
    if (make && mkdir(home->custody_dir, 0700) < 0 && errno != EEXIST)
        return -errno;
    _cleanup_close_ int fd = open(home->custody_dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != 0 || (st.st_mode & 077) != 0)
        return -EPERM;
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

/* The first line: which journal this is about. */
static int head_of(const struct dr_journal_home *home, int dir_fd, struct dr_buffer *head)
{
    struct stat st;

    if (fstat(dir_fd, &st) < 0)
        return -errno;
    return dr_buffer_appendf(head, "journal %u %llu %s\n", home->custody_uid, (unsigned long long)st.st_ino,
                             home->runs_path);
}

/* <run id>.kept: backups and what was moved aside, where no user can look or reach. */
static int open_vault(int folder, const char *run_id, bool make, int *ret_fd)
{
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int fd = -1;
    struct stat st;

    if (asprintf(&name, "%s.kept", run_id) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    bool made = make && mkdirat(folder, name, 0700) == 0;

    if (make && !made && errno != EEXIST)
        return -errno;
    int r = dr_open_below(folder, name, O_RDONLY | O_DIRECTORY, &fd);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (st.st_uid != 0 || (st.st_mode & 077) != 0)
        return -EPERM;
    r = made ? dr_sync_folder(folder) : 0;
    if (r == 0)
        *ret_fd = DR_TAKE_FD(fd);
    return r;
}

static int append_note(int fd, struct dr_journal *journal)
{
    char line[LINE_MOST];
    int length = snprintf(line, sizeof(line), "%lld %s\n", (long long)journal->good, journal->chain);
    int r = dr_write_all(fd, line, (size_t)length);

    if (r == 0 && fdatasync(fd) < 0)
        r = -errno;
    if (r == 0)
        journal->noted += length;
    journal->behind = r < 0;
    return r;
}

static int write_head(int folder, int fd, const struct dr_buffer *head, struct dr_journal *journal)
{
    int r = dr_write_all(fd, head->data, head->length);

    if (r == 0)
        r = dr_sync_folder(folder);
    if (r < 0)
        return r;
    journal->noted = (off_t)head->length;
    return append_note(fd, journal);
}

static int begin(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal)
{
    _cleanup_close_ int folder = -1, fd = -1, vault = -1;
    _cleanup_buffer_ struct dr_buffer head = DR_BUFFER(HEAD_MOST);
    int r = fdatasync(journal->fd) < 0 ? -errno : open_folder(home, true, &folder);

    if (r == 0)
        r = head_of(home, journal->dir_fd, &head);
    if (r == 0)
        r = open_vault(folder, run_id, true, &vault);
    if (r < 0)
        return r;
    fd = openat(folder, run_id, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = write_head(folder, fd, &head, journal);
    if (r < 0) {
        (void)unlinkat(folder, run_id, 0); /* so that the next step can try again */
        return r;
    }
    journal->custody_fd = DR_TAKE_FD(fd);
    journal->vault_fd = DR_TAKE_FD(vault);
    return 0;
}

int dr_custody_begin(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal,
                     struct dr_error *error)
{
    if (!home->custody_dir ||
        journal->vault_fd >= 0) /* also when the record was given up since: dr_custody_reached says so */
        return 0;
    int r = begin(home, run_id, journal);

    return r < 0 ? dr_error_set(error, r, "root's record of the journal cannot be written in %s (%s)", home->custody_dir,
                                dr_errno_text(r))
                 : 0;
}

void dr_custody_note(struct dr_journal *journal)
{
    if (journal->custody_fd < 0 || append_note(journal->custody_fd, journal) == 0)
        return;
    /* Half a line would make the next one unreadable, and with it the whole record. */
    if (ftruncate(journal->custody_fd, journal->noted) < 0) {
        (void)close(journal->custody_fd);
        journal->custody_fd = -1; /* the number is soon another file's */
    }
}

int dr_custody_reached(const struct dr_journal_home *home, const struct dr_journal *journal, struct dr_error *error)
{
    if (!home->custody_dir || (journal->custody_fd >= 0 && !journal->behind))
        return 0;
    return dr_error_set(error, -EIO,
                        "root's record of the journal in %s cannot be written on; without it, it could not be taken back",
                        home->custody_dir);
}

/* Is the chain over the first `held` bytes, which end with a line, `chain`? */
static bool is_chain(const char *text, size_t held, const char *chain)
{
    char now[DR_SHA256_HEX] = "";

    for (size_t from = 0; from < held;) {
        const char *end = memchr(text + from, '\n', held - from);
        size_t length = end ? (size_t)(end - (text + from)) + 1 : 0;

        if (!end || dr_custody_chain(now, text + from, length) < 0)
            return false;
        from += length;
    }
    return strcmp(now, chain) == 0;
}

/*
 * The last whole line says it; a kill may have torn the one after. No line before it is ever asked: a user who cuts his journal short
 * would be believed, and a run that is over would look as if it had been killed.
 */
static size_t held_by(const char *lines, const char *text, size_t length, const char **ret_why)
{
    const char *end = strrchr(lines, '\n');
    const char *start = end;
    char chain[DR_SHA256_HEX];
    unsigned long long held;

    *ret_why = "root's record of this run is damaged";
    while (start && start > lines && start[-1] != '\n')
        start--;
    if (!start || sscanf(start, "%llu %64[0-9a-f]\n", &held, chain) != 2 || held == 0)
        return 0;
    *ret_why = "the journal is not the one that root wrote";
    if (held > length || !is_chain(text, (size_t)held, chain))
        return 0;
    *ret_why = NULL;
    return (size_t)held;
}

/* The record's text after its first line, which must fit this journal. 0 and a `ret_why`: there is none to go by. */
static int read_record(const struct dr_journal_home *home, int folder, const char *run_id, int dir_fd,
                       struct dr_buffer *record, size_t *ret_head, const char **ret_why)
{
    _cleanup_buffer_ struct dr_buffer head = DR_BUFFER(HEAD_MOST);
    _cleanup_close_ int fd = -1;
    struct stat st;
    int r = dr_open_below(folder, run_id, O_RDONLY | O_NONBLOCK, &fd);

    *ret_why = r == -ENOENT ? "root has no record of this run" : "root's record of this run is not a plain file of root's";
    if (r < 0)
        return r == -ENOENT || r == -ELOOP ? 0 : r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_uid != 0 || st.st_nlink != 1)
        return 0;
    r = head_of(home, dir_fd, &head);
    if (r == 0)
        r = dr_read_fd(fd, record);
    if (r < 0)
        return r;
    const char *text = dr_buffer_text(record);
    size_t common = record->length < head.length ? record->length : head.length;

    *ret_why = memcmp(text, head.data, common) != 0
                   ? "root's record of this run is about another journal (was it moved or copied?)"
                   : "root's record of this run is damaged";
    if (record->length <= head.length || memcmp(text, head.data, head.length) != 0)
        return 0;
    *ret_why = NULL;
    *ret_head = head.length;
    return 0;
}

int dr_custody_held(const struct dr_journal_home *home, const char *run_id, int dir_fd, const char *text, size_t length,
                    size_t *ret_held, const char **ret_why)
{
    _cleanup_close_ int folder = -1;
    _cleanup_buffer_ struct dr_buffer record = DR_BUFFER(RECORD_MOST);
    size_t head = 0;
    int r = open_folder(home, false, &folder);

    *ret_held = 0;
    *ret_why = r == -EPERM ? "the folder of root's records is not root's alone" : "root has no record of this run";
    if (r < 0)
        return r == -ENOENT || r == -EPERM || r == -ELOOP || r == -ENOTDIR ? 0 : r;
    r = read_record(home, folder, run_id, dir_fd, &record, &head, ret_why);
    if (r == 0 && !*ret_why)
        *ret_held = held_by(dr_buffer_text(&record) + head, text, length, ret_why);
    return r;
}

void dr_custody_open(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal)
{
    _cleanup_buffer_ struct dr_buffer record = DR_BUFFER(RECORD_MOST);
    _cleanup_close_ int folder = -1;
    const char *why;
    size_t head = 0;

    if (open_folder(home, false, &folder) == 0 &&
        read_record(home, folder, run_id, journal->dir_fd, &record, &head, &why) == 0 && !why &&
        open_vault(folder, run_id, false, &journal->vault_fd) < 0)
        journal->vault_fd = -1; /* what was in it is told to be gone */
}

int dr_custody_clear(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal)
{
    const struct dr_shelf vault = dr_journal_shelf(journal, true);
    _cleanup_free_ char *name = NULL;
    _cleanup_close_ int folder = -1;

    /* On a journal's word nothing of root's is removed: this process has made both, and knows. */
    if (journal->custody_fd < 0)
        return 0;
    if (asprintf(&name, "%s.kept", run_id) < 0) {
        name = NULL;
        return -ENOMEM;
    }
    int r = open_folder(home, false, &folder);

    if (r == 0)
        r = dr_shelf_clear(&vault);
    if (r == 0 && (unlinkat(folder, name, AT_REMOVEDIR) < 0 || unlinkat(folder, run_id, 0) < 0))
        r = -errno;
    return r;
}

void dr_custody_drop(const struct dr_journal_home *home, const char *run_id)
{
    _cleanup_close_ int folder = -1;
    _cleanup_free_ char *name = NULL;

    if (asprintf(&name, "%s.kept", run_id) < 0) {
        name = NULL;
        return;
    }
    /* What is left over does no harm: the journal says that the run is undone. */
    if (open_folder(home, false, &folder) == 0 && (unlinkat(folder, run_id, 0) == 0 || errno == ENOENT))
        (void)unlinkat(folder, name, AT_REMOVEDIR); /* only when it is empty */
}
