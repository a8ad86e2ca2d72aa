#include "repair/custody.h"

#include "base/file.h"
#include "repair/content.h"
#include "wire/commands.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { RECORD_MOST = 16 * 1024 * 1024, HEAD_MOST = 16 * 1024, LINE_MOST = 128 };

bool dr_custody_needed(const struct dr_places *places, const struct dr_step *step)
{
    if (step->kind != DR_RUN_COMMAND)
        return !dr_places_is_owners(places, step->path);
    const struct dr_command_row *row = dr_command_find(step->command.name);

    return !row || row->runs_as != DR_RUNS_AS_OWNER;
}

bool dr_custody_covers(const struct dr_step *step)
{
    switch (step->kind) {
    case DR_EDIT_FILE:
    case DR_RUN_COMMAND:
    case DR_SET_MODE:
    case DR_SET_OWNER:
    case DR_WRITE_FILE:
    case DR_MAKE_DIRECTORY:
        return true;
    case DR_MOVE_ASIDE:
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

static int begin(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal)
{
    _cleanup_close_ int folder = -1, fd = -1;
    _cleanup_buffer_ struct dr_buffer head = DR_BUFFER(HEAD_MOST);
    int r = open_folder(home, true, &folder);

    if (r == 0)
        r = head_of(home, journal->dir_fd, &head);
    if (r < 0)
        return r;
    fd = openat(folder, run_id, O_WRONLY | O_APPEND | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    r = dr_write_all(fd, head.data, head.length);
    if (r == 0)
        r = dr_sync_folder(folder);
    if (r < 0)
        return r;
    journal->custody_fd = DR_TAKE_FD(fd);
    return dr_custody_note(journal);
}

int dr_custody_begin(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal,
                     struct dr_error *error)
{
    if (!home->custody_dir || journal->custody_fd >= 0)
        return 0;
    int r = begin(home, run_id, journal);

    return r < 0 ? dr_error_set(error, r, "root's record of the journal cannot be written in %s (%s)", home->custody_dir,
                                dr_errno_text(r))
                 : 0;
}

int dr_custody_note(const struct dr_journal *journal)
{
    char line[LINE_MOST];

    if (journal->custody_fd < 0)
        return 0;
    int length = snprintf(line, sizeof(line), "%lld %s\n", (long long)journal->good, journal->chain);
    int r = dr_write_all(journal->custody_fd, line, (size_t)length);

    return r == 0 && fdatasync(journal->custody_fd) < 0 ? -errno : r;
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

/* The last whole line says it; a kill may have torn the one after. */
static size_t held_by(const char *lines, const char *text, size_t length)
{
    const char *end = strrchr(lines, '\n');
    const char *start = end;
    char chain[DR_SHA256_HEX];
    unsigned long long held;

    while (start && start > lines && start[-1] != '\n')
        start--;
    if (!start || sscanf(start, "%llu %64[0-9a-f]\n", &held, chain) != 2 || held == 0 || held > length)
        return 0;
    return is_chain(text, (size_t)held, chain) ? (size_t)held : 0;
}

size_t dr_custody_held(const struct dr_journal_home *home, const char *run_id, int dir_fd, const char *text, size_t length)
{
    _cleanup_close_ int folder = -1, fd = -1;
    _cleanup_buffer_ struct dr_buffer head = DR_BUFFER(HEAD_MOST), record = DR_BUFFER(RECORD_MOST);
    struct stat st;

    if (open_folder(home, false, &folder) < 0 || dr_open_below(folder, run_id, O_RDONLY | O_NONBLOCK, &fd) < 0 ||
        fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || st.st_uid != 0 || head_of(home, dir_fd, &head) < 0 ||
        dr_read_fd(fd, &record) < 0)
        return 0;
    const char *lines = dr_buffer_text(&record);

    if (record.length <= head.length || memcmp(lines, head.data, head.length) != 0)
        return 0;
    return held_by(lines + head.length, text, length);
}

void dr_custody_drop(const struct dr_journal_home *home, const char *run_id)
{
    _cleanup_close_ int folder = -1;

    if (open_folder(home, false, &folder) == 0)
        (void)unlinkat(folder, run_id, 0); /* left over it does no harm: the journal says that the run is undone */
}
