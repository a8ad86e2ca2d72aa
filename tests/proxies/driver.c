/*
 * A reader's model of a proxy configuration as JSON, for the tests that compare it with the server itself.
 *
 *   proxy_driver [--mends] KIND FILE [PREFIX]      KIND: nginx caddy haproxy apache traefik; haproxy: [FILE] [FILE] ... instead of PREFIX
 *
 * Out: {kind, path, files: [path], faults: [{source, text, hides_routes}], routes: [{source, listens, names, path, pattern, tls,
 * upstream_text, upstream_host, upstream_port, upstream_tls, upstream_path, http_version, http_version_source,
 * headers: {NAME: {fate, value, source}}, upgrade, upgrade_why, upgrade_source, idle_timeout_ms, idle_timeout_source, buffers, note}]}
 * A source is {path, line, column}. Words of enumerations in lower case ("set", "passed").
 * --mends: each route also has mends: {upgrade|forward|timeout|upstream|buffering|all: {error, why_not} or
 * {edits: [{path, offset, length, text}]}}, sorted by file and offset.
 *
 * Files come from plain reads of this process; a path is the real path, as in the program itself. Exit status 0 whatever stands in
 * the file, 1: the reader failed (then {"error": errno}), 2: usage.
 */
#include "format/proxy_reader.h"

#include "base/cleanup.h"
#include "base/hash.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

/* Weak: a reader that is not in this tree yet is NULL. */
#pragma weak dr_nginx_format
#pragma weak dr_caddy_format
#pragma weak dr_haproxy_format
#pragma weak dr_apache_format
#pragma weak dr_traefik_format

struct disk {
    struct dr_arena *arena;
    const struct dr_proxy_file **files;
    size_t count, room;
};

static const struct dr_proxy_file *known(const struct disk *disk, const char *path)
{
    for (size_t i = 0; i < disk->count; i++)
        if (strcmp(disk->files[i]->path, path) == 0)
            return disk->files[i];
    return NULL;
}

static int read_all(struct dr_arena *arena, int fd, size_t size, struct dr_proxy_file *file)
{
    char *bytes = dr_arena_alloc(arena, size + 1);
    char hex[DR_SHA256_HEX];

    if (!bytes)
        return -ENOMEM;
    while (file->length < size) {
        ssize_t got = read(fd, bytes + file->length, size - file->length);

        if (got < 0)
            return -errno;
        if (got == 0)
            break;
        file->length += (size_t)got;
    }
    file->bytes = bytes;
    if (dr_sha256_hex(bytes, file->length, hex) < 0)
        return -ENOMEM;
    file->sha256 = dr_arena_strdup(arena, hex);
    return 0;
}

static int load(void *user, const char *path, const struct dr_proxy_file **ret_file)
{
    struct disk *disk = user;
    _cleanup_free_ char *real = realpath(path, NULL);

    if (!real)
        return -errno;
    *ret_file = known(disk, real);
    if (*ret_file)
        return 0;

    _cleanup_close_ int fd = open(real, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
    struct dr_proxy_file *file = dr_arena_alloc(disk->arena, sizeof(*file));
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        return -errno;
    if (!S_ISREG(st.st_mode))
        return -EINVAL;
    if ((uintmax_t)st.st_size > DR_PROXY_FILE_CEILING)
        return -E2BIG;
    if (!file)
        return -ENOMEM;
    file->path = dr_arena_strdup(disk->arena, real);

    int r = read_all(disk->arena, fd, (size_t)st.st_size, file);
    const struct dr_proxy_file **grown = dr_arena_grow(disk->arena, disk->files, disk->count, sizeof(*grown), &disk->room);

    if (r < 0 || !grown)
        return r < 0 ? r : -ENOMEM;
    disk->files = grown;
    grown[disk->count++] = file;
    *ret_file = file;
    return 0;
}

static int compare_texts(const void *left, const void *right)
{
    return strcmp(*(const char *const *)left, *(const char *const *)right);
}

static int expand(void *user, const char *pattern, const char *const **ret_paths)
{
    struct disk *disk = user;
    glob_t found = { 0 };
    int r = glob(pattern, GLOB_NOSORT, NULL, &found);
    size_t count = r == 0 ? found.gl_pathc : 0;
    const char **paths = dr_arena_alloc(disk->arena, (count + 1) * sizeof(const char *));

    for (size_t i = 0; paths && i < count; i++)
        paths[i] = dr_arena_strdup(disk->arena, found.gl_pathv[i]);
    globfree(&found);
    if (!paths || r == GLOB_NOSPACE)
        return -ENOMEM;
    if (r == GLOB_ABORTED)
        return -EACCES;
    qsort(paths, count, sizeof(const char *), compare_texts);
    *ret_paths = paths;
    return 0;
}

static const char *environment(void *user, const char *name)
{
    (void)user;
    return getenv(name);
}

/* --- the model as JSON ---------------------------------------------------------------------------------------------------- */

static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text)
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

static void add_source(cJSON *object, const char *name, const struct dr_source *source)
{
    cJSON *made = cJSON_AddObjectToObject(object, name);

    add_text(made, "path", source->path);
    cJSON_AddNumberToObject(made, "line", source->line);
    cJSON_AddNumberToObject(made, "column", source->column);
}

static void add_list(cJSON *object, const char *name, const char *const *texts)
{
    cJSON *list = cJSON_AddArrayToObject(object, name);

    for (; texts && *texts; texts++)
        cJSON_AddItemToArray(list, cJSON_CreateString(*texts));
}

static void add_headers(cJSON *object, const struct dr_route *route)
{
    static const char *const fates[] = { "unknown", "absent", "clients", "set", "appended" };
    cJSON *headers = cJSON_AddObjectToObject(object, "headers");

    for (int i = 0; i < DR_ROUTE_HEADERS; i++) {
        cJSON *header = cJSON_AddObjectToObject(headers, dr_route_header_text((enum dr_route_header_name)i));

        add_text(header, "fate", fates[route->headers[i].fate]);
        add_text(header, "value", route->headers[i].value);
        add_source(header, "source", &route->headers[i].source);
    }
}

static void add_mend(cJSON *mends, const char *name, const struct dr_proxy_format *format, const struct dr_route *route,
                     unsigned bits, struct dr_arena *arena)
{
    struct dr_route_edits edits = { 0 };
    const char *why_not = NULL;
    cJSON *mend = cJSON_AddObjectToObject(mends, name);
    int r = format->mend(route, bits, arena, &edits, &why_not);

    if (r < 0) {
        cJSON_AddNumberToObject(mend, "error", r);
        add_text(mend, "why_not", why_not);
        return;
    }
    cJSON *list = cJSON_AddArrayToObject(mend, "edits");

    for (size_t i = 0; i < edits.count; i++) {
        cJSON *edit = cJSON_CreateObject();

        add_text(edit, "path", edits.list[i].file->path);
        cJSON_AddNumberToObject(edit, "offset", (double)edits.list[i].edit.offset);
        cJSON_AddNumberToObject(edit, "length", (double)edits.list[i].edit.length);
        add_text(edit, "text", edits.list[i].edit.text);
        cJSON_AddItemToArray(list, edit);
    }
}

static void add_mends(cJSON *object, const struct dr_proxy_format *format, const struct dr_route *route,
                      struct dr_arena *arena)
{
    static const struct {
        const char *name;
        unsigned bits;
    } kinds[] = {
        { "upgrade", DR_MEND_UPGRADE },
        { "forward", DR_MEND_FORWARD },
        { "timeout", DR_MEND_TIMEOUT },
        { "upstream", DR_MEND_UPSTREAM },
        { "buffering", DR_MEND_BUFFERING },
        { "all", DR_MEND_UPGRADE | DR_MEND_FORWARD | DR_MEND_TIMEOUT | DR_MEND_UPSTREAM | DR_MEND_BUFFERING },
    };
    cJSON *mends = cJSON_AddObjectToObject(object, "mends");

    for (size_t i = 0; i < DR_COUNT(kinds); i++)
        add_mend(mends, kinds[i].name, format, route, kinds[i].bits, arena);
}

static cJSON *route_json(const struct dr_route *route)
{
    static const char *const upgrades[] = { "unknown", "passed", "dropped" };
    cJSON *object = cJSON_CreateObject();

    add_source(object, "source", &route->source);
    add_list(object, "listens", route->listens);
    add_list(object, "names", route->names);
    add_text(object, "path", route->path);
    add_text(object, "pattern", route->pattern);
    cJSON_AddBoolToObject(object, "tls", route->tls);
    add_text(object, "upstream_text", route->upstream_text);
    add_text(object, "upstream_host", route->upstream_host);
    cJSON_AddNumberToObject(object, "upstream_port", route->upstream_port);
    cJSON_AddBoolToObject(object, "upstream_tls", route->upstream_tls);
    add_text(object, "upstream_path", route->upstream_path);
    cJSON_AddNumberToObject(object, "http_version", route->http_version);
    add_source(object, "http_version_source", &route->http_version_source);
    add_headers(object, route);
    add_text(object, "upgrade", upgrades[route->upgrade]);
    add_text(object, "upgrade_why", route->upgrade_why);
    add_source(object, "upgrade_source", &route->upgrade_source);
    cJSON_AddNumberToObject(object, "idle_timeout_ms", (double)route->idle_timeout_ms);
    add_source(object, "idle_timeout_source", &route->idle_timeout_source);
    cJSON_AddBoolToObject(object, "buffers", route->buffers);
    add_text(object, "note", route->note);
    return object;
}

static cJSON *config_json(const struct dr_proxy_format *format, const struct dr_proxy_config *config, bool mends,
                          struct dr_arena *arena)
{
    cJSON *object = cJSON_CreateObject();
    cJSON *files, *faults, *routes;

    add_text(object, "path", config->path);
    files = cJSON_AddArrayToObject(object, "files");
    for (size_t i = 0; i < config->file_count; i++)
        cJSON_AddItemToArray(files, cJSON_CreateString(config->files[i]->path));
    faults = cJSON_AddArrayToObject(object, "faults");
    for (size_t i = 0; i < config->fault_count; i++) {
        cJSON *fault = cJSON_CreateObject();

        add_source(fault, "source", &config->faults[i].source);
        add_text(fault, "text", config->faults[i].text);
        cJSON_AddBoolToObject(fault, "hides_routes", config->faults[i].hides_routes);
        cJSON_AddItemToArray(faults, fault);
    }
    routes = cJSON_AddArrayToObject(object, "routes");
    for (size_t i = 0; i < config->route_count; i++) {
        cJSON *route = route_json(&config->routes[i]);

        if (mends)
            add_mends(route, format, &config->routes[i], arena);
        cJSON_AddItemToArray(routes, route);
    }
    return object;
}

static const struct dr_proxy_format *format_of(const char *name)
{
    const struct {
        const char *name;
        const struct dr_proxy_format *format;
    } formats[] = {
        { "nginx", &dr_nginx_format },   { "caddy", &dr_caddy_format },     { "haproxy", &dr_haproxy_format },
        { "apache", &dr_apache_format }, { "traefik", &dr_traefik_format },
    };

    for (size_t i = 0; i < DR_COUNT(formats); i++)
        if (strcmp(formats[i].name, name) == 0)
            return formats[i].format;
    return NULL;
}

int main(int argc, char **argv)
{
    _cleanup_arena_ struct dr_arena arena = DR_ARENA((size_t)1 << 30);
    bool mends = argc > 1 && strcmp(argv[1], "--mends") == 0;
    char **words = argv + 1 + mends;
    int count = argc - 1 - mends;
    const struct dr_proxy_format *format = count >= 2 ? format_of(words[0]) : NULL;

    if (!format) {
        (void)fprintf(stderr, "usage: proxy_driver [--mends] KIND FILE [PREFIX]; KIND is one that this tree can read\n");
        return 2;
    }
    struct disk disk = { .arena = &arena };
    const bool several = strcmp(words[0], "haproxy") == 0 && count > 2;
    const struct dr_proxy_loader loader = {
        .arena = &arena,
        .user = &disk,
        .load = load,
        .expand = expand,
        .environment = environment,
        .also = several ? (const char *const *)words + 2 : NULL,
    };
    struct dr_proxy_config config = { 0 };
    int r = format->read(&loader, words[1], count > 2 && !several ? words[2] : NULL, &config);

    if (r < 0) {
        printf("{\"error\": %d}\n", r);
        return 1;
    }
    cJSON *object = config_json(format, &config, mends, &arena);
    _cleanup_free_ char *text = cJSON_PrintUnformatted(object);

    puts(text ? text : "{\"error\": -12}");
    cJSON_Delete(object);
    return text ? 0 : 1;
}
