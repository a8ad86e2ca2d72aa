#include "repair/journal.h"

#include "base/file.h"
#include "repair/content.h"
#include "repair/custody.h"

#include <fcntl.h>
#include <string.h>

void dr_journal_release(struct dr_journal *journal)
{
    dr_cleanup_close(&journal->custody_fd);
    dr_cleanup_close(&journal->vault_fd);
    dr_cleanup_close(&journal->fd);
    dr_cleanup_close(&journal->dir_fd);
    *journal = (struct dr_journal)DR_JOURNAL;
}

cJSON *dr_journal_line(const char *type, unsigned step)
{
    cJSON *line = cJSON_CreateObject();

    if (line && cJSON_AddStringToObject(line, "type", type) && (step == 0 || cJSON_AddNumberToObject(line, "step", step)))
        return line;
    cJSON_Delete(line);
    return NULL;
}

int dr_journal_add_later(struct dr_journal *journal, cJSON *line)
{
    _cleanup_free_ char *text = line ? cJSON_PrintUnformatted(line) : NULL;
    size_t length = text ? strlen(text) : 0;

    cJSON_Delete(line);
    if (journal->broken)
        return -EIO;
    if (!text)
        return -ENOMEM;
    text[length] = '\n'; /* in place of the NUL: one write, so that a line is rarely torn */
    int r = dr_write_all(journal->fd, text, length + 1);

    if (r < 0) {
        journal->broken = ftruncate(journal->fd, journal->good) < 0;
        return r;
    }
    journal->good += (off_t)length + 1;
    r = dr_custody_chain(journal->chain, text, length + 1);
    journal->broken = r < 0;
    return r;
}

int dr_journal_sync(struct dr_journal *journal)
{
    if (fdatasync(journal->fd) == 0) {
        dr_custody_note(journal);
        return 0;
    }
    /* The kernel may have thrown the lines away: nothing may be changed on their word. */
    journal->broken = true;
    return -errno;
}

int dr_journal_add(struct dr_journal *journal, cJSON *line)
{
    int r = dr_journal_add_later(journal, line);

    return r < 0 ? r : dr_journal_sync(journal);
}

/* Empties a folder of ours of plain files; what is a folder itself must be empty. Stops at what it does not know. */
static int empty(int dir_fd, const char *name)
{
    int fd = -1;
    int r = dr_open_below(dir_fd, name, O_RDONLY | O_DIRECTORY, &fd);

    if (r < 0)
        return r == -ENOENT ? 0 : r;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return -ENOMEM;
    }
    for (const struct dirent *entry; (entry = readdir(dir));) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        if (unlinkat(fd, entry->d_name, entry->d_type == DT_DIR ? AT_REMOVEDIR : 0) < 0)
            return -errno;
    }
    return unlinkat(dir_fd, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

int dr_shelf_clear(const struct dr_shelf *shelf)
{
    /* backup/ holds copies only. A quarantine that holds something stops us, so nothing can be lost. */
    int r = empty(shelf->fd, "quarantine");

    return r == 0 ? empty(shelf->fd, "backup") : r;
}

int dr_journal_remove(const struct dr_journal_home *home, const char *run_id, struct dr_journal *journal)
{
    const struct dr_shelf own = dr_journal_shelf(journal, false);
    int r = dr_custody_clear(home, run_id, journal);

    if (r == 0)
        r = dr_shelf_clear(&own);
    if (r == 0 && unlinkat(journal->dir_fd, "journal.jsonl", 0) < 0 && errno != ENOENT)
        r = -errno;
    if (r == 0 && unlinkat(home->runs_fd, run_id, AT_REMOVEDIR) < 0)
        r = -errno;
    if (r == 0)
        r = dr_sync_folder(home->runs_fd);
    if (r == 0)
        dr_journal_release(journal);
    return r;
}

struct dr_shelf dr_journal_shelf(const struct dr_journal *journal, bool vault)
{
    return vault ? (struct dr_shelf){ .fd = journal->vault_fd }
                 : (struct dr_shelf){ .fd = journal->dir_fd, .uid = journal->uid, .gid = journal->gid };
}

static int make_below(const struct dr_shelf *shelf, int dir_fd, const char *name, int *ret_fd)
{
    _cleanup_close_ int fd = -1;
    bool is_new = mkdirat(dir_fd, name, 0700) == 0;

    if (!is_new && errno != EEXIST)
        return -errno;
    int r = dr_open_below(dir_fd, name, O_RDONLY | O_DIRECTORY, &fd);

    if (r < 0)
        return r;
    if (is_new && geteuid() == 0 && fchown(fd, shelf->uid, shelf->gid) < 0)
        return -errno;
    r = is_new ? dr_sync_folder(dir_fd) : 0;
    if (r < 0)
        return r;
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

int dr_shelf_folder(const struct dr_shelf *shelf, const char *path, int *ret_fd)
{
    _cleanup_close_ int fd = shelf->fd < 0 ? -1 : fcntl(shelf->fd, F_DUPFD_CLOEXEC, 3);

    if (fd < 0)
        return shelf->fd < 0 ? -ENOENT : -errno;
    while (*path) {
        size_t length = strcspn(path, "/");
        _cleanup_free_ char *name = strndup(path, length);
        int next = -1;
        int r = name ? make_below(shelf, fd, name, &next) : -ENOMEM;

        if (r < 0)
            return r;
        (void)close(fd);
        fd = next;
        path += length + (path[length] == '/');
    }
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

/* Opens a new file "backup/NNNN"; its folder in `ret_dir`. */
static int new_kept(const struct dr_shelf *shelf, const char *name, int *ret_dir, int *ret_fd)
{
    const char *slash = strrchr(name, '/');
    _cleanup_free_ char *folder = slash ? strndup(name, (size_t)(slash - name)) : NULL;
    _cleanup_close_ int dir = -1;

    if (!folder)
        return slash ? -ENOMEM : -EINVAL;
    int r = dr_shelf_folder(shelf, folder, &dir);

    if (r < 0)
        return r;
    _cleanup_close_ int fd = openat(dir, slash + 1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -errno;
    if (geteuid() == 0 && fchown(fd, shelf->uid, shelf->gid) < 0)
        return -errno;
    *ret_dir = DR_TAKE_FD(dir);
    *ret_fd = DR_TAKE_FD(fd);
    return 0;
}

static int finish_kept(int dir, int fd)
{
    return fsync(fd) < 0 ? -errno : dr_sync_folder(dir);
}

int dr_shelf_keep(const struct dr_shelf *shelf, const char *name, const void *bytes, size_t length)
{
    _cleanup_close_ int dir = -1, fd = -1;
    int r = new_kept(shelf, name, &dir, &fd);

    if (r == 0)
        r = dr_write_all(fd, bytes, length);
    return r < 0 ? r : finish_kept(dir, fd);
}

int dr_shelf_keep_fd(const struct dr_shelf *shelf, const char *name, int from)
{
    _cleanup_close_ int dir = -1, fd = -1;
    _cleanup_free_ char *chunk = malloc(64 * 1024);
    off_t offset = 0;
    int r = chunk ? new_kept(shelf, name, &dir, &fd) : -ENOMEM;

    while (r == 0) {
        ssize_t got = pread(from, chunk, 64 * 1024, offset);

        if (got < 0)
            return -errno;
        if (got == 0)
            return finish_kept(dir, fd);
        r = dr_write_all(fd, chunk, (size_t)got);
        offset += got;
    }
    return r;
}

int dr_shelf_kept(const struct dr_shelf *shelf, const char *name, const char *sha256, struct dr_buffer *buffer)
{
    _cleanup_close_ int fd = -1;
    char hash[DR_SHA256_HEX];
    struct stat st;
    int r = shelf->fd < 0 ? -ENOENT : dr_open_below(shelf->fd, name, O_RDONLY | O_NONBLOCK, &fd);

    if (r < 0)
        return r;
    if (fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
        return -EINVAL;
    r = dr_read_fd(fd, buffer);
    if (r == 0)
        r = dr_sha256_hex(buffer->data, buffer->length, hash);
    if (r < 0)
        return r;
    return sha256 && strcmp(hash, sha256) != 0 ? -ESTALE : 0;
}

int dr_journal_end(struct dr_journal *journal, const char *state)
{
    cJSON *line = dr_journal_line("end", 0);

    if (line && !cJSON_AddStringToObject(line, "state", state)) {
        cJSON_Delete(line);
        line = NULL;
    }
    return dr_journal_add(journal, line);
}
