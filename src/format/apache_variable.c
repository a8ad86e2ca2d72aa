/* Define, the environment, ${NAME} in lines; Debian's envvars. */
#include "base/buffer.h"
#include "base/text.h"
#include "format/apache_internal.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define VALUE_CEILING ((size_t)1 << 16)
#define LINE_CEILING ((size_t)32 << 20)

static struct apache_variable *find(struct apache_variable *list, size_t count, const char *name, size_t length)
{
    for (size_t i = count; i > 0; i--)
        if (strlen(list[i - 1].name) == length && strncasecmp(list[i - 1].name, name, length) == 0)
            return &list[i - 1];
    return NULL;
}

static void put(struct apache_reader *reader, struct apache_variable **list, size_t *count, size_t *room, const char *name,
                const char *value)
{
    struct apache_variable *grown = dr_arena_grow(reader->arena, *list, *count, sizeof(*grown), room);

    if (!grown) {
        reader->no_memory = true;
        return;
    }
    *list = grown;
    grown[(*count)++] = (struct apache_variable){ .name = name, .value = value };
}

/* Variables are found without regard to case (an APR table); <IfDefine> goes by the exact name. */
void apache_define(struct apache_reader *reader, const char *name, const char *value)
{
    struct apache_variable *old = !apache_spend(reader, reader->variable_count)
                                      ? NULL
                                      : find(reader->variables, reader->variable_count, name, strlen(name));

    if (old && strcmp(old->name, name) == 0) {
        if (value)
            old->value = value;
        return;
    }
    put(reader, &reader->variables, &reader->variable_count, &reader->variable_room, name, value);
}

void apache_undefine(struct apache_reader *reader, const char *name)
{
    size_t kept = 0;

    if (!apache_spend(reader, reader->variable_count))
        return;
    for (size_t i = 0; i < reader->variable_count; i++)
        if (strcasecmp(reader->variables[i].name, name) != 0)
            reader->variables[kept++] = reader->variables[i];
    reader->variable_count = kept;
}

bool apache_is_defined(const struct apache_reader *reader, const char *name)
{
    if (!apache_spend(reader, reader->variable_count))
        return false;
    for (size_t i = 0; i < reader->variable_count; i++)
        if (strcmp(reader->variables[i].name, name) == 0)
            return true;
    return false;
}

const char *apache_variable(const struct apache_reader *reader, const char *name, size_t length)
{
    const struct apache_variable *defined =
        !apache_spend(reader, reader->variable_count) ? NULL : find(reader->variables, reader->variable_count, name, length);

    if (defined && defined->value)
        return defined->value;

    const char *copy = dr_arena_strndup(reader->arena, name, length);
    const struct dr_proxy_loader *loader = reader->gathering.loader;
    const char *value = copy && loader->environment ? loader->environment(loader->user, copy) : NULL;

    if (value)
        return value;
    for (size_t i = reader->environment_count; i > 0; i--)
        if (copy && strcmp(reader->environment[i - 1].name, copy) == 0)
            return reader->environment[i - 1].value;
    return NULL;
}

/* --- ${NAME} in a line ---------------------------------------------------------------------------------------------------- */

struct resolving {
    const struct apache_reader *reader;
    const struct apache_line *line;
    struct dr_buffer text;
    struct apache_piece *pieces;
    size_t piece_count, piece_room;
    bool failed;
};

static void add_piece(struct resolving *to, struct apache_piece piece)
{
    struct apache_piece *grown =
        dr_arena_grow(to->reader->arena, to->pieces, to->piece_count, sizeof(*grown), &to->piece_room);

    to->failed |= !grown;
    if (!grown)
        return;
    to->pieces = grown;
    piece.at = to->text.length;
    grown[to->piece_count++] = piece;
}

/* Copies [from, to) of the old text, piece by piece. */
static void keep(struct resolving *to, size_t from, size_t end)
{
    const struct apache_line *line = to->line;

    for (size_t i = 0; i < line->piece_count && from < end; i++) {
        const struct apache_piece *piece = &line->pieces[i];
        size_t next = i + 1 < line->piece_count ? line->pieces[i + 1].at : line->length;
        size_t until = next < end ? next : end;

        if (until <= from)
            continue;
        add_piece(to, (struct apache_piece){ .offset = piece->offset + (from - piece->at),
                                             .length = until - from,
                                             .verbatim = piece->verbatim });
        to->failed |= dr_buffer_append(&to->text, line->text + from, until - from) < 0;
        from = until;
    }
}

static size_t offset_of(const struct apache_line *line, size_t at)
{
    size_t i = line->piece_count - 1;

    while (i > 0 && line->pieces[i].at > at)
        i--;
    return line->pieces[i].offset + (at - line->pieces[i].at);
}

static void replace(struct resolving *to, size_t begin, size_t end, const char *value)
{
    size_t offset = offset_of(to->line, begin);

    add_piece(to, (struct apache_piece){ .offset = offset, .length = offset_of(to->line, end - 1) + 1 - offset });
    to->failed |= dr_buffer_append_text(&to->text, value) < 0;
}

int apache_line_resolve(const struct apache_reader *reader, struct apache_line *line)
{
    const char *at = memchr(line->text, '$', line->length);

    if (!at)
        return 0;

    struct resolving to = { .reader = reader, .line = line, .text = DR_BUFFER(LINE_CEILING) };
    size_t kept = 0;

    for (; at; at = strchr(at, '$')) {
        const char *end = at[1] == '{' ? strchr(at + 2, '}') : NULL;
        size_t begin = (size_t)(at - line->text);

        if (!end) {
            at++;
            continue;
        }
        const char *value = apache_variable(reader, at + 2, (size_t)(end - at - 2));

        at = end + 1;
        if (!value)
            continue;
        keep(&to, kept, begin);
        kept = (size_t)(at - line->text);
        replace(&to, begin, kept, value);
    }
    if (kept > 0) {
        keep(&to, kept, line->length);
        line->text = dr_arena_strndup(reader->arena, dr_buffer_text(&to.text), to.text.length);
        line->length = to.text.length;
        line->pieces = to.pieces;
        line->piece_count = to.piece_count;
    }
    dr_buffer_release(&to.text);
    return to.failed || !line->text ? -ENOMEM : 0;
}

/* --- envvars ---------------------------------------------------------------------------------------------------------------- */

static size_t name_length(const char *text)
{
    return strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* "$X", "${X}", "${X:-y}" at *at, which moves to its last byte. False: more than that. */
static bool shell_variable(struct apache_reader *reader, const char *text, size_t length, size_t *at,
                           struct dr_buffer *value)
{
    size_t i = *at;
    bool braces = text[i + 1] == '{';
    const char *name = text + i + 1 + braces;
    size_t bytes = name_length(name);
    const char *found = bytes ? apache_variable(reader, name, bytes) : NULL;

    i += braces + bytes;
    if (braces && strncmp(text + i + 1, ":-", 2) == 0) {
        const char *end = memchr(text + i, '}', length - i);

        if (!end)
            return false;
        if (!found)
            found = dr_arena_strndup(reader->arena, text + i + 3, (size_t)(end - text) - i - 3);
        i = (size_t)(end - text);
    } else if (braces) {
        if (text[++i] != '}')
            return false;
    }
    *at = i;
    return !found || dr_buffer_append_text(value, found) >= 0;
}

/* A shell value without its own commands: quotes, $X, ${X}, ${X:-y}. False: more than that. */
static bool shell_value(struct apache_reader *reader, const char *text, size_t length, struct dr_buffer *value)
{
    char quote = '\0';

    for (size_t i = 0; i < length; i++) {
        char c = text[i];

        if (c == '`' || c == '\\' || (c == '$' && text[i + 1] == '('))
            return false;
        if ((c == '"' || c == '\'') && (!quote || quote == c)) {
            quote = quote ? '\0' : c;
            continue;
        }
        if (!quote && (c == ' ' || c == '\t' || c == ';' || c == '#'))
            break;
        if (c != '$' || quote == '\'') {
            if (dr_buffer_append_byte(value, c) < 0)
                return false;
            continue;
        }
        if (!shell_variable(reader, text, length, &i, value))
            return false;
    }
    return true;
}

static void envvars_line(struct apache_reader *reader, const char *text, size_t length)
{
    _cleanup_buffer_ struct dr_buffer value = DR_BUFFER(VALUE_CEILING);
    size_t skip = strspn(text, " \t");

    if (skip + 7 < length && strncmp(text + skip, "export ", 7) == 0)
        skip += 7;

    size_t name = name_length(text + skip);

    if (skip > length || name == 0 || skip + name >= length || text[skip + name] != '=')
        return;
    if (!shell_value(reader, text + skip + name + 1, length - skip - name - 1, &value))
        return;
    put(reader, &reader->environment, &reader->environment_count, &reader->environment_room,
        dr_arena_strndup(reader->arena, text + skip, name), dr_arena_strdup(reader->arena, dr_buffer_text(&value)));
}

/* Conditions of the shell are not followed: Debian's only tell several instances apart. It is no part of the configuration: no fault. */
void apache_envvars_read(struct apache_reader *reader, const char *folder)
{
    const struct dr_proxy_loader *loader = reader->gathering.loader;
    const struct dr_proxy_file *file = NULL;
    const char *path = dr_arena_format(reader->arena, "%s/envvars", folder);

    if (!path || loader->load(loader->user, path, &file) < 0 || memchr(file->bytes, '\0', file->length))
        return;
    for (size_t at = 0; at < file->length;) {
        const char *newline = memchr(file->bytes + at, '\n', file->length - at);
        size_t end = newline ? (size_t)(newline - file->bytes) : file->length;
        const char *line = dr_arena_strndup(reader->arena, file->bytes + at, end - at);

        if (line)
            envvars_line(reader, line, end - at);
        at = end + 1;
    }
}
