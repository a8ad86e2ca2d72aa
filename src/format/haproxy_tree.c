/* Files to sections of lines (haproxy 2.6: readcfgfile, and the heads of cfg_parse_listen and cfg_parse_global). */
#include "format/haproxy_tree.h"

#include <string.h>

enum branch {
    BRANCH_TAKEN, /* its lines count; the other branches do not */
    BRANCH_WAITING, /* its lines do not count; a later branch may */
    BRANCH_DONE, /* neither */
    BRANCH_UNKNOWN, /* which branch counts is not knowable: none is read */
};

struct open_condition {
    enum branch branch;
    bool in_else;
    size_t fault; /* BRANCH_UNKNOWN: the index of its fault; SIZE_MAX: not kept */
};

struct reader {
    struct haproxy_tree *tree;
    struct haproxy_cutter cutter;
    const struct dr_proxy_file *file;
    unsigned line;
    struct haproxy_section *section; /* at work; NULL before the first of a file */
    bool in_other; /* in a section that is not kept */
    const struct haproxy_section *defaults; /* the last one */
    struct open_condition *open;
    size_t depth;
};

/* --- sections ----------------------------------------------------------------------------------------------------------- */

static bool is_proxy(enum haproxy_kind kind)
{
    return kind == HAPROXY_FRONTEND || kind == HAPROXY_BACKEND || kind == HAPROXY_LISTEN;
}

static const struct haproxy_section *find_defaults(struct reader *reader, const struct haproxy_line *line, size_t word)
{
    const struct haproxy_section *found = NULL;
    const char *name = dr_haproxy_word(line, word);

    for (size_t i = 0; i < reader->tree->count; i++) {
        const struct haproxy_section *section = reader->tree->sections[i];

        if (section->kind != HAPROXY_DEFAULTS || section == reader->section || strcmp(section->name, name) != 0)
            continue;
        if (found)
            dr_haproxy_fault(reader->tree, line, word, true, "there are several 'defaults %s': HAProxy cannot choose", name);
        found = section;
    }
    if (!found)
        dr_haproxy_fault(reader->tree, line, word, true, "there is no 'defaults %s' before this line", name);
    return found;
}

static const char *bad_in_name(const char *name)
{
    for (; *name; name++)
        if (!strchr("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._:-", *name))
            return name;
    return NULL;
}

/* "frontend NAME [from DEFAULTS]". */
static void read_proxy_head(struct reader *reader, struct haproxy_section *section)
{
    struct haproxy_tree *tree = reader->tree;
    const struct haproxy_line *head = &section->head;
    const char *bad = bad_in_name(section->name);
    size_t next = section->kind == HAPROXY_DEFAULTS && section->name[0] == '\0' ? 1 : 2;

    if (is_proxy(section->kind) && section->name[0] == '\0')
        dr_haproxy_fault(tree, head, 0, true, "'%s' needs a name", head->words[0].text);
    if (is_proxy(section->kind) && bad)
        dr_haproxy_fault(tree, head, 1, true, "'%c' may not stand in the name of a section", *bad);
    if (is_proxy(section->kind))
        section->defaults = reader->defaults;
    if (dr_haproxy_is(head, next, "from") && next + 1 < head->count)
        section->defaults = find_defaults(reader, head, next + 1);
    else if (is_proxy(section->kind) && next < head->count && !dr_haproxy_is(head, next, "from"))
        dr_haproxy_fault(tree, head, next, true,
                         "an address on the '%s' line is not understood: it belongs on a 'bind' line", head->words[0].text);
    if (section->kind == HAPROXY_DEFAULTS)
        reader->defaults = section;
}

static int begin_section(struct reader *reader, enum haproxy_kind kind, const struct haproxy_line *line)
{
    struct haproxy_tree *tree = reader->tree;
    struct dr_arena *arena = tree->gathering->loader->arena;
    struct haproxy_section *section = dr_arena_alloc(arena, sizeof(*section));
    struct haproxy_section **grown =
        dr_arena_grow(arena, tree->sections, tree->count, sizeof(struct haproxy_section *), &tree->room);

    if (!section || !grown)
        return -ENOMEM;
    tree->sections = grown;
    section->index = tree->count;
    grown[tree->count++] = section;
    section->kind = kind;
    section->head = *line;
    section->name = dr_haproxy_word(line, 1);
    if (kind == HAPROXY_DEFAULTS && strcmp(section->name, "from") == 0)
        section->name = "";
    reader->section = section;
    reader->cutter.section = *section->name ? section->name : line->words[0].text;
    if (is_proxy(kind) || kind == HAPROXY_DEFAULTS)
        read_proxy_head(reader, section);
    return 0;
}

static int keep_line(struct reader *reader, const struct haproxy_line *line)
{
    struct haproxy_section *section = reader->section;
    const char *keyword = line->words[0].text;

    if (!dr_haproxy_knows(section->kind, keyword))
        dr_haproxy_fault(reader->tree, line, 0, section->kind != HAPROXY_GLOBAL, "'%.40s' is no word for a '%s' section",
                         keyword, section->head.words[0].text);
    if (section->kind == HAPROXY_OTHER)
        return 0;
    struct haproxy_line *grown = dr_arena_grow(reader->tree->gathering->loader->arena, section->lines, section->count,
                                               sizeof(*grown), &section->room);

    if (!grown)
        return -ENOMEM;
    section->lines = grown;
    grown[section->count++] = *line;
    return section->kind == HAPROXY_GLOBAL ? dr_haproxy_take_environment(reader->tree, line) : 0;
}

/* --- conditions --------------------------------------------------------------------------------------------------------- */

static enum branch branch_now(const struct reader *reader)
{
    return reader->depth ? reader->open[reader->depth - 1].branch : BRANCH_TAKEN;
}

static enum branch choose(struct reader *reader, const struct haproxy_line *line, size_t *ret_fault)
{
    struct haproxy_tree *tree = reader->tree;
    const char *text = dr_haproxy_join(tree->gathering->loader->arena, line, 1, line->count);
    const char *bad = "";
    enum haproxy_truth truth;
    size_t before = tree->gathering->fault_count;

    if (!dr_haproxy_condition(tree, text, &truth, &bad)) {
        dr_haproxy_fault(tree, line, 1, true, "'%.40s' is no condition for '%s'", bad, line->words[0].text);
        return BRANCH_DONE;
    }
    if (truth != HAPROXY_UNKNOWN)
        return truth == HAPROXY_TRUE ? BRANCH_TAKEN : BRANCH_WAITING;
    dr_haproxy_fault(tree, line, 1, false,
                     "whether '%.60s' holds cannot be known from outside of HAProxy; this block was not read", text);
    *ret_fault = tree->gathering->fault_count > before ? before : SIZE_MAX;
    return BRANCH_UNKNOWN;
}

static void open_condition(struct reader *reader, const struct haproxy_line *line)
{
    enum branch outside = branch_now(reader);
    struct open_condition opened = { .branch = outside == BRANCH_UNKNOWN ? outside : BRANCH_DONE };

    if (reader->depth + 1 == HAPROXY_CONDITIONS) {
        dr_haproxy_fault(reader->tree, line, 0, true, "more than %d '.if' within each other", HAPROXY_CONDITIONS - 1);
        return;
    }
    if (outside == BRANCH_UNKNOWN)
        opened.fault = reader->open[reader->depth - 1].fault;
    else if (outside == BRANCH_TAKEN)
        opened.branch = choose(reader, line, &opened.fault);
    reader->open[reader->depth++] = opened;
}

static void turn_condition(struct reader *reader, const struct haproxy_line *line, bool is_else)
{
    struct open_condition *top = &reader->open[reader->depth - 1];

    if (top->in_else)
        dr_haproxy_fault(reader->tree, line, 0, true, "'%s' stands behind '.else'", line->words[0].text);
    top->in_else = top->in_else || is_else;
    if (top->branch == BRANCH_TAKEN)
        top->branch = BRANCH_DONE;
    else if (top->branch == BRANCH_WAITING)
        top->branch = is_else ? BRANCH_TAKEN : choose(reader, line, &top->fault);
}

static bool take_condition(struct reader *reader, const struct haproxy_line *line)
{
    const char *word = line->words[0].text;
    bool is_else = strcmp(word, ".else") == 0;
    bool is_end = strcmp(word, ".endif") == 0;

    if (strcmp(word, ".if") == 0) {
        open_condition(reader, line);
        return true;
    }
    if (!is_else && !is_end && strcmp(word, ".elif") != 0)
        return false;
    if (reader->depth == 0) {
        dr_haproxy_fault(reader->tree, line, 0, true, "'%s' without an '.if'", word);
        return true;
    }
    if ((is_else || is_end) && line->count > 1)
        dr_haproxy_fault(reader->tree, line, 1, true, "nothing may follow '%s'", word);
    if (is_end)
        reader->depth--;
    else
        turn_condition(reader, line, is_else);
    return true;
}

static void take_message(struct reader *reader, const struct haproxy_line *line)
{
    const char *word = line->words[0].text;

    if (strcmp(word, ".alert") == 0)
        dr_haproxy_fault(reader->tree, line, 0, false, "HAProxy stops here: '.alert %.60s'", dr_haproxy_word(line, 1));
    else if (strcmp(word, ".warning") != 0 && strcmp(word, ".notice") != 0 && strcmp(word, ".diag") != 0)
        dr_haproxy_fault(reader->tree, line, 0, true, "'%.40s' is no directive", word);
    else if (line->count > 2)
        dr_haproxy_fault(reader->tree, line, 2, false, "'%s' takes one word: quotes are missing", word);
}

/* A line that may count or not: its condition's fault hides what it could change. */
static void mark_hidden(struct reader *reader, const struct haproxy_line *line)
{
    struct dr_proxy_gathering *gathering = reader->tree->gathering;
    size_t fault = reader->open[reader->depth - 1].fault;
    int kind = dr_haproxy_section_kind(line->words[0].text);
    bool inside = reader->section && reader->section->kind != HAPROXY_OTHER && reader->section->kind != HAPROXY_GLOBAL;

    if (fault < gathering->fault_count && (inside || kind > HAPROXY_OTHER || strstr(line->words[0].text, "setenv")))
        gathering->faults[fault].hides_routes = true;
}

/* --- lines -------------------------------------------------------------------------------------------------------------- */

static void take_modifier(struct reader *reader, struct haproxy_line *line)
{
    static const char *const may[] = { "option",           "log",
                                       "busy-polling",     "set-dumpable",
                                       "strict-limits",    "insecure-fork-wanted",
                                       "numa-cpu-mapping", "insecure-setuid-wanted",
                                       "prealloc-fd",      "ktls" };
    bool is_no = dr_haproxy_is(line, 0, "no");
    bool known = false;

    if (!is_no && !dr_haproxy_is(line, 0, "default"))
        return;
    line->modifier = is_no ? HAPROXY_NO : HAPROXY_DEFAULT;
    for (size_t i = 0; i < DR_COUNT(may); i++)
        known = known || dr_haproxy_is(line, 1, may[i]);
    if (!known)
        dr_haproxy_fault(reader->tree, line, 0, true, "'%s' may not stand before '%.40s'", line->words[0].text,
                         dr_haproxy_word(line, 1));
    line->words++;
    line->count--;
}

static int take_words(struct reader *reader, struct haproxy_line *line)
{
    if (line->count == 0)
        return 0;
    if (line->words[0].text[0] == '.' && take_condition(reader, line))
        return 0;
    if (branch_now(reader) != BRANCH_TAKEN) {
        if (branch_now(reader) == BRANCH_UNKNOWN)
            mark_hidden(reader, line);
        return 0;
    }
    if (line->words[0].text[0] == '.') {
        take_message(reader, line);
        return 0;
    }
    take_modifier(reader, line);
    if (line->count == 0)
        return 0;
    int kind = dr_haproxy_section_kind(line->words[0].text);

    if (kind != HAPROXY_NO_SECTION)
        return begin_section(reader, (enum haproxy_kind)kind, line);
    if (!reader->section) {
        dr_haproxy_fault(reader->tree, line, 0, true, "'%.40s' stands before the first section", line->words[0].text);
        return 0;
    }
    return keep_line(reader, line);
}

static int take_line(struct reader *reader, size_t begin, size_t end)
{
    struct haproxy_line line = {
        .file = reader->file,
        .number = ++reader->line,
        .offset = begin,
        .bytes = end - begin,
        .depth = reader->depth,
    };
    size_t first = begin;
    const char *problem = NULL;
    size_t at = begin;

    while (first < end && strchr(" \t\v\f\r", reader->file->bytes[first]))
        first++;
    if (first < end && reader->file->bytes[first] == '[')
        return 0; /* a scope, for filters */
    int r = dr_haproxy_cut(&reader->cutter, begin, end, &line, &problem, &at);

    if (r <= 0)
        return r < 0 ? r : take_words(reader, &line);
    const struct dr_source source = { .path = line.file->path, .line = line.number, .column = (unsigned)(at - begin) + 1 };

    dr_proxy_fault(reader->tree->gathering, &source, true, "%s", problem);
    return 0;
}

static int read_file(struct reader *reader, const struct dr_proxy_file *file)
{
    const char *bytes = file->bytes;
    int r = 0;

    reader->file = reader->cutter.file = file;
    reader->line = 0;
    reader->section = NULL;
    reader->cutter.section = "";
    reader->depth = 0;
    for (size_t at = 0; r == 0 && at < file->length;) {
        const char *lf = memchr(bytes + at, '\n', file->length - at);
        size_t end = lf ? (size_t)(lf - bytes) : file->length;

        r = take_line(reader, at, end);
        at = end + 1;
    }
    const struct dr_source last = { .path = file->path, .line = reader->line, .column = 1 };

    if (file->length > 0 && bytes[file->length - 1] != '\n')
        dr_proxy_fault(reader->tree->gathering, &last, false, "the last line has no line end: HAProxy refuses the file");
    if (reader->depth > 0)
        dr_proxy_fault(reader->tree->gathering, &last, true, "an '.if' is never closed: '.endif' is missing");
    return r;
}

static int read_folder(struct reader *reader, const char *path)
{
    const struct dr_proxy_loader *loader = reader->tree->gathering->loader;
    const char *pattern = dr_arena_format(loader->arena, "%s/*.cfg", path);
    const char *const *paths = NULL;
    int r = pattern ? loader->expand(loader->user, pattern, &paths) : -ENOMEM;

    for (; r == 0 && paths && *paths; paths++) {
        const char *name = strrchr(*paths, '/');
        const struct dr_proxy_file *file =
            name && name[1] == '.' ? NULL : dr_proxy_load(reader->tree->gathering, *paths, NULL);

        r = file ? read_file(reader, file) : 0;
    }
    return r == -ENOMEM ? r : 0;
}

/* A file, or the *.cfg of a folder. */
static int read_path(struct reader *reader, const char *path)
{
    const struct dr_proxy_loader *loader = reader->tree->gathering->loader;
    const struct dr_proxy_file *file = NULL;
    int r = loader->load(loader->user, path, &file);

    if (r == -ENOMEM)
        return r;
    if (r == -EISDIR || r == -EINVAL)
        return read_folder(reader, path);
    file = dr_proxy_load(reader->tree->gathering, path, NULL);
    return file ? read_file(reader, file) : 0;
}

int dr_haproxy_read_tree(struct haproxy_tree *tree, const char *path)
{
    const struct dr_proxy_loader *loader = tree->gathering->loader;
    struct reader reader = {
        .tree = tree,
        .cutter = { .tree = tree },
        .open = dr_arena_alloc(loader->arena, HAPROXY_CONDITIONS * sizeof(struct open_condition)),
    };
    int r = reader.open ? read_path(&reader, path) : -ENOMEM;

    /* One configuration: "defaults" of one file hold for the next. */
    for (const char *const *also = loader->also; r == 0 && also && *also; also++)
        r = read_path(&reader, *also);
    dr_buffer_release(&reader.cutter.text);
    return r;
}
