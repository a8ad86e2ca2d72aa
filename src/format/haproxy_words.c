/* Cutting a line into words (haproxy 2.6: parse_line). */
#include "format/haproxy_tree.h"

#include <string.h>

#define TEXT_CEILING ((size_t)64 << 20) /* variables may be put in many times */

struct cut {
    struct haproxy_cutter *cutter;
    struct haproxy_line *line;
    const char *bytes;
    size_t at;
    size_t end;
    struct {
        size_t text; /* in cutter->text */
        size_t begin, end; /* in the file */
        bool made; /* by a variable */
    } words[HAPROXY_WORDS];
    size_t count; /* words begun: the last one is at work */
    bool single, twice; /* within '' or "" */
    size_t quote;
    const char *problem;
    size_t problem_at;
    int r;
};

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_letter(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

static bool is_name(char c)
{
    return is_letter(c) || (c >= '0' && c <= '9') || c == '_';
}

static int hex(char c)
{
    const char *digits = "0123456789abcdef";
    const char *found = c ? strchr(digits, c >= 'A' && c <= 'F' ? c - 'A' + 'a' : c) : NULL;

    return found ? (int)(found - digits) : -1;
}

static char look(const struct cut *cut, size_t ahead)
{
    return cut->at + ahead < cut->end ? cut->bytes[cut->at + ahead] : '\0';
}

static void fail(struct cut *cut, size_t at, const char *problem)
{
    cut->problem = problem;
    cut->problem_at = at;
}

static void emit(struct cut *cut, char c)
{
    if (cut->r == 0)
        cut->r = dr_buffer_append_byte(&cut->cutter->text, c);
}

static void begin_word(struct cut *cut, bool made)
{
    if (cut->count == HAPROXY_WORDS) {
        fail(cut, cut->at, "more than 64 words on one line");
        return;
    }
    cut->words[cut->count].text = cut->cutter->text.length;
    cut->words[cut->count].begin = cut->at;
    cut->words[cut->count].made = made;
    cut->count++;
}

static void end_word(struct cut *cut, size_t end)
{
    cut->words[cut->count - 1].end = end;
    emit(cut, '\0');
}

static void take_space(struct cut *cut)
{
    size_t end = cut->at;

    while (cut->at < cut->end && is_space(cut->bytes[cut->at]))
        cut->at++;
    end_word(cut, end);
    begin_word(cut, false);
}

static void take_escape(struct cut *cut)
{
    static const char names[] = " \\tnr#'\"";
    static const char values[] = " \\\t\n\r#'\"";
    char next = look(cut, 1);
    const char *name = next ? strchr(names, next) : NULL;

    if (name) {
        emit(cut, values[name - names]);
        cut->at += 2;
    } else if (next == '$' && cut->twice) {
        emit(cut, '$');
        cut->at += 2;
    } else if (next == 'x') {
        if (hex(look(cut, 2)) < 0 || hex(look(cut, 3)) < 0) {
            fail(cut, cut->at, "'\\x' needs two hexadecimal digits");
            return;
        }
        emit(cut, (char)(hex(look(cut, 2)) << 4 | hex(look(cut, 3))));
        cut->at += 4;
    } else {
        emit(cut, '\\');
        cut->at++;
    }
}

/* The value of a variable, NULL when it is not set; a pseudo-variable that HAProxy does not know is a problem. */
static const char *value_of(struct cut *cut, const char *name, size_t at)
{
    struct haproxy_cutter *cutter = cut->cutter;
    struct dr_arena *arena = cutter->tree->gathering->loader->arena;

    if (name[0] != '.')
        return dr_haproxy_variable(cutter->tree, name);
    if (strcmp(name, ".LINE") == 0)
        return dr_arena_format(arena, "%u", cut->line->number);
    if (strcmp(name, ".FILE") == 0)
        return cutter->file->path;
    if (strcmp(name, ".SECTION") == 0)
        return cutter->section;
    fail(cut, at, "no such variable: only .LINE, .FILE and .SECTION may begin with a dot");
    return NULL;
}

static void put_value(struct cut *cut, const char *value, size_t length, bool split)
{
    for (size_t i = 0; i < length && !cut->problem; i++) {
        if (!split || !is_space(value[i])) {
            emit(cut, value[i]);
            continue;
        }
        cut->words[cut->count - 1].made = true;
        end_word(cut, cut->at);
        begin_word(cut, true);
        while (i + 1 < length && is_space(value[i + 1]))
            i++;
    }
}

/* Behind the name: "[*]" and "-default" within braces, and the closing brace. */
static void take_braces(struct cut *cut, size_t brace, const char *value)
{
    bool split = false;
    const char *standing_in = "";
    size_t length = 0;

    if (look(cut, 0) == '[') {
        if (look(cut, 1) != '*' || look(cut, 2) != ']') {
            fail(cut, cut->at, "only '[*]' may follow the name of a variable");
            return;
        }
        split = true;
        cut->at += 3;
    }
    if (look(cut, 0) == '-') {
        standing_in = cut->bytes + ++cut->at;
        while (cut->at < cut->end && cut->bytes[cut->at] != '}')
            cut->at++;
        length = (size_t)(cut->bytes + cut->at - standing_in);
    }
    if (look(cut, 0) != '}') {
        fail(cut, brace, "'${' is never closed");
        return;
    }
    cut->at++;
    put_value(cut, value ? value : standing_in, value ? strlen(value) : length, split);
}

static void take_variable(struct cut *cut)
{
    size_t dollar = cut->at++;
    size_t brace = cut->at;
    bool braces = look(cut, 0) == '{';

    if (braces)
        cut->at++;

    size_t begin = cut->at;
    char first = look(cut, 0);

    if (!is_letter(first) && first != '_' && first != '.') {
        fail(cut, dollar, "a variable's name begins with a letter, '_' or '.'; write \\$ for a dollar sign");
        return;
    }
    if (first == '.')
        cut->at++;
    while (is_name(look(cut, 0)))
        cut->at++;

    char *name = dr_arena_strndup(cut->cutter->tree->gathering->loader->arena, cut->bytes + begin, cut->at - begin);

    if (!name) {
        cut->r = -ENOMEM;
        return;
    }
    const char *value = value_of(cut, name, dollar);

    if (cut->problem)
        return;
    if (braces)
        take_braces(cut, brace, value);
    else if (value)
        put_value(cut, value, strlen(value), false);
}

/* False at the end of what counts. */
static bool take_one(struct cut *cut)
{
    char c = look(cut, 0);

    if (cut->at == cut->end || c == '\r' || (c == '#' && !cut->single && !cut->twice))
        return false;
    if ((c == '"' && !cut->single) || (c == '\'' && !cut->twice)) {
        bool *inside = c == '"' ? &cut->twice : &cut->single;

        *inside = !*inside;
        cut->quote = cut->at++;
    } else if (c == '\\' && !cut->single) {
        take_escape(cut);
    } else if (is_space(c) && !cut->single && !cut->twice) {
        take_space(cut);
    } else if (c == '$' && cut->twice) {
        take_variable(cut);
    } else {
        emit(cut, c);
        cut->at++;
    }
    return true;
}

/* Like HAProxy, what follows an empty word ("") does not count. */
static int keep_words(struct cut *cut)
{
    struct dr_arena *arena = cut->cutter->tree->gathering->loader->arena;
    struct haproxy_word *words = dr_arena_alloc(arena, cut->count * sizeof(*words));
    char *copy = dr_arena_alloc(arena, cut->cutter->text.length + 1);
    size_t count = 0;

    if (!words || !copy)
        return -ENOMEM;
    memcpy(copy, cut->cutter->text.data, cut->cutter->text.length);
    for (; count < cut->count && copy[cut->words[count].text] != '\0'; count++) {
        words[count] = (struct haproxy_word){
            .text = copy + cut->words[count].text,
            .offset = cut->words[count].begin,
            .bytes = cut->words[count].made ? 0 : cut->words[count].end - cut->words[count].begin,
        };
    }
    cut->line->words = words;
    cut->line->count = count;
    return 0;
}

int dr_haproxy_cut(struct haproxy_cutter *cutter, size_t begin, size_t end, struct haproxy_line *line,
                   const char **ret_problem, size_t *ret_at)
{
    struct cut cut = { .cutter = cutter, .line = line, .bytes = cutter->file->bytes, .at = begin, .end = end };

    line->words = NULL;
    line->count = 0;
    cutter->text.ceiling = TEXT_CEILING;
    dr_buffer_clear(&cutter->text);
    while (cut.at < end && is_space(cut.bytes[cut.at]))
        cut.at++;
    if (cut.at == end || cut.bytes[cut.at] == '#')
        return 0;
    begin_word(&cut, false);
    while (cut.r == 0 && !cut.problem && take_one(&cut))
        continue;
    if (cut.r < 0)
        return cut.r == -E2BIG ? -ENOMEM : cut.r;
    if (!cut.problem && (cut.single || cut.twice))
        fail(&cut, cut.quote, "the quote is never closed");
    if (cut.problem) {
        *ret_problem = cut.problem;
        *ret_at = cut.problem_at;
        return 1;
    }
    end_word(&cut, cut.at);
    return cut.r < 0 ? cut.r : keep_words(&cut);
}
