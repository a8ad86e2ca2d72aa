#include "format/proxy_reader.h"

#include "base/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void fault_at(struct dr_proxy_gathering *gathering, const struct dr_source *source, bool hides_routes,
                     const char *text)
{
    struct dr_arena *arena = gathering->loader->arena;

    if (gathering->fault_count >= DR_PROXY_FAULTS)
        return;
    struct dr_proxy_fault *grown =
        dr_arena_grow(arena, gathering->faults, gathering->fault_count, sizeof(*grown), &gathering->fault_room);

    if (!grown)
        return;
    gathering->faults = grown;
    grown[gathering->fault_count++] = (struct dr_proxy_fault){
        .source = source ? *source : (struct dr_source){ 0 },
        .text = text,
        .hides_routes = hides_routes,
    };
}

void dr_proxy_fault(struct dr_proxy_gathering *gathering, const struct dr_source *source, bool hides_routes,
                    const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *text = dr_arena_vformat(gathering->loader->arena, format, arguments);

    va_end(arguments);
    fault_at(gathering, source, hides_routes, text ? text : "out of memory");
}

void dr_proxy_unknowable(struct dr_proxy_gathering *gathering, const struct dr_source *source, const char *format, ...)
{
    size_t before = gathering->fault_count;
    va_list arguments;

    va_start(arguments, format);
    char *text = dr_arena_vformat(gathering->loader->arena, format, arguments);

    va_end(arguments);
    fault_at(gathering, source, true, text ? text : "out of memory");
    if (gathering->fault_count > before)
        gathering->faults[before].unknowable = true;
}

static bool is_known(const struct dr_proxy_gathering *gathering, const struct dr_proxy_file *file)
{
    for (size_t i = 0; i < gathering->file_count; i++)
        if (gathering->files[i] == file)
            return true;
    return false;
}

const struct dr_proxy_file *dr_proxy_load(struct dr_proxy_gathering *gathering, const char *path,
                                          const struct dr_source *from)
{
    const struct dr_source self = { .path = path };
    const struct dr_source *where = from ? from : &self;
    const struct dr_proxy_file *file = NULL;
    int r = gathering->loader->load(gathering->loader->user, path, &file);

    if (r < 0) {
        dr_proxy_fault(gathering, where, true, "%s could not be read: %s", path, dr_errno_text(r));
        return NULL;
    }
    if (is_known(gathering, file))
        return file;
    if (memchr(file->bytes, '\0', file->length)) {
        dr_proxy_fault(gathering, where, true, "%s is no text: it holds a NUL byte", path);
        return NULL;
    }
    if (gathering->file_count >= DR_PROXY_FILES) {
        dr_proxy_fault(gathering, where, true, "more than %d files; %s and what follows was not read", DR_PROXY_FILES, path);
        return NULL;
    }
    const struct dr_proxy_file **grown = dr_arena_grow(gathering->loader->arena, gathering->files, gathering->file_count,
                                                       sizeof(*grown), &gathering->file_room);

    if (!grown)
        return NULL;
    gathering->files = grown;
    grown[gathering->file_count++] = file;
    return file;
}

struct dr_route *dr_proxy_route(struct dr_proxy_gathering *gathering)
{
    if (gathering->route_count >= DR_PROXY_ROUTES) {
        if (!gathering->too_many)
            dr_proxy_fault(gathering, NULL, true, "more than %d routes; the others were not looked at", DR_PROXY_ROUTES);
        gathering->too_many = true;
        return NULL;
    }
    struct dr_route *grown = dr_arena_grow(gathering->loader->arena, gathering->routes, gathering->route_count,
                                           sizeof(*grown), &gathering->route_room);

    if (!grown)
        return NULL;
    gathering->routes = grown;
    grown += gathering->route_count++;
    *grown = (struct dr_route){ .idle_timeout_ms = -1 };
    return grown;
}

int dr_proxy_gathered(struct dr_proxy_gathering *gathering, struct dr_proxy_config *config)
{
    for (size_t i = 0; i < gathering->route_count; i++)
        gathering->routes[i].config = config;
    config->files = gathering->files;
    config->file_count = gathering->file_count;
    config->faults = gathering->faults;
    config->fault_count = gathering->fault_count;
    config->routes = gathering->routes;
    config->route_count = gathering->route_count;
    return 0;
}

void dr_proxy_position(const struct dr_proxy_file *file, size_t offset, struct dr_source *ret_source)
{
    unsigned line = 1;
    size_t begin = 0;

    if (offset > file->length)
        offset = file->length;
    for (size_t i = 0; i < offset; i++) {
        if (file->bytes[i] == '\n') {
            line++;
            begin = i + 1;
        }
    }
    *ret_source = (struct dr_source){ .path = file->path, .line = line, .column = (unsigned)(offset - begin + 1) };
}

static bool is_host(const char *text)
{
    return text[0] != '\0' && text[strcspn(text, " \t\r\n/?#@\"'")] == '\0';
}

static bool take_port(const char *text, unsigned *ret_port)
{
    char *end;

    if (*text == '\0' || text[strspn(text, "0123456789")] != '\0' || strlen(text) > 5)
        return false;
    unsigned long port = strtoul(text, &end, 10);

    *ret_port = (unsigned)port;
    return port > 0 && port < 65536;
}

bool dr_proxy_url_parse(struct dr_arena *arena, const char *text, size_t length, struct dr_proxy_url *ret_url)
{
    char *copy = dr_arena_strndup(arena, text, length);
    char *scheme_end = copy ? strstr(copy, "://") : NULL;

    *ret_url = (struct dr_proxy_url){ .scheme = "", .path = "" };
    if (!copy)
        return false;
    if (scheme_end) {
        *scheme_end = '\0';
        for (char *at = copy; *at; at++)
            if (*at >= 'A' && *at <= 'Z')
                *at = (char)(*at - 'A' + 'a');
        ret_url->scheme = copy;
        copy = scheme_end + 3;
    }
    char *path = copy + strcspn(copy, "/?#");

    if (*path != '\0') {
        ret_url->path = dr_arena_strdup(arena, path);
        *path = '\0';
    }
    if (copy[0] == '[') {
        char *close = strchr(copy, ']');

        if (!close || (close[1] != '\0' && (close[1] != ':' || !take_port(close + 2, &ret_url->port))))
            return false;
        *close = '\0';
        ret_url->host = copy + 1;
        return is_host(ret_url->host);
    }
    char *colon = strrchr(copy, ':');

    if (colon) {
        if (!take_port(colon + 1, &ret_url->port))
            return false;
        *colon = '\0';
    }
    ret_url->host = copy;
    return is_host(copy);
}

static const char *const names[DR_ROUTE_HEADERS] = {
    [DR_ROUTE_HOST] = "Host",
    [DR_ROUTE_UPGRADE] = "Upgrade",
    [DR_ROUTE_CONNECTION] = "Connection",
    [DR_ROUTE_FORWARDED_FOR] = "X-Forwarded-For",
    [DR_ROUTE_FORWARDED_PROTO] = "X-Forwarded-Proto",
    [DR_ROUTE_FORWARDED_HOST] = "X-Forwarded-Host",
    [DR_ROUTE_REAL_IP] = "X-Real-IP",
    [DR_ROUTE_FORWARDED] = "Forwarded",
};

const char *dr_route_header_text(enum dr_route_header_name name)
{
    return names[name];
}

int dr_route_header_index(const char *name, size_t length)
{
    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        if (strlen(names[i]) == length && strncasecmp(names[i], name, length) == 0)
            return i;
    return -1;
}

int dr_route_edits_add(struct dr_arena *arena, struct dr_route_edits *edits, const struct dr_proxy_file *file,
                       uint64_t offset, uint64_t length, const char *text)
{
    /* A power of two whenever it must grow: no room to remember. */
    if ((edits->count & (edits->count - 1)) == 0) {
        struct dr_route_edit *grown = dr_arena_alloc(arena, (edits->count ? edits->count * 2 : 1) * sizeof(*grown));

        if (!grown)
            return -ENOMEM;
        if (edits->count)
            memcpy(grown, edits->list, edits->count * sizeof(*grown));
        edits->list = grown;
    }
    edits->list[edits->count++] = (struct dr_route_edit){
        .file = file,
        .edit = { .offset = offset, .length = length, .text = text, .text_length = text ? strlen(text) : 0 },
    };
    return 0;
}

static int compare_edits(const void *left, const void *right)
{
    const struct dr_route_edit *a = left, *b = right;
    int by_file = a->file == b->file ? 0 : strcmp(a->file->path, b->file->path);

    if (by_file != 0)
        return by_file;
    return (a->edit.offset > b->edit.offset) - (a->edit.offset < b->edit.offset);
}

/* Stable: two insertions at one place keep their order. */
void dr_route_edits_finish(struct dr_route_edits *edits)
{
    for (size_t i = 1; i < edits->count; i++) {
        struct dr_route_edit moved = edits->list[i];
        size_t at = i;

        for (; at > 0 && compare_edits(&edits->list[at - 1], &moved) > 0; at--)
            edits->list[at] = edits->list[at - 1];
        edits->list[at] = moved;
    }
    /* Two reasons for one edit (a parameter of a worker that is both of a route's) make it once. */
    size_t kept = 0;

    for (size_t i = 0; i < edits->count; i++) {
        const struct dr_route_edit *last = kept > 0 ? &edits->list[kept - 1] : NULL, *one = &edits->list[i];

        if (!last || last->file != one->file || last->edit.offset != one->edit.offset || one->edit.length == 0 ||
            last->edit.length != one->edit.length || last->edit.text_length != one->edit.text_length ||
            memcmp(last->edit.text, one->edit.text, one->edit.text_length) != 0)
            edits->list[kept++] = *one;
    }
    edits->count = kept;
}
