#include "facts/proxy_files.h"

#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "facts/proc.h"

#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 20000, MOST_MATCHES = DR_PROXY_FILES + 1, CHAINS = 256 };

#define MOST_BYTES ((size_t)64 << 20) /* of one configuration, all files together */

struct loaded {
    const char *asked; /* clean */
    uint64_t hash; /* of it */
    struct dr_proxy_file file;
    int result;
    struct loaded *next, *next_inode;
};

struct dr_proxy_files {
    struct dr_proxy_loader loader; /* first: the pointer that is handed out */
    struct dr_context *context;
    long pid;
    size_t bytes;
    struct loaded *loaded[CHAINS]; /* by name */
    struct loaded *inodes[CHAINS];
};

static int read_it(struct dr_proxy_files *files, const char *path, struct dr_proxy_file *file)
{
    struct dr_context *context = files->context;
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(DR_PROXY_FILE_CEILING);
    char hex[DR_SHA256_HEX];
    int r = dr_read_file(context->request->root_fd, path, &buffer, &file->identity);

    file->path = path;
    if (r == -ELOOP) {
        file->path = dr_path_resolve(context, path);
        if (!file->path)
            return -ENOENT;
        r = dr_read_file(context->request->root_fd, file->path, &buffer, &file->identity);
    }
    if (r < 0)
        return r;
    files->bytes += buffer.length;
    if (files->bytes > MOST_BYTES)
        return -E2BIG;
    r = dr_sha256_hex(dr_buffer_text(&buffer), buffer.length, hex);
    if (r < 0)
        return r;
    char *bytes = dr_alloc(context, buffer.length + 1);

    if (buffer.length)
        memcpy(bytes, buffer.data, buffer.length);
    file->bytes = bytes;
    file->length = buffer.length;
    file->sha256 = dr_strdup(context, hex);
    return 0;
}

static const struct loaded *same_file(const struct dr_proxy_files *files, const struct loaded *one)
{
    for (const struct loaded *other = files->inodes[one->file.identity.inode % CHAINS]; other; other = other->next_inode)
        if (other->file.identity.inode == one->file.identity.inode &&
            other->file.identity.device == one->file.identity.device)
            return other;
    return NULL;
}

/* FNV-1a. */
static uint64_t hash_of(const char *text)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);

    for (; *text; text++)
        hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
    return hash;
}

static int load(void *user, const char *path, const struct dr_proxy_file **ret_file)
{
    struct dr_proxy_files *files = user;
    _cleanup_free_ char *clean = dr_path_clean(path);
    uint64_t hash = clean ? hash_of(clean) : 0;
    struct loaded **chain = &files->loaded[hash % CHAINS], *one;

    if (!clean)
        return -ENOMEM;
    for (one = *chain; one; one = one->next)
        if (one->hash == hash && strcmp(one->asked, clean) == 0)
            break;
    if (!one) {
        one = dr_alloc(files->context, sizeof(*one));
        one->asked = dr_strdup(files->context, clean);
        one->hash = hash;
        one->result = read_it(files, one->asked, &one->file);

        /* Two names of one file: one object, so that it is never edited twice. */
        const struct loaded *other = one->result == 0 ? same_file(files, one) : NULL;

        if (other) {
            *ret_file = &other->file;
            return 0;
        }
        one->next = *chain;
        *chain = one;
        if (one->result == 0) {
            struct loaded **inodes = &files->inodes[one->file.identity.inode % CHAINS];

            one->next_inode = *inodes;
            *inodes = one;
        }
    }
    *ret_file = &one->file;
    return one->result;
}

/* --- globs ------------------------------------------------------------------------------------------------------------ */

struct matches {
    const char **list;
    size_t count, room;
};

static bool has_magic(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (strchr("*?[\\", text[i]))
            return true;
    return false;
}

static void add_match(struct dr_context *context, struct matches *matches, const char *path)
{
    if (matches->count == MOST_MATCHES)
        return;
    if (matches->count == matches->room) {
        size_t room = matches->room ? 2 * matches->room : 16;
        const char **list = dr_alloc(context, room * sizeof(*list));

        if (matches->count > 0)
            memcpy(list, matches->list, matches->count * sizeof(*list));
        matches->list = list;
        matches->room = room;
    }
    matches->list[matches->count++] = path;
}

static void expand_below(struct dr_context *context, struct matches *matches, const char *folder, const char *rest,
                         unsigned depth);

static void list_folder(struct dr_context *context, struct matches *matches, const char *folder, const char *pattern,
                        const char *rest, unsigned depth)
{
    const struct dirent *entry;
    int fd;

    if (dr_open(context->request->root_fd, folder, O_RDONLY | O_DIRECTORY, &fd) < 0) {
        /* A folder that is itself a link (mods-enabled -> ...) is followed as the server follows it. */
        const char *real = dr_path_resolve(context, folder);

        if (!real || dr_open(context->request->root_fd, real, O_RDONLY | O_DIRECTORY, &fd) < 0)
            return;
    }
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return;
    }
    for (unsigned i = 0; i < MOST_ENTRIES && (entry = readdir(dir)); i++) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
            fnmatch(pattern, entry->d_name, FNM_PERIOD) != 0)
            continue;
        const char *path = dr_context_join(context, folder, entry->d_name);

        if (*rest == '\0')
            add_match(context, matches, path); /* it was just read: it is there */
        else
            expand_below(context, matches, path, rest, depth + 1);
    }
}

/* `rest`: what of the pattern is left, without a leading slash. */
static void expand_below(struct dr_context *context, struct matches *matches, const char *folder, const char *rest,
                         unsigned depth)
{
    while (*rest == '/')
        rest++;
    size_t length = strcspn(rest, "/");

    if (length == 0) {
        struct stat st;

        if (dr_stat(context->request->root_fd, folder, &st) == 0)
            add_match(context, matches, folder);
        return;
    }
    const char *step = dr_strndup(context, rest, length);

    if (depth >= DR_PROXY_DEPTH || matches->count >= MOST_MATCHES)
        return;
    if (has_magic(rest, length))
        list_folder(context, matches, folder, step, rest + length, depth);
    else
        expand_below(context, matches, dr_context_join(context, folder, step), rest + length, depth + 1);
}

static int compare_texts(const void *a, const void *b)
{
    const char *const *left = a, *const *right = b;

    return strcmp(*left, *right);
}

static int expand(void *user, const char *pattern, const char *const **ret_paths)
{
    struct dr_proxy_files *files = user;
    struct matches matches = { 0 };

    if (pattern[0] == '/')
        expand_below(files->context, &matches, "/", pattern, 0);

    const char **list = dr_alloc(files->context, (matches.count + 1) * sizeof(*list));

    if (matches.count > 0) {
        memcpy(list, matches.list, matches.count * sizeof(*list));
        qsort(list, matches.count, sizeof(*list), compare_texts);
    }
    *ret_paths = list;
    return 0;
}

static const char *environment(void *user, const char *name)
{
    const struct dr_proxy_files *files = user;
    const char *value;

    if (files->pid > 0 && dr_process_variable(files->context, files->pid, name, &value) == 0)
        return value;
    return NULL;
}

const struct dr_proxy_loader *dr_proxy_loader(struct dr_context *context, long pid)
{
    struct dr_proxy_files *files = dr_alloc(context, sizeof(*files));

    *files = (struct dr_proxy_files){
        .loader = { .arena = context->arena, .user = files, .load = load, .expand = expand, .environment = environment },
        .context = context,
        .pid = pid,
    };
    return &files->loader;
}
