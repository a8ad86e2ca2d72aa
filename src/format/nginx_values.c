#include "format/nginx_scope.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

enum { MOST_ALTERNATIVES = 16 };

bool dr_nginx_spend(const struct dr_nginx_model *model, size_t looked_through)
{
    *model->work += 1 + looked_through / 64;
    return *model->work < DR_NGINX_WORK;
}

static bool is_name(char c)
{
    return isalnum((unsigned char)c) || c == '_';
}

bool dr_nginx_piece(const char **at, struct dr_nginx_piece *ret_piece)
{
    const char *text = *at;
    size_t length = 0;

    if (*text == '\0')
        return false;
    if (text[0] == '$' && (is_name(text[1]) || text[1] == '{')) {
        bool braces = text[1] == '{';

        text += 1 + braces;
        while (is_name(text[length]))
            length++;
        *ret_piece = (struct dr_nginx_piece){ .text = text, .length = length, .variable = true };
        *at = text + length + (braces && text[length] == '}');
        return true;
    }
    do
        length++;
    while (text[length] && text[length] != '$');
    *ret_piece = (struct dr_nginx_piece){ .text = text, .length = length };
    *at = text + length;
    return true;
}

bool dr_nginx_is_named(const char *text, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(text, name, length) == 0;
}

const char *dr_nginx_sole_variable(const char *text, size_t *ret_length)
{
    struct dr_nginx_piece piece;

    if (!dr_nginx_piece(&text, &piece) || !piece.variable || *text)
        return NULL;
    *ret_length = piece.length;
    return piece.text;
}

/* --- map ----------------------------------------------------------------------------------------------------------------- */

bool dr_nginx_entry(const struct dr_nginx_directive *map, size_t index, struct dr_nginx_entry *entry)
{
    bool hostnames = index > 0 && entry->hostnames;

    *entry = (struct dr_nginx_entry){ .hostnames = hostnames };
    if (index >= map->child_count)
        return false;
    const struct dr_nginx_directive *line = map->children[index];
    const char *key = line->words[0].text;

    entry->hostnames |= line->word_count == 1 && dr_nginx_is(line, "hostnames");
    if (line->word_count != 2 || strcmp(key, "include") == 0)
        return false;
    entry->key = key;
    entry->value = line->words[1].text;
    if (strcmp(key, "default") == 0)
        entry->kind = DR_NGINX_DEFAULT;
    else if (key[0] == '~')
        entry->kind = DR_NGINX_PATTERN;
    else if (hostnames && (key[0] == '*' || key[0] == '.' || dr_text_ends_with(key, ".*")))
        entry->kind = DR_NGINX_HOSTNAME;
    else if (key[0] == '\\')
        entry->key++;
    return true;
}

/* Patterns that need no engine: literals, anchored or not, and those that mean anything or something. */
static int matches(const char *pattern, const char *value)
{
    bool any_case = pattern[1] == '*';
    const char *body = pattern + 1 + any_case;
    bool start = body[0] == '^';
    size_t length, value_length = strlen(value);

    body += start;
    length = strlen(body);

    bool end = length > 0 && body[length - 1] == '$';

    length -= end;
    if (length == 2 && memcmp(body, ".*", 2) == 0)
        return true;
    if ((length == 1 && body[0] == '.' && !(start && end)) || (length == 2 && memcmp(body, ".+", 2) == 0))
        return value_length > 0;
    for (size_t i = 0; i < length; i++)
        if (!is_name(body[i]) && !strchr("- /", body[i]))
            return -1;
    for (size_t i = 0; i + length <= value_length; i++) {
        int differs = any_case ? strncasecmp(value + i, body, length) : strncmp(value + i, body, length);

        if (differs == 0 && (!start || i == 0) && (!end || i + length == value_length))
            return true;
    }
    return false;
}

static const char *map_value(const struct dr_nginx_directive *map, const char *source)
{
    const char *pattern = NULL, *otherwise = "";
    struct dr_nginx_entry entry;
    bool hostnames = false;

    for (size_t i = 0; i < map->child_count; i++) {
        if (!dr_nginx_entry(map, i, &entry))
            continue;
        if (entry.kind == DR_NGINX_EXACT && strcasecmp(entry.key, source) == 0)
            return entry.value;
        if (entry.kind == DR_NGINX_DEFAULT)
            otherwise = entry.value;
        hostnames |= entry.kind == DR_NGINX_HOSTNAME;
        if (entry.kind != DR_NGINX_PATTERN || pattern)
            continue;
        switch (matches(entry.key, source)) {
        case 0:
            break;
        case 1:
            pattern = entry.value;
            break;
        default:
            hostnames = true; /* only exact keys are certain now */
        }
    }
    if (hostnames)
        return NULL;
    return pattern ? pattern : otherwise;
}

/* --- set ----------------------------------------------------------------------------------------------------------------- */

static bool sets(const struct dr_nginx_directive *step, const char *name, size_t length)
{
    const char *there = dr_nginx_word(step, 1);

    return dr_nginx_is(step, "set") && there[0] == '$' && strncmp(there + 1, name, length) == 0 && there[1 + length] == '\0';
}

/* The condition of an `if` for a WebSocket handshake: 1, 0, or -1. Its parentheses may stand alone or at the words. */
static int holds(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                 const struct dr_nginx_directive *branch, unsigned depth)
{
    const char *words[3] = { NULL };
    size_t count = 0;

    for (size_t i = 1; i < branch->word_count; i++) {
        const char *word = branch->words[i].text;
        size_t length;

        word += i == 1 && word[0] == '(';
        length = strlen(word);
        if (i + 1 == branch->word_count && length > 0 && word[length - 1] == ')')
            length--;
        if (length == 0 && (i == 1 || i + 1 == branch->word_count))
            continue;
        if (count == DR_COUNT(words))
            return -1;
        words[count] = dr_arena_strndup(model->arena, word, length);
        if (!words[count++])
            return -1;
    }
    const char *value = count > 0 && words[0][0] == '$' ? dr_nginx_evaluate(model, scope, words[0], depth + 1) : NULL;

    if (!value)
        return -1;
    if (count == 1)
        return value[0] != '\0' && strcmp(value, "0") != 0;
    if (count != 3)
        return -1;
    if (strcmp(words[1], "=") == 0 || strcmp(words[1], "!=") == 0) {
        const char *other = dr_nginx_evaluate(model, scope, words[2], depth + 1);

        return other ? (strcmp(value, other) == 0) == (words[1][0] == '=') : -1;
    }
    if (strcmp(words[1], "~") != 0 && strcmp(words[1], "~*") != 0)
        return -1;
    const char *pattern = dr_arena_format(model->arena, "%s%s", words[1], words[2]);

    return pattern ? matches(pattern, value) : -1;
}

/* The last of a level's steps that gives `name` a value. `inside`: the branch that the request is in. */
static enum dr_nginx_found find_in_steps(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                                         const struct dr_nginx_directive *inside, const char *name, size_t length,
                                         unsigned depth, const char **ret_value)
{
    const struct dr_nginx_list *steps = &scope->many[DR_NGINX_STEPS];

    for (size_t i = steps->count; i-- > 0;) {
        const struct dr_nginx_directive *step = steps->items[i];

        if (sets(step, name, length)) {
            *ret_value = dr_nginx_word(step, 2);
            return DR_NGINX_SET;
        }
        for (size_t j = step == inside ? 0 : step->child_count; j-- > 0;) {
            if (!sets(step->children[j], name, length))
                continue;
            *ret_value = dr_nginx_word(step->children[j], 2);

            int truth = depth < DR_NGINX_NESTING ? holds(model, scope, step, depth) : -1;

            if (truth != 0)
                return truth == 1 ? DR_NGINX_SET : DR_NGINX_SET_MAYBE;
            break;
        }
    }
    return DR_NGINX_NOT_SET;
}

enum dr_nginx_found dr_nginx_find_set(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                                      const char *name, size_t length, unsigned depth, const char **ret_value)
{
    const struct dr_nginx_directive *inside = NULL;
    bool in_location = false;

    for (; scope; scope = scope->outer) {
        bool location = dr_nginx_is(scope->block, "location");

        if (location && in_location)
            continue;
        if (!dr_nginx_spend(model, scope->many[DR_NGINX_STEPS].count))
            return DR_NGINX_SET_MAYBE;

        enum dr_nginx_found found = find_in_steps(model, scope, inside, name, length, depth, ret_value);

        if (found != DR_NGINX_NOT_SET)
            return found;
        in_location |= location;
        inside = scope->block;
    }
    return DR_NGINX_NOT_SET;
}

/* --- evaluation ---------------------------------------------------------------------------------------------------------- */

static const char *handshake_value(const char *name, size_t length)
{
    static const struct {
        const char *name, *value;
    } known[] = {
        { "http_upgrade", "websocket" }, { "http_connection", "Upgrade" },  { "http_sec_websocket_version", "13" },
        { "request_method", "GET" },     { "server_protocol", "HTTP/1.1" }, { "request_body", "" },
        { "http_content_type", "" },     { "http_transfer_encoding", "" },
    };

    for (size_t i = 0; i < DR_COUNT(known); i++)
        if (dr_nginx_is_named(name, length, known[i].name))
            return known[i].value;
    return NULL;
}

static const char *variable_value(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *name,
                                  size_t length, unsigned depth)
{
    const char *value = NULL;

    if (depth >= DR_NGINX_NESTING || !dr_nginx_spend(model, 0))
        return NULL;
    switch (dr_nginx_find_set(model, scope, name, length, depth, &value)) {
    case DR_NGINX_SET:
        return dr_nginx_evaluate(model, scope, value, depth + 1);
    case DR_NGINX_SET_MAYBE:
        return NULL;
    case DR_NGINX_NOT_SET:
        break;
    }
    const struct dr_nginx_directive *map = dr_nginx_find_map(model, name, length);

    if (!map)
        return handshake_value(name, length);
    if (!dr_nginx_spend(model, map->child_count))
        return NULL;
    value = dr_nginx_evaluate(model, scope, dr_nginx_word(map, 1), depth + 1);
    value = value ? map_value(map, value) : NULL;
    return value ? dr_nginx_evaluate(model, scope, value, depth + 1) : NULL;
}

const char *dr_nginx_evaluate(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *text,
                              unsigned depth)
{
    struct dr_nginx_piece piece;
    const char *value = "";

    while (value && dr_nginx_piece(&text, &piece)) {
        const char *part = piece.variable ? variable_value(model, scope, piece.text, piece.length, depth)
                                          : dr_arena_strndup(model->arena, piece.text, piece.length);

        if (!part || strlen(value) > DR_NGINX_LONGEST)
            return NULL;
        value = dr_arena_format(model->arena, "%s%s", value, part);
    }
    return value;
}

/* --- alternatives -------------------------------------------------------------------------------------------------------- */

struct texts {
    const char *list[MOST_ALTERNATIVES + 1];
    size_t count;
};

static void add_text(struct texts *texts, const char *text)
{
    for (size_t i = 0; i < texts->count; i++)
        if (!text || strcmp(texts->list[i], text) == 0)
            return;
    if (text && texts->count < MOST_ALTERNATIVES)
        texts->list[texts->count++] = text;
}

static void expand(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *text, unsigned depth,
                   struct texts *ret_texts);

/* What one variable can be: what was set, each value of a map, or itself. */
static void expand_variable(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                            const struct dr_nginx_piece *piece, unsigned depth, struct texts *ret_texts)
{
    const struct dr_nginx_directive *map = dr_nginx_find_map(model, piece->text, piece->length);
    enum dr_nginx_found found = DR_NGINX_SET_MAYBE;
    struct dr_nginx_entry entry;
    const char *value = NULL;

    if (depth < DR_NGINX_NESTING && dr_nginx_spend(model, map ? map->child_count : 0))
        found = dr_nginx_find_set(model, scope, piece->text, piece->length, depth, &value);
    if (found == DR_NGINX_SET)
        expand(model, scope, value, depth + 1, ret_texts);
    else if (found == DR_NGINX_NOT_SET && map)
        for (size_t i = 0; i < map->child_count && ret_texts->count < MOST_ALTERNATIVES; i++)
            if (dr_nginx_entry(map, i, &entry))
                expand(model, scope, entry.value, depth + 1, ret_texts);
    if (ret_texts->count == 0 || found == DR_NGINX_SET_MAYBE)
        add_text(ret_texts, dr_arena_format(model->arena, "${%.*s}", (int)piece->length, piece->text));
}

static void expand(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope, const char *text, unsigned depth,
                   struct texts *ret_texts)
{
    struct texts heads = { .list = { "" }, .count = 1 };
    struct dr_nginx_piece piece;

    while (dr_nginx_piece(&text, &piece)) {
        struct texts tails = { .count = 0 }, longer = { .count = 0 };

        if (piece.variable)
            expand_variable(model, scope, &piece, depth, &tails);
        else
            add_text(&tails, dr_arena_strndup(model->arena, piece.text, piece.length));
        for (size_t i = 0; i < heads.count; i++)
            for (size_t j = 0; j < tails.count; j++)
                add_text(&longer, dr_arena_format(model->arena, "%s%s", heads.list[i], tails.list[j]));
        heads = longer;
    }
    for (size_t i = 0; i < heads.count; i++)
        add_text(ret_texts, heads.list[i]);
}

const char *const *dr_nginx_alternatives(const struct dr_nginx_model *model, const struct dr_nginx_scope *scope,
                                         const char *text)
{
    struct texts texts = { .count = 0 };
    const char **list = dr_arena_alloc(model->arena, sizeof(texts.list));

    if (!list)
        return NULL;
    expand(model, scope, text, 0, &texts);
    memcpy(list, texts.list, sizeof(texts.list));
    return list;
}
