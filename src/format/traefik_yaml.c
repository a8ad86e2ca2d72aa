/*
 * YAML. libyaml says where things are in characters; `cursor` turns that into bytes. Aliases stand for the node that they name; a "<<" is
 * followed when something is looked for.
 */
#include "format/traefik_internal.h"

#include <string.h>
#include <yaml.h>

struct anchor {
    const char *name;
    struct traefik_node *node;
};

struct reading {
    struct traefik_model *model;
    const struct dr_proxy_file *file;
    size_t characters, bytes; /* the cursor */
    struct traefik_node *open[DR_PROXY_DEPTH];
    const char *names[DR_PROXY_DEPTH]; /* anchors of what is open */
    unsigned depth;
    const char *key; /* of the next value */
    size_t key_begin;
    struct anchor *anchors;
    size_t anchor_count, anchor_room;
    struct traefik_node *root;
    const char *problem;
    size_t problem_at;
};

static bool continues(const struct reading *reading, size_t at)
{
    return at < reading->file->length && ((unsigned char)reading->file->bytes[at] & 0xC0) == 0x80;
}

static size_t offset_of(struct reading *reading, size_t index)
{
    while (reading->characters < index && reading->bytes < reading->file->length) {
        do
            reading->bytes++;
        while (continues(reading, reading->bytes));
        reading->characters++;
    }
    while (reading->characters > index && reading->bytes > 0) {
        do
            reading->bytes--;
        while (reading->bytes > 0 && continues(reading, reading->bytes));
        reading->characters--;
    }
    return reading->bytes;
}

static void stop(struct reading *reading, const char *problem, size_t at)
{
    if (reading->problem)
        return;
    reading->problem = problem;
    reading->problem_at = at;
}

static void note_anchor(struct reading *reading, const char *name, struct traefik_node *node)
{
    if (!name || !node)
        return;
    struct anchor *grown =
        dr_arena_grow(reading->model->arena, reading->anchors, reading->anchor_count, sizeof(*grown), &reading->anchor_room);

    if (!grown || reading->anchor_count >= 1000) {
        stop(reading, grown ? "more than 1000 anchors" : "out of memory", node->begin);
        return;
    }
    reading->anchors = grown;
    grown[reading->anchor_count++] = (struct anchor){ name, node };
}

static void take(struct reading *reading, struct traefik_node *node)
{
    struct traefik_node *parent = reading->depth ? reading->open[reading->depth - 1] : NULL;

    if (!node) {
        stop(reading, "out of memory", 0);
        return;
    }
    if (!parent) {
        reading->root = node;
        return;
    }
    if (parent->type == TRAEFIK_MAP) {
        node->key = reading->key;
        node->key_begin = reading->key_begin;
        reading->key = NULL;
    }
    dr_traefik_append(parent, node);
}

static bool wants_key(const struct reading *reading)
{
    return reading->depth > 0 && reading->open[reading->depth - 1]->type == TRAEFIK_MAP && !reading->key;
}

static const char *copy(struct reading *reading, const yaml_char_t *text)
{
    const char *made = text ? dr_arena_strdup(reading->model->arena, (const char *)text) : NULL;

    if (text && !made)
        stop(reading, "out of memory", 0);
    return made;
}

static bool is_null(const yaml_event_t *event, const char *text)
{
    static const char *const spellings[] = { "", "~", "null", "Null", "NULL" };

    for (size_t i = 0; event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && i < DR_COUNT(spellings); i++)
        if (strcmp(text, spellings[i]) == 0)
            return true;
    return false;
}

static enum traefik_tag tag_of(const yaml_char_t *tag)
{
    const char *text = tag ? (const char *)tag : "";

    return strcmp(text, "!reset") == 0      ? TRAEFIK_TAG_RESET
           : strcmp(text, "!override") == 0 ? TRAEFIK_TAG_OVERRIDE
                                            : TRAEFIK_TAG_NONE;
}

static void take_scalar(struct reading *reading, const yaml_event_t *event, size_t begin)
{
    const char *text = copy(reading, event->data.scalar.value);

    if (!text)
        return;
    if (wants_key(reading)) {
        reading->key = text;
        reading->key_begin = begin;
        return;
    }
    struct traefik_node *node = dr_traefik_node(reading->model->arena, TRAEFIK_SCALAR, reading->file, begin,
                                                offset_of(reading, event->end_mark.index));

    if (node) {
        node->text = text;
        node->tag = tag_of(event->data.scalar.tag);
        node->type = is_null(event, text) ? TRAEFIK_NULL : TRAEFIK_SCALAR;
    }
    take(reading, node);
    note_anchor(reading, copy(reading, event->data.scalar.anchor), node);
}

static void mark_fixed(struct traefik_node *node, unsigned depth)
{
    if (node->fixed || depth > DR_PROXY_DEPTH)
        return;
    node->fixed = true;
    for (struct traefik_node *child = node->first; child; child = child->next)
        mark_fixed(child, depth + 1);
}

static void take_alias(struct reading *reading, const yaml_event_t *event, size_t begin)
{
    const char *name = (const char *)event->data.alias.anchor;

    if (wants_key(reading)) {
        stop(reading, "an alias as a key", begin);
        return;
    }
    for (size_t i = reading->anchor_count; i > 0; i--) {
        if (strcmp(reading->anchors[i - 1].name, name) != 0)
            continue;
        struct traefik_node *node = dr_arena_alloc(reading->model->arena, sizeof(*node));

        mark_fixed(reading->anchors[i - 1].node, 0);
        if (node) {
            *node = *reading->anchors[i - 1].node;
            node->key = NULL;
            node->next = NULL;
        }
        take(reading, node);
        return;
    }
    stop(reading, "an alias of an anchor that is not there, or not complete yet", begin);
}

static void begin_group(struct reading *reading, enum traefik_type type, const yaml_char_t *anchor, const yaml_char_t *tag,
                        size_t begin)
{
    if (wants_key(reading)) {
        stop(reading, "a key that is no text", begin);
        return;
    }
    if (reading->depth >= DR_PROXY_DEPTH) {
        stop(reading, "nested too deeply", begin);
        return;
    }
    struct traefik_node *node = dr_traefik_node(reading->model->arena, type, reading->file, begin, begin);

    take(reading, node);
    if (!node)
        return;
    node->tag = tag_of(tag);
    reading->open[reading->depth] = node;
    reading->names[reading->depth++] = copy(reading, anchor);
}

/* A block ends, for libyaml, where the next thing begins: here it ends with the last thing in it. */
static void end_group(struct reading *reading, const yaml_event_t *event)
{
    struct traefik_node *node = reading->open[--reading->depth];
    size_t end = offset_of(reading, event->end_mark.index);
    char first = node->begin < reading->file->length ? reading->file->bytes[node->begin] : '\0';

    node->end = first == '{' || first == '[' ? end : node->last ? node->last->end : node->begin;
    note_anchor(reading, reading->names[reading->depth], node);
}

static bool take_event(struct reading *reading, const yaml_event_t *event)
{
    size_t begin = offset_of(reading, event->start_mark.index);

    switch (event->type) {
    case YAML_SCALAR_EVENT:
        take_scalar(reading, event, begin);
        break;
    case YAML_ALIAS_EVENT:
        take_alias(reading, event, begin);
        break;
    case YAML_MAPPING_START_EVENT:
        begin_group(reading, TRAEFIK_MAP, event->data.mapping_start.anchor, event->data.mapping_start.tag, begin);
        break;
    case YAML_SEQUENCE_START_EVENT:
        begin_group(reading, TRAEFIK_LIST, event->data.sequence_start.anchor, event->data.sequence_start.tag, begin);
        break;
    case YAML_MAPPING_END_EVENT:
    case YAML_SEQUENCE_END_EVENT:
        end_group(reading, event);
        break;
    case YAML_DOCUMENT_END_EVENT: /* Traefik and Compose read the first document */
    case YAML_STREAM_END_EVENT:
        return false;
    case YAML_NO_EVENT:
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_START_EVENT:
        break;
    }
    return !reading->problem;
}

static void read_events(struct reading *reading, yaml_parser_t *parser)
{
    for (bool more = true; more;) {
        yaml_event_t event;

        if (!yaml_parser_parse(parser, &event)) {
            stop(reading,
                 dr_arena_format(reading->model->arena, "%s%s%s", parser->context ? parser->context : "",
                                 parser->context ? ": " : "", parser->problem ? parser->problem : "it is no YAML"),
                 parser->error == YAML_READER_ERROR ? parser->problem_offset
                                                    : offset_of(reading, parser->problem_mark.index));
            return;
        }
        more = take_event(reading, &event);
        yaml_event_delete(&event);
    }
}

struct traefik_node *dr_traefik_yaml(struct traefik_model *model, const struct dr_proxy_file *file)
{
    struct reading reading = { .model = model, .file = file };
    yaml_parser_t parser;
    struct dr_source source;

    if (!yaml_parser_initialize(&parser)) {
        model->no_memory = true;
        return NULL;
    }
    if (file->length >= 3 && memcmp(file->bytes, "\xEF\xBB\xBF", 3) == 0)
        reading.bytes = 3;
    yaml_parser_set_encoding(&parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&parser, (const unsigned char *)file->bytes + reading.bytes, file->length - reading.bytes);
    read_events(&reading, &parser);
    yaml_parser_delete(&parser);
    if (!reading.problem)
        return reading.root ? reading.root : dr_traefik_node(model->arena, TRAEFIK_NULL, file, 0, 0);
    dr_proxy_position(file, reading.problem_at, &source);
    dr_proxy_fault(model->gathering, &source, true, "not readable as YAML: %s", reading.problem);
    return NULL;
}
