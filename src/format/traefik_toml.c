/*
 * The part of TOML 1.0 that Traefik's configuration uses: tables, arrays of tables, dotted and quoted keys, texts on one line, numbers,
 * booleans, arrays (over lines, too) and inline tables. Texts of three quotes are a fault.
 */
#include "format/traefik_internal.h"

#include <string.h>

enum { MOST_KEYS = 10000 };

struct reading {
    struct traefik_model *model;
    const struct dr_proxy_file *file;
    size_t at;
    size_t keys; /* made; looking for one is linear */
    const char *problem;
};

static char peek(const struct reading *reading)
{
    return reading->at < reading->file->length ? reading->file->bytes[reading->at] : '\0';
}

static void *stop(struct reading *reading, const char *problem)
{
    reading->problem = reading->problem ? reading->problem : problem;
    return NULL;
}

static void skip_blanks(struct reading *reading, bool lines)
{
    for (;;) {
        char c = peek(reading);

        if (c == '#')
            while (reading->at < reading->file->length && peek(reading) != '\n')
                reading->at++;
        else if (c == ' ' || c == '\t' || c == '\r' || (lines && c == '\n'))
            reading->at++;
        else
            return;
    }
}

static char unescaped(char c)
{
    switch (c) {
    case 'n':
        return '\n';
    case 't':
        return '\t';
    case 'r':
        return '\r';
    default:
        return c;
    }
}

static const char *read_quoted(struct reading *reading)
{
    char quote = peek(reading);
    const char *bytes = reading->file->bytes;
    size_t end = reading->at + 1, length = 0;

    if (strncmp(bytes + reading->at, quote == '"' ? "\"\"\"" : "'''", 3) == 0)
        return stop(reading, "a text in three quotes is not read here");
    while (end < reading->file->length && bytes[end] != quote && bytes[end] != '\n')
        end += quote == '"' && bytes[end] == '\\' ? 2 : 1;
    if (end >= reading->file->length || bytes[end] != quote)
        return stop(reading, "a quote is not closed on its line");
    char *text = dr_arena_alloc(reading->model->arena, end - reading->at);

    if (!text)
        return stop(reading, "out of memory");
    for (size_t i = reading->at + 1; i < end; i++) {
        if (quote == '"' && bytes[i] == '\\') {
            i++;
            if (!strchr("\"\\ntr", bytes[i]))
                return stop(reading, "an escape that is not read here");
            text[length++] = unescaped(bytes[i]);
        } else {
            text[length++] = bytes[i];
        }
    }
    text[length] = '\0';
    reading->at = end + 1;
    return text;
}

static const char *read_bare(struct reading *reading, const char *stops)
{
    const char *text = reading->file->bytes + reading->at;
    size_t length = strcspn(text, stops);

    if (length == 0)
        return stop(reading, "something is missing here");
    reading->at += length;
    const char *made = dr_arena_strndup(reading->model->arena, text, length);

    return made ? made : stop(reading, "out of memory");
}

static const char *read_key(struct reading *reading)
{
    skip_blanks(reading, false);
    return peek(reading) == '"' || peek(reading) == '\'' ? read_quoted(reading) : read_bare(reading, " \t\r\n.=[]{},#\"'");
}

/* The child of that name, made when it is missing. */
static struct traefik_node *child_of(struct reading *reading, struct traefik_node *map, const char *key, size_t begin)
{
    struct traefik_node *child;

    if (map->type != TRAEFIK_MAP)
        return stop(reading, "this is no table");
    for (child = map->first; child; child = child->next)
        if (strcmp(child->key, key) == 0)
            return child;
    child = dr_traefik_node(reading->model->arena, TRAEFIK_NULL, reading->file, begin, begin);
    if (!child)
        return stop(reading, "out of memory");
    if (++reading->keys > MOST_KEYS)
        return stop(reading, "more than 10000 keys");
    child->key = key;
    child->key_begin = begin;
    dr_traefik_append(map, child);
    return child;
}

static struct traefik_node *read_path(struct reading *reading, struct traefik_node *map)
{
    for (unsigned depth = 0; !reading->problem; depth++) {
        size_t begin;

        skip_blanks(reading, false);
        begin = reading->at;
        const char *key = read_key(reading);
        struct traefik_node *child = key ? child_of(reading, map, key, begin) : NULL;

        if (!child || depth > DR_PROXY_DEPTH)
            return stop(reading, "nested too deeply");
        skip_blanks(reading, false);
        if (peek(reading) != '.')
            return child;
        reading->at++;
        if (child->type == TRAEFIK_NULL)
            child->type = TRAEFIK_MAP;
        map = child->type == TRAEFIK_LIST && child->last ? child->last : child;
    }
    return NULL;
}

static void read_value(struct reading *reading, struct traefik_node *into, unsigned depth);

static void read_pair(struct reading *reading, struct traefik_node *map, unsigned depth)
{
    struct traefik_node *child = read_path(reading, map);

    if (!child)
        return;
    if (child->type != TRAEFIK_NULL || child->text)
        stop(reading, "this key stands here a second time");
    else if (peek(reading) != '=')
        stop(reading, "'=' is missing");
    else {
        reading->at++;
        skip_blanks(reading, false);
        read_value(reading, child, depth + 1);
    }
}

static void read_group(struct reading *reading, struct traefik_node *into, unsigned depth)
{
    bool list = peek(reading) == '[';

    into->type = list ? TRAEFIK_LIST : TRAEFIK_MAP;
    reading->at++;
    for (;;) {
        skip_blanks(reading, list);
        if (peek(reading) == (list ? ']' : '}'))
            break;
        if (list) {
            struct traefik_node *child =
                dr_traefik_node(reading->model->arena, TRAEFIK_NULL, reading->file, reading->at, reading->at);

            if (!child) {
                stop(reading, "out of memory");
                return;
            }
            dr_traefik_append(into, child);
            read_value(reading, child, depth + 1);
        } else {
            read_pair(reading, into, depth);
        }
        skip_blanks(reading, list);
        if (!reading->problem && peek(reading) != ',' && peek(reading) != (list ? ']' : '}'))
            stop(reading, list ? "']' is missing" : "'}' is missing");
        if (reading->problem)
            return;
        reading->at += peek(reading) == ',';
    }
    reading->at++;
}

static void read_value(struct reading *reading, struct traefik_node *into, unsigned depth)
{
    char c = peek(reading);

    into->begin = reading->at;
    if (depth > DR_PROXY_DEPTH) {
        stop(reading, "nested too deeply");
    } else if (c == '[' || c == '{') {
        read_group(reading, into, depth);
    } else {
        into->type = TRAEFIK_SCALAR;
        into->text = c == '"' || c == '\'' ? read_quoted(reading) : read_bare(reading, " \t\r\n,]}#");
    }
    into->end = reading->at;
}

/* [a.b] and [[a.b]] */
static struct traefik_node *read_table(struct reading *reading, struct traefik_node *root)
{
    bool array = reading->file->bytes[++reading->at] == '[';

    reading->at += array;
    struct traefik_node *table = read_path(reading, root);

    if (!table)
        return root;
    if (table->type == TRAEFIK_NULL)
        table->type = array ? TRAEFIK_LIST : TRAEFIK_MAP;
    if (table->type != (array ? TRAEFIK_LIST : TRAEFIK_MAP) || peek(reading) != ']' ||
        (array && reading->file->bytes[reading->at + 1] != ']')) {
        stop(reading, "this is no heading of a table");
        return root;
    }
    reading->at += array ? 2 : 1;
    if (array) {
        struct traefik_node *item =
            dr_traefik_node(reading->model->arena, TRAEFIK_MAP, reading->file, table->key_begin, reading->at);

        if (!item) {
            stop(reading, "out of memory");
            return root;
        }
        dr_traefik_append(table, item);
        return item;
    }
    return table;
}

struct traefik_node *dr_traefik_toml(struct traefik_model *model, const struct dr_proxy_file *file)
{
    struct reading reading = { .model = model, .file = file };
    struct traefik_node *root = dr_traefik_node(model->arena, TRAEFIK_MAP, file, 0, file->length), *table = root;
    struct dr_source source;

    for (; root && !reading.problem;) {
        skip_blanks(&reading, true);
        if (reading.at >= file->length)
            return root;
        if (peek(&reading) == '[')
            table = read_table(&reading, root);
        else
            read_pair(&reading, table, 0);
        skip_blanks(&reading, false);
        if (reading.at < file->length && peek(&reading) != '\n')
            stop(&reading, "nothing more is expected on this line");
    }
    dr_proxy_position(file, reading.at, &source);
    dr_proxy_fault(model->gathering, &source, true, "not readable as TOML: %s",
                   reading.problem ? reading.problem : "out of memory");
    return NULL;
}
