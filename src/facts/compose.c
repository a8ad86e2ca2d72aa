#include "facts/compose.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/install_package.h"
#include "facts/text_file.h"
#include "format/dotenv.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_ENTRIES = 1024, MOST_FOLDERS = 8, LONGEST_VALUE = 256 };

/* ---- where ---- */

static const char *compose_file(struct dr_context *context, const char *folder)
{
    static const char *const names[] = { "docker-compose.yml", "compose.yaml", "compose.yml", "docker-compose.yaml" };
    struct stat st;

    for (size_t i = 0; i < DR_COUNT(names); i++) {
        const char *path = dr_context_join(context, folder, names[i]);

        if (dr_stat(context->request->root_fd, path, &st) == 0)
            return path;
    }
    return NULL;
}

/* Compose mounts OPENCLAW_CONFIG_DIR as the state directory; a .env that names another one is of another installation. */
static bool is_of_this_state(struct dr_context *context, const char *dotenv_path)
{
    const struct dr_target *target = dr_target(context);
    struct dr_text_file file;
    struct dr_dotenv dotenv;

    if (dr_text_file_read(context, dotenv_path, &file) < 0 ||
        dr_dotenv_parse(file.bytes, file.length, context->arena, &dotenv) < 0)
        return true; /* said by whoever reads it */
    const struct dr_dotenv_entry *entry = dr_dotenv_get(&dotenv, "OPENCLAW_CONFIG_DIR");
    const char *named = entry && entry->value[0] ? entry->value : NULL;

    if (!named)
        return strcmp(target->state_dir, dr_context_join(context, target->home, ".openclaw")) == 0;
    if (dr_text_starts_with(named, "~/") || dr_text_starts_with(named, "$HOME/"))
        named = dr_context_join(context, target->home, strchr(named, '/') + 1);
    return named[0] == '/' && strcmp(dr_context_join(context, "/", named), target->state_dir) == 0;
}

static void look_in(struct dr_context *context, const char *folder, struct dr_compose_place *places, size_t *count)
{
    const char *path = *count < DR_MOST_COMPOSE ? compose_file(context, folder) : NULL;
    const char *dotenv = dr_context_join(context, folder, ".env");

    if (path && is_of_this_state(context, dotenv))
        places[(*count)++] = (struct dr_compose_place){ .folder = folder, .path = path, .dotenv = dotenv };
}

static bool has_known_name(const struct dirent *entry)
{
    static const char *const prefixes[] = { "openclaw", "clawdbot", "moltbot" };

    for (size_t i = 0; i < DR_COUNT(prefixes); i++)
        if (dr_text_starts_with(entry->d_name, prefixes[i]) && (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN))
            return true;
    return false;
}

static size_t find_places(struct dr_context *context, struct dr_compose_place places[DR_MOST_COMPOSE])
{
    const char *home = dr_target(context)->home;
    const char *here = context->request->root ? NULL : dr_working_directory(context);
    const struct dirent *entry;
    size_t count = 0;
    int folders = 0;
    int fd;

    if (here && strcmp(here, home) != 0)
        look_in(context, here, places, &count);
    look_in(context, home, places, &count);
    if (dr_open(context->request->root_fd, home, O_RDONLY | O_DIRECTORY, &fd) < 0)
        return count;
    _cleanup_closedir_ DIR *dir = fdopendir(fd);

    if (!dir) {
        (void)close(fd);
        return count;
    }
    for (int i = 0; i < MOST_ENTRIES && folders < MOST_FOLDERS && (entry = readdir(dir)); i++)
        if (has_known_name(entry)) {
            const char *folder = dr_context_join(context, home, entry->d_name);

            folders++;
            if (!here || strcmp(folder, here) != 0)
                look_in(context, folder, places, &count);
        }
    return count;
}

/* Asked by several facts, looked for once. */
struct dr_compose_kept {
    struct dr_compose_place places[DR_MOST_COMPOSE];
    size_t count;
};

size_t dr_compose_places(struct dr_context *context, struct dr_compose_place places[DR_MOST_COMPOSE])
{
    struct dr_compose_kept *kept = context->compose;

    if (!kept) {
        kept = dr_alloc(context, sizeof(*kept));
        kept->count = find_places(context, kept->places);
        context->compose = kept;
    }
    memcpy(places, kept->places, kept->count * sizeof(*places));
    return kept->count;
}

/* ---- what it says ---- */

struct reading {
    struct dr_context *context;
    struct dr_dotenv dotenv;
    bool has_dotenv;
    struct dr_compose *compose;
    struct dr_compose_port open; /* a long entry that is being read */
    bool in_long;
};

static const char *variable(const struct reading *reading, const char *text, size_t length)
{
    const char *colon = memchr(text, ':', length);
    const char *name = dr_strndup(reading->context, text, colon ? (size_t)(colon - text) : length);
    const struct dr_dotenv_entry *entry = reading->has_dotenv ? dr_dotenv_get(&reading->dotenv, name) : NULL;

    if (entry && entry->value[0])
        return entry->value;
    if (colon && colon + 1 < text + length && colon[1] == '-')
        return dr_strndup(reading->context, colon + 2, length - (size_t)(colon + 2 - text));
    return "";
}

/* Without quotes, and with ${NAME}, ${NAME:-default} filled in. Longer texts are none that matters here. */
static const char *filled(const struct reading *reading, const char *text, size_t length)
{
    const char *out = "";

    if (length > LONGEST_VALUE)
        return out;
    for (size_t i = 0; i < length; i++) {
        const char *end = text[i] == '$' && i + 1 < length && text[i + 1] == '{' ? memchr(text + i, '}', length - i) : NULL;

        if (end) {
            out = dr_format(reading->context, "%s%s", out, variable(reading, text + i + 2, (size_t)(end - text) - i - 2));
            i = (size_t)(end - text);
        } else if (text[i] != '"' && text[i] != '\'') {
            out = dr_format(reading->context, "%s%c", out, text[i]);
        }
    }
    return out;
}

static unsigned number(const char *text)
{
    char *end;
    unsigned long value = strtoul(text, &end, 10);

    return end != text && value < 65536 ? (unsigned)value : 0;
}

static void add_port(struct reading *reading, const struct dr_compose_port *port)
{
    struct dr_compose *compose = reading->compose;

    if (port->target && compose->port_count < DR_MOST_COMPOSE_PORTS)
        compose->ports[compose->port_count++] = *port;
}

/* [HOST:][PUBLISHED:]TARGET[/protocol] */
static void take_short(struct reading *reading, const char *text, unsigned line)
{
    struct dr_context *context = reading->context;
    const char *last = strrchr(text, ':');
    struct dr_compose_port port = { .host = "", .target = number(last ? last + 1 : text), .line = line };

    if (last) {
        const char *front = dr_strndup(context, text, (size_t)(last - text));
        const char *before = strrchr(front, ':');

        port.published = number(before ? before + 1 : front);
        if (before)
            port.host = dr_strndup(context, front, (size_t)(before - front));
    }
    add_port(reading, &port);
}

static void take_long(struct reading *reading, const char *text)
{
    const char *colon = strchr(text, ':');
    const char *value = colon ? colon + 1 + strspn(colon + 1, " ") : "";

    if (dr_text_starts_with(text, "target:"))
        reading->open.target = number(value);
    else if (dr_text_starts_with(text, "published:"))
        reading->open.published = number(value);
    else if (dr_text_starts_with(text, "host_ip:"))
        reading->open.host = value;
}

static void end_long(struct reading *reading)
{
    if (reading->in_long)
        add_port(reading, &reading->open);
    reading->in_long = false;
}

/* A line below `ports:`. */
static void take_port_line(struct reading *reading, const char *text, size_t length, unsigned line)
{
    bool item = length > 1 && text[0] == '-';

    if (item) {
        end_long(reading);
        text += 1 + strspn(text + 1, " ");
    }
    size_t end = 0;

    while (end < length && text[end] && text[end] != '\n' && !(text[end] == '#' && end > 0 && text[end - 1] == ' '))
        end++;
    while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\r'))
        end--;
    const char *value = filled(reading, text, end);

    if (item && !strstr(value, ": ")) {
        take_short(reading, value, line);
        return;
    }
    if (item) {
        reading->in_long = true;
        reading->open = (struct dr_compose_port){ .host = "", .line = line };
    }
    if (reading->in_long)
        take_long(reading, value);
}

static bool is_ports_key(const char *text, size_t length)
{
    return length >= 6 && memcmp(text, "ports:", 6) == 0 && strspn(text + 6, " \r") >= length - 6;
}

static void read_ports(struct reading *reading, const struct dr_text_file *file)
{
    const char *end = file->bytes + file->length;
    size_t key_indent = 0;
    bool inside = false;
    unsigned number_of_line = 0;

    for (const char *line = file->bytes; line < end;) {
        const char *stop = memchr(line, '\n', (size_t)(end - line));
        size_t length = (size_t)((stop ? stop : end) - line), indent = 0;

        number_of_line++;
        while (indent < length && line[indent] == ' ')
            indent++;
        const char *text = line + indent;
        size_t rest = length - indent;

        line += length + 1;
        if (rest == 0 || *text == '#' || *text == '\r')
            continue;
        if (inside && (indent > key_indent || (indent == key_indent && *text == '-'))) {
            take_port_line(reading, text, rest, number_of_line);
            continue;
        }
        end_long(reading);
        inside = is_ports_key(text, rest);
        key_indent = indent;
    }
    end_long(reading);
}

/* The word behind --bind: on the same line, in a list on one line, or as the next item. */
static void read_bind(struct reading *reading, const struct dr_text_file *file)
{
    static const char between[] = " \t\r\n\"',=[]-";
    unsigned line = 1;
    const char *seen = file->bytes;

    for (const char *at = file->bytes; (at = strstr(at, "--bind")); at++) {
        const char *start = at;

        while (start > file->bytes && start[-1] != '\n')
            start--;
        for (; seen < at; seen++)
            line += *seen == '\n';
        if (memchr(start, '#', (size_t)(at - start)))
            continue;
        const char *word = at + strlen("--bind");

        word += strspn(word, between);
        size_t length = *word == '$' ? strcspn(word, "}\n") + 1 : strcspn(word, between);

        reading->compose->bind = filled(reading, word, length);
        reading->compose->bind_line = line;
        return;
    }
}

int dr_compose_read(struct dr_context *context, const struct dr_compose_place *place, struct dr_compose *ret_compose)
{
    struct reading reading = { .context = context, .compose = ret_compose };
    struct dr_text_file file, dotenv;
    int r = dr_text_file_read(context, place->path, &file);

    *ret_compose = (struct dr_compose){ .path = place->path };
    if (r < 0)
        return r;
    reading.has_dotenv = dr_text_file_read(context, place->dotenv, &dotenv) >= 0 &&
                         dr_dotenv_parse(dotenv.bytes, dotenv.length, context->arena, &reading.dotenv) >= 0;
    read_ports(&reading, &file);
    read_bind(&reading, &file);
    return 0;
}
