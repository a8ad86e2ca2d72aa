#include "format/nginx_scope.h"

#include "base/text.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

static const char *const singles[DR_NGINX_SINGLES] = {
    [DR_NGINX_PROXY_PASS] = "proxy_pass",
    [DR_NGINX_HTTP_VERSION] = "proxy_http_version",
    [DR_NGINX_PASS_HEADERS] = "proxy_pass_request_headers",
    [DR_NGINX_READ_TIMEOUT] = "proxy_read_timeout",
    [DR_NGINX_SEND_TIMEOUT] = "proxy_send_timeout",
    [DR_NGINX_BUFFERING] = "proxy_buffering",
    [DR_NGINX_REAL_IP_HEADER] = "real_ip_header",
    [DR_NGINX_SSL] = "ssl",
    [DR_NGINX_STREAM_TIMEOUT] = "proxy_timeout",
    [DR_NGINX_STREAM_PROTOCOL] = "proxy_protocol",
    [DR_NGINX_STREAM_SSL] = "proxy_ssl",
};

static const struct {
    const char *name;
    enum dr_nginx_many which;
} many[] = {
    { "proxy_set_header", DR_NGINX_HEADERS },
    { "set_real_ip_from", DR_NGINX_REAL_IPS },
    { "listen", DR_NGINX_LISTENS },
    { "server_name", DR_NGINX_NAMES },
    { "set", DR_NGINX_STEPS },
    { "rewrite", DR_NGINX_STEPS },
    { "if", DR_NGINX_STEPS },
    { "more_set_input_headers", DR_NGINX_MEDDLERS },
    { "more_clear_input_headers", DR_NGINX_MEDDLERS },
    { "rewrite_by_lua_block", DR_NGINX_MEDDLERS },
    { "access_by_lua_block", DR_NGINX_MEDDLERS },
    { "rewrite_by_lua", DR_NGINX_MEDDLERS },
    { "access_by_lua", DR_NGINX_MEDDLERS },
    { "rewrite_by_lua_file", DR_NGINX_MEDDLERS },
    { "access_by_lua_file", DR_NGINX_MEDDLERS },
};

bool dr_nginx_list_add(struct dr_nginx_model *model, struct dr_nginx_list *list, const struct dr_nginx_directive *directive)
{
    const struct dr_nginx_directive **grown =
        dr_arena_grow(model->arena, list->items, list->count, sizeof(*grown), &list->room);

    if (!grown) {
        model->no_memory = true;
        return false;
    }
    list->items = grown;
    grown[list->count++] = directive;
    return true;
}

/* Lua that does not touch the request's headers is no meddler. */
static bool meddles(const struct dr_nginx_directive *directive)
{
    static const char *const words[] = { "req.set_header", "req.clear_header", "ngx.var" };

    if (directive->close == 0 || !dr_text_ends_with(directive->words[0].text, "_by_lua_block"))
        return true;
    for (size_t i = 0; i < DR_COUNT(words); i++)
        if (memmem(directive->file->bytes + directive->open, directive->close - directive->open, words[i], strlen(words[i])))
            return true;
    return false;
}

static void sort_in(struct dr_nginx_model *model, struct dr_nginx_scope *scope, const struct dr_nginx_directive *child)
{
    for (int i = 0; i < DR_NGINX_SINGLES; i++) {
        if (!dr_nginx_is(child, singles[i]))
            continue;
        /* nginx refuses a second one. */
        if (!scope->singles[i] && child->word_count > 1)
            scope->singles[i] = child;
        return;
    }
    for (size_t i = 0; i < DR_COUNT(many); i++) {
        if (!dr_nginx_is(child, many[i].name))
            continue;
        if (child->word_count > 1 || many[i].which == DR_NGINX_MEDDLERS)
            if (many[i].which != DR_NGINX_MEDDLERS || meddles(child))
                (void)dr_nginx_list_add(model, &scope->many[many[i].which], child);
        return;
    }
}

struct dr_nginx_scope *dr_nginx_scope(struct dr_nginx_model *model, const struct dr_nginx_scope *outer,
                                      const struct dr_nginx_directive *block)
{
    struct dr_nginx_scope *scope = dr_arena_alloc(model->arena, sizeof(*scope));

    if (!scope) {
        model->no_memory = true;
        return NULL;
    }
    *scope = (struct dr_nginx_scope){ .outer = outer, .block = block };
    for (size_t i = 0; i < block->child_count; i++)
        sort_in(model, scope, block->children[i]);
    return scope;
}

const struct dr_nginx_directive *dr_nginx_single(const struct dr_nginx_scope *scope, enum dr_nginx_single which)
{
    for (; scope; scope = scope->outer)
        if (scope->singles[which])
            return scope->singles[which];
    return NULL;
}

const struct dr_nginx_list *dr_nginx_many(const struct dr_nginx_scope *scope, enum dr_nginx_many which,
                                          const struct dr_nginx_scope **ret_owner)
{
    static const struct dr_nginx_list none = { 0 };

    for (; scope; scope = scope->outer) {
        if (scope->many[which].count == 0)
            continue;
        if (ret_owner)
            *ret_owner = scope;
        return &scope->many[which];
    }
    if (ret_owner)
        *ret_owner = NULL;
    return &none;
}

const struct dr_nginx_scope *dr_nginx_around(const struct dr_nginx_scope *scope, const char *name)
{
    while (scope && !dr_nginx_is(scope->block, name))
        scope = scope->outer;
    return scope;
}

/* --- maps and upstreams ----------------------------------------------------------------------------------------------- */

static const char *map_name(const struct dr_nginx_directive *map)
{
    const char *name = dr_nginx_word(map, 2);

    return name + (name[0] == '$');
}

static int compare_maps(const void *left, const void *right)
{
    return strcmp(map_name(*(const struct dr_nginx_directive *const *)left),
                  map_name(*(const struct dr_nginx_directive *const *)right));
}

static int compare_upstreams(const void *left, const void *right)
{
    return strcasecmp(dr_nginx_word(*(const struct dr_nginx_directive *const *)left, 1),
                      dr_nginx_word(*(const struct dr_nginx_directive *const *)right, 1));
}

void dr_nginx_gather_names(struct dr_nginx_model *model, const struct dr_nginx_directive *block)
{
    struct dr_nginx_names *names = &model->names;

    *names = (struct dr_nginx_names){ 0 };
    for (size_t i = 0; i < block->child_count; i++) {
        const struct dr_nginx_directive *child = block->children[i];

        if (child->is_block && child->word_count == 3 && dr_nginx_is(child, "map"))
            (void)dr_nginx_list_add(model, &names->maps, child);
        else if (child->is_block && child->word_count == 2 && dr_nginx_is(child, "upstream"))
            (void)dr_nginx_list_add(model, &names->upstreams, child);
    }
    if (names->maps.count)
        qsort(names->maps.items, names->maps.count, sizeof(*names->maps.items), compare_maps);
    if (names->upstreams.count)
        qsort(names->upstreams.items, names->upstreams.count, sizeof(*names->upstreams.items), compare_upstreams);
}

const struct dr_nginx_directive *dr_nginx_find_map(const struct dr_nginx_model *model, const char *name, size_t length)
{
    size_t low = 0, high = model->names.maps.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *there = map_name(model->names.maps.items[middle]);
        int order = strncmp(there, name, length);

        if (order == 0)
            order = there[length] != '\0';
        if (order == 0)
            return model->names.maps.items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct dr_nginx_directive *dr_nginx_find_upstream(const struct dr_nginx_model *model, const char *name)
{
    size_t low = 0, high = model->names.upstreams.count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcasecmp(dr_nginx_word(model->names.upstreams.items[middle], 1), name);

        if (order == 0)
            return model->names.upstreams.items[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* --- values ------------------------------------------------------------------------------------------------------------ */

int64_t dr_nginx_time(const char *text)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {
        { "ms", 1 },      { "y", 31536000000 }, { "M", 2592000000 }, { "w", 604800000 }, { "d", 86400000 },
        { "h", 3600000 }, { "m", 60000 },       { "s", 1000 },       { " ", 1000 },
    };
    int64_t total = 0;

    if (*text == '\0')
        return -1;
    while (*text) {
        int64_t number = 0;
        size_t i = 0;

        if (!isdigit((unsigned char)*text))
            return -1;
        for (; isdigit((unsigned char)*text); text++) {
            number = number * 10 + (*text - '0');
            if (number > INT32_MAX)
                return -1;
        }
        if (*text == '\0')
            return total + number * 1000;
        while (i < DR_COUNT(units) && !dr_text_starts_with(text, units[i].unit))
            i++;
        if (i == DR_COUNT(units))
            return -1;
        total += number * units[i].ms;
        text += strlen(units[i].unit);
        while (*text == ' ')
            text++;
    }
    return total;
}

bool dr_nginx_flag(const struct dr_nginx_directive *directive, bool otherwise)
{
    return directive ? strcasecmp(dr_nginx_word(directive, 1), "on") == 0 : otherwise;
}
