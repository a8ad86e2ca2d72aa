#include "format/apache_open.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#define NAME_CEILING 256

void apache_node_source(const struct apache_node *node, struct dr_source *ret_source)
{
    *ret_source = (struct dr_source){ 0 };
    if (node && node->file)
        *ret_source = (struct dr_source){ .path = node->file->path, .line = node->first_line, .column = node->column };
}

void apache_word_source(const struct apache_node *node, size_t word, struct dr_source *ret_source)
{
    apache_node_source(node, ret_source);
    if (!node || node->made || word >= node->word_count)
        return;
    for (size_t i = node->begin; i < node->words[word].offset; i++) {
        ret_source->column++;
        if (node->file->bytes[i] == '\n') {
            ret_source->line++;
            ret_source->column = 1;
        }
    }
}

void apache_line_source(const struct apache_source *source, const struct apache_line *line, struct dr_source *ret_source)
{
    *ret_source = (struct dr_source){ .path = source->file->path, .line = line->first, .column = line->column };
}

bool apache_is(const struct apache_node *node, const char *name)
{
    enum { CASE = 0x20 };

    /* The first letter answers nearly always; this is asked of each directive, often. */
    return node->name && ((node->name[0] ^ name[0]) & ~CASE) == 0 && strcasecmp(node->name, name) == 0;
}

const char *apache_arg(const struct apache_node *node, size_t index)
{
    return node->words && index < node->word_count ? node->words[index].text : "";
}

/* --- lines -------------------------------------------------------------------------------------------------------------- */

static bool is_name(const char *text)
{
    size_t length = strlen(text);

    text += *text == '<';
    text += *text == '/';
    return length < NAME_CEILING && *text != '\0' &&
           text[strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.>")] == '\0';
}

static void odd_line(struct apache_open *reading, const struct apache_line *line)
{
    struct dr_source source;

    /* A file of something else has thousands of these. */
    if (reading->reader->odd_file == reading->source->file)
        return;
    reading->reader->odd_file = reading->source->file;
    apache_line_source(reading->source, line, &source);
    dr_proxy_fault(&reading->reader->gathering, &source, true, "this line begins with no directive's name%s",
                   line->length > 10000 ? " (it is very long)" : "");
}

static void take_words(struct apache_reader *reader, const struct apache_line *line, size_t at, struct apache_node *node)
{
    struct apache_word *words = NULL;
    size_t room = 0;
    struct apache_line inner = *line;

    node->args = dr_arena_strndup(reader->arena, line->text + at, line->length - at);
    if (node->section) {
        const char *end = strrchr(line->text + at, '>');

        if (end)
            inner.length = (size_t)(end - line->text);
        inner.text = dr_arena_strndup(reader->arena, line->text, inner.length);
    }
    reader->no_memory |= !inner.text || !node->args;
    while (inner.text) {
        struct apache_word word;

        if (!apache_word_next(reader->arena, &inner, &at, &word))
            break;
        words = dr_arena_grow(reader->arena, words, node->word_count, sizeof(*words), &room);
        if (!words) {
            reader->no_memory = true;
            node->word_count = 0;
            return;
        }
        words[node->word_count++] = word;
    }
    node->words = words;
}

static struct apache_node *make_node(struct apache_open *reading, const char *name, const struct apache_line *line,
                                     size_t at)
{
    struct apache_reader *reader = reading->reader;
    struct apache_node *node = dr_arena_alloc(reader->arena, sizeof(*node));

    if (!node) {
        reader->no_memory = true;
        return NULL;
    }
    *node = (struct apache_node){
        .name = name,
        .file = reading->source->file,
        .begin = line->begin,
        .end = line->end,
        .first_line = line->first,
        .column = line->column,
        .line = line->number,
        .section = name[0] == '<',
        .made = reading->source->use != NULL,
    };
    take_words(reader, line, at, node);
    return node;
}

static void add_node(struct apache_open *reading, struct apache_node *node)
{
    struct apache_node *parent = apache_open_node(reading);

    if (reading->skipped > 0 || !parent)
        return;
    if (++reading->reader->node_count > APACHE_NODES) {
        struct dr_source source;

        apache_node_source(node, &source);
        if (!reading->reader->stopped)
            dr_proxy_fault(&reading->reader->gathering, &source, true, "more than %d directives; the rest was not read",
                           APACHE_NODES);
        reading->reader->stopped = true;
        return;
    }
    node->parent = parent;
    if (parent->last)
        parent->last->next = node;
    else
        parent->first = node;
    parent->last = node;
}

/* What httpd carries out while it reads (EXEC_ON_READ), sections apart. False: nothing of that kind. */
static bool carry_out(struct apache_open *reading, const struct apache_node *node, const struct apache_line *line)
{
    struct apache_reader *reader = reading->reader;
    struct dr_source source;

    if (apache_is(node, "Define")) {
        apache_define(reader, apache_arg(node, 0), node->word_count > 1 ? apache_arg(node, 1) : NULL);
    } else if (apache_is(node, "UnDefine")) {
        apache_undefine(reader, apache_arg(node, 0));
    } else if (apache_is(node, "LoadModule")) {
        apache_module_load(reader, apache_arg(node, 0), apache_arg(node, 1));
    } else if (apache_is(node, "ServerRoot")) {
        reader->server_root = apache_arg(node, 0);
    } else if (apache_is(node, "Include") || apache_is(node, "IncludeOptional")) {
        apache_line_source(reading->source, line, &source);
        apache_include(reader, apache_arg(node, 0), strlen(node->name) > 7, apache_open_node(reading), &source);
    } else if (apache_is(node, "Use")) {
        apache_macro_use(reader, reading->source, line, apache_open_node(reading));
        reading->source->after_use = true;
    } else if (apache_is(node, "UndefMacro")) {
        apache_macro_forget(reader, apache_arg(node, 0));
    } else if (apache_is(node, "Error")) {
        apache_line_source(reading->source, line, &source);
        dr_proxy_fault(&reader->gathering, &source, true, "Error %s: httpd does not start", node->args);
    } else {
        return apache_is(node, "LoadFile") || apache_is(node, "DefaultRuntimeDir");
    }
    return true;
}

static void open_section(struct apache_open *reading, struct apache_node *node, const struct apache_line *line)
{
    struct apache_reader *reader = reading->reader;
    struct dr_source source;
    int holds = apache_condition(reader, node->name, node->words, node->word_count);

    apache_line_source(reading->source, line, &source);
    if (holds == -1 && strchr(node->args, '>') == NULL && line->text[line->length - 1] != '>')
        dr_proxy_fault(&reader->gathering, &source, true, "%s: '>' is missing", node->name);
    if (holds == -1) {
        add_node(reading, node);
        apache_open_push(reading, node->name, node, line);
        return;
    }
    if (holds == -2)
        dr_proxy_fault(&reader->gathering, &source, true,
                       "%s %s is not decided here; what stands in it was read as if it held", node->name, node->args);
    if (holds == 0)
        apache_open_skip(reading, node->name, line);
    else
        apache_open_push(reading, node->name, NULL, line);
}

static void read_line(struct apache_open *reading, struct apache_line *line)
{
    struct apache_reader *reader = reading->reader;
    struct apache_line raw = *line;
    struct apache_word word;
    size_t at = 0;

    if (apache_line_resolve(reader, line) < 0 || !apache_word_next(reader->arena, line, &at, &word)) {
        reader->no_memory = true;
        return;
    }
    if (!is_name(word.text)) {
        odd_line(reading, line);
        return;
    }
    size_t length = strlen(word.text);

    if (word.text[0] == '<' && word.text[1] == '/') {
        apache_open_close(reading, word.text, line);
        return;
    }
    /* "<IfModule>" without an argument keeps its bracket in the name. */
    if (word.text[length - 1] == '>')
        word.text = dr_arena_strndup(reader->arena, word.text, length - 1);
    if (!word.text) {
        reader->no_memory = true;
        return;
    }
    if (strcasecmp(word.text, "<Macro") == 0) {
        apache_macro_define(reader, reading->source, &raw);
        return;
    }
    struct apache_node *node = make_node(reading, word.text, line, at);

    if (!node)
        return;
    if (node->section)
        open_section(reading, node, line);
    else if (!carry_out(reading, node, line))
        add_node(reading, node);
}

void apache_read_source(struct apache_reader *reader, struct apache_source *source, struct apache_node *parent)
{
    struct apache_open reading = { .reader = reader, .source = source, .parent = parent };
    struct apache_line line;
    int r = 0;

    while (!reader->stopped && !reader->no_memory && (r = apache_line_next(reader->arena, source, &line)) > 0) {
        if (++reader->line_count > APACHE_LINES) {
            struct dr_source where;

            apache_line_source(source, &line, &where);
            dr_proxy_fault(&reader->gathering, &where, true, "more than %d lines; the rest was not read", APACHE_LINES);
            reader->stopped = true;
        }
        read_line(&reading, &line);
    }
    reader->no_memory |= r < 0;
    /* httpd does not mind that a condition is not closed, nor what is not closed in it. */
    for (unsigned i = 0; i < reading.depth; i++)
        if (!reading.frames[i].node)
            reading.depth = i;
    /* One fault: when the outer one is not closed either, the same line is missing. */
    if (reading.depth > 0 && !reader->stopped)
        dr_proxy_fault(&reader->gathering, &reading.frames[reading.depth - 1].source, true, "%s> is not closed",
                       reading.frames[reading.depth - 1].name);
}
