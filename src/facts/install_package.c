#include "facts/install_package.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

enum { HEAD = 16 * 1024, WRAPPER = 8 * 1024, MOST_LINKS = 8, MOST_LEVELS = 6, MOST_WRAPPERS = 2, MOST_FOLDER = 4096 };

const char *dr_context_join(struct dr_context *context, const char *folder, const char *name)
{
    _cleanup_free_ char *joined = dr_path_join(folder, name);
    _cleanup_free_ char *clean = joined ? dr_path_clean(joined) : NULL;

    return dr_strdup(context, clean);
}

const char *dr_parent(struct dr_context *context, const char *path)
{
    const char *slash = strrchr(path, '/');

    if (!slash)
        return ".";
    return slash == path ? "/" : dr_strndup(context, path, (size_t)(slash - path));
}

int dr_read_head(struct dr_context *context, const char *path, size_t most, char **ret_text, size_t *ret_length)
{
    int root = context->request->root_fd;
    _cleanup_close_ int fd = -1;
    struct stat st;
    size_t length = 0;
    int r = dr_stat(root, path, &st);

    if (r < 0)
        return r;
    if (!S_ISREG(st.st_mode))
        return S_ISLNK(st.st_mode) ? -ELOOP : -EINVAL;
    r = dr_open(root, path, O_RDONLY, &fd);
    if (r < 0)
        return r;
    if (st.st_size >= 0 && (uint64_t)st.st_size < most)
        most = (size_t)st.st_size;

    char *text = dr_alloc(context, most + 1);

    while (length < most) {
        ssize_t got = read(fd, text + length, most - length);

        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        length += (size_t)got;
    }
    *ret_text = text;
    *ret_length = length;
    return 0;
}

/* Past a JSON string that starts at `at`; NULL when it does not end. */
static const char *past_string(const char *at)
{
    for (at++; *at && *at != '"'; at++)
        if (*at == '\\' && *++at == '\0')
            return NULL;
    return *at ? at + 1 : NULL;
}

static const char *past_space(const char *at)
{
    return at + strspn(at, " \t\r\n");
}

/*
 * The text of a member of the outermost object. Reads only as far as it must: the package.json of OpenClaw has 140 kB, and name
 * and version stand in its first lines. Values with escapes are left alone (no name or version has one).
 */
static const char *member_text(struct dr_context *context, const char *json, const char *name)
{
    int depth = 0;

    for (const char *at = json; *at;) {
        if (*at != '"') {
            depth += (*at == '{' || *at == '[') - (*at == '}' || *at == ']');
            at++;
            continue;
        }
        const char *key = at + 1;
        const char *end = past_string(at);

        if (!end)
            return NULL;
        at = past_space(end);
        if (depth != 1 || *at != ':' || (size_t)(end - 1 - key) != strlen(name) || strncmp(key, name, strlen(name)) != 0)
            continue;
        at = past_space(at + 1);
        end = *at == '"' ? past_string(at) : NULL;
        return end ? dr_strndup(context, at + 1, (size_t)(end - 1 - (at + 1))) : NULL;
    }
    return NULL;
}

bool dr_package_is_openclaw(const char *name)
{
    static const char *const names[] = { "openclaw", "moltbot", "clawdbot" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

int dr_package_read(struct dr_context *context, const char *folder, struct dr_package *ret_package)
{
    char *json;
    size_t length;
    int r = dr_read_head(context, dr_context_join(context, folder, "package.json"), HEAD, &json, &length);

    if (r < 0)
        return r;
    const char *name = member_text(context, json, "name");

    if (!name)
        return -EINVAL;
    *ret_package = (struct dr_package){ dr_strdup(context, folder), name, member_text(context, json, "version") };
    return 0;
}

/* Where a descriptor really is, below the root; NULL when /proc cannot tell. */
static const char *real_folder(struct dr_context *context, int fd)
{
    char link[64];
    char target[MOST_FOLDER];

    (void)snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t length = readlink(link, target, sizeof(target) - 1);

    return length <= 0 || target[0] != '/' ? NULL : dr_strndup(context, target, (size_t)length);
}

/* The folder with all links on the way resolved. The path itself where that cannot be had. */
static const char *find_real(struct dr_context *context, const char *folder)
{
    int root = context->request->root_fd;
    _cleanup_close_ int fd = -1;
    const char *inside = dr_format(context, "%s/.", folder); /* "." is never a link */

    if (dr_open(root, inside, O_PATH | O_DIRECTORY, &fd) < 0)
        return folder;
    const char *real = real_folder(context, fd);

    if (!real || root == AT_FDCWD)
        return real ? real : folder;
    const char *base = real_folder(context, root);

    if (!base || !dr_path_is_below(real, base))
        return folder;
    real += strcmp(base, "/") == 0 ? 0 : strlen(base);
    return *real ? real : "/";
}

/* Links come in flocks (mods-enabled/, sites-enabled/): the folders met last are kept. */
static const char *canonical_folder(struct dr_context *context, const char *folder)
{
    struct dr_kept_folder *kept;

    for (size_t i = 0; i < DR_COUNT(context->folders); i++)
        if (context->folders[i].asked && strcmp(context->folders[i].asked, folder) == 0)
            return context->folders[i].real;
    kept = &context->folders[context->folder_next++ % DR_COUNT(context->folders)];
    kept->asked = dr_strdup(context, folder);
    kept->real = find_real(context, kept->asked);
    return kept->real;
}

/* Where a link leads, into `target`. 0: `path` is no link; a negative errno when it is not there or cannot be looked at. */
static ssize_t read_link_at(int root, const char *path, char target[MOST_FOLDER])
{
    _cleanup_close_ int fd = -1;
    bool beneath = root != AT_FDCWD; /* of the real root one call does, as in dr_stat */
    int r = beneath ? dr_open(root, path, O_PATH, &fd) : 0;
    ssize_t length;

    if (r < 0)
        return r;
    length = readlinkat(beneath ? fd : AT_FDCWD, beneath ? "" : path, target, MOST_FOLDER - 1);
    if (length < 0 && (errno == EINVAL || (beneath && errno == ENOENT)))
        return 0; /* no link: with an empty name the kernel says ENOENT */
    if (length < 0)
        return -errno;
    target[length] = '\0';
    return length;
}

const char *dr_path_resolve(struct dr_context *context, const char *path)
{
    for (int links = 0; links <= MOST_LINKS; links++) {
        const char *slash = strrchr(path, '/');
        const char *name = slash ? slash + 1 : path;
        char target[MOST_FOLDER];

        path = dr_format(context, "%s/%s", canonical_folder(context, dr_parent(context, path)), name);
        ssize_t length = read_link_at(context->request->root_fd, path, target);

        if (length < 0)
            return NULL;
        if (length == 0)
            return path[0] == '/' && path[1] == '/' ? path + 1 : path;
        _cleanup_free_ char *joined = dr_path_join(dr_parent(context, path), target);

        if (!joined)
            return NULL;
        path = dr_strdup(context, joined);
    }
    return NULL;
}

/* The OpenClaw package in one of the folders above `path`. */
static int package_above(struct dr_context *context, const char *path, struct dr_package *ret_package)
{
    for (int level = 0; level < MOST_LEVELS && strcmp(path, "/") != 0 && strchr(path, '/'); level++) {
        struct dr_package package;

        path = dr_parent(context, path);
        if (dr_package_read(context, path, &package) == 0) {
            if (!dr_package_is_openclaw(package.name))
                return -ENOENT;
            *ret_package = package;
            return 0;
        }
    }
    return -ENOENT;
}

/* How a wrapper names the folder that it stands in, or the home. */
static const char *expand(struct dr_context *context, const char *word, const char *folder)
{
    static const char *const here[] = { "$basedir/", "${basedir}/", "$DIR/", "$SCRIPT_DIR/" };
    static const char *const home[] = { "$HOME/", "${HOME}/", "~/" };
    const char *home_folder = dr_environment(context, "HOME");

    for (size_t i = 0; i < DR_COUNT(here); i++)
        if (dr_text_starts_with(word, here[i]))
            return dr_context_join(context, folder, word + strlen(here[i]));
    for (size_t i = 0; i < DR_COUNT(home); i++)
        if (home_folder && dr_text_starts_with(word, home[i]))
            return dr_context_join(context, home_folder, word + strlen(home[i]));
    return word[0] == '/' ? dr_context_join(context, "/", word) : NULL;
}

/* The first file of an OpenClaw package that the text of a shell wrapper names. */
static const char *wrapper_target(struct dr_context *context, const char *text, const char *folder)
{
    static const char breaks[] = " \t\r\n\"'`;()|&<>=";
    static const char *const ends[] = { ".mjs", ".js", "/openclaw" };

    for (const char *at = text; *at;) {
        size_t length = strcspn(at, breaks);
        const char *word = length ? expand(context, dr_strndup(context, at, length), folder) : NULL;

        for (size_t i = 0; word && i < DR_COUNT(ends); i++)
            if (dr_text_ends_with(word, ends[i]) && (strstr(word, "/openclaw") || strstr(word, "/clawdbot")))
                return word;
        at += length;
        at += strspn(at, breaks);
    }
    return NULL;
}

int dr_package_of(struct dr_context *context, const char *executable, struct dr_package *ret_package)
{
    const char *path = executable;

    for (int wrappers = 0; path && wrappers <= MOST_WRAPPERS; wrappers++) {
        char *text;
        size_t length;

        path = dr_path_resolve(context, path);
        if (!path)
            return -ENOENT;
        if (package_above(context, path, ret_package) == 0)
            return 0;
        if (dr_read_head(context, path, WRAPPER, &text, &length) < 0 || strncmp(text, "#!", 2) != 0)
            return -ENOENT;
        path = wrapper_target(context, text, dr_parent(context, path));
    }
    return -ENOENT;
}
