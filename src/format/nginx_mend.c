#include "format/nginx_mend.h"

#include "format/nginx_edit.h"
#include "format/nginx_headers.h"
#include "format/nginx_routes.h"

#include <string.h>
#include <strings.h>

enum { MOST_WANTED = 8, LONG_ENOUGH_MS = 3600000 };

struct wanted {
    const char *name, *value;
};

struct mending {
    const struct dr_route *route;
    const struct dr_nginx_place *place;
    const struct dr_nginx_model *model;
    const struct dr_nginx_scope *level; /* the location, or the server of a stream */
    struct dr_arena *arena;
    struct dr_nginx_editor editor; /* of the level's block */
    struct dr_nginx_editor elsewhere; /* of the block in which the address stands, if that is another */
    struct wanted headers[MOST_WANTED];
    size_t header_count;
    const char *why_not;
};

static void want_header(struct mending *mending, const char *name, const char *value)
{
    if (mending->header_count < MOST_WANTED)
        mending->headers[mending->header_count++] = (struct wanted){ name, value };
}

static void want_single(struct mending *mending, enum dr_nginx_single which, const char *name, const char *value)
{
    const struct dr_nginx_directive *own = mending->level->singles[which];

    if (own)
        dr_nginx_change_word(&mending->editor, own, 1, value);
    else
        dr_nginx_add(&mending->editor, dr_arena_format(mending->arena, "%s %s;", name, value));
}

/* --- headers ----------------------------------------------------------------------------------------------------------- */

/* The wanted header of that name, -1: none. */
static int wanted_index(const struct mending *mending, const char *name)
{
    for (size_t i = 0; i < mending->header_count; i++)
        if (strcasecmp(mending->headers[i].name, name) == 0)
            return (int)i;
    return -1;
}

/* Does a value stand there already? Lua may be what makes it doubtful. `wanted` may have quotes. */
static bool is_spelt(const char *text, const char *wanted)
{
    size_t length = strlen(text), quote = wanted[0] == '"';

    return strlen(wanted) == length + 2 * quote && memcmp(wanted + quote, text, length) == 0;
}

/* The level has headers of its own: those that are wrong are changed, a second of the same name goes. */
static void change_own(struct mending *mending, const struct dr_nginx_list *list, bool *done)
{
    for (size_t i = 0; i < list->count; i++) {
        int wanted = wanted_index(mending, dr_nginx_word(list->items[i], 1));

        if (wanted < 0 || list->items[i]->word_count != 3)
            continue;
        if (done[wanted])
            dr_nginx_take_out(&mending->editor, list->items[i]);
        else if (!is_spelt(dr_nginx_word(list->items[i], 2), mending->headers[wanted].value))
            dr_nginx_change_word(&mending->editor, list->items[i], 2, mending->headers[wanted].value);
        done[wanted] = true;
    }
}

/* The level lives from those further out, which its first own one would drop: they are repeated. */
static void repeat_outer(struct mending *mending, const struct dr_nginx_list *list, bool *done)
{
    for (size_t i = 0; i < list->count; i++) {
        int wanted = wanted_index(mending, dr_nginx_word(list->items[i], 1));
        const char *value = wanted < 0 ? NULL : mending->headers[wanted].value;

        if (wanted < 0 || !done[wanted])
            dr_nginx_add(&mending->editor, dr_nginx_spelling(mending->arena, list->items[i], value));
        if (wanted >= 0)
            done[wanted] = true;
    }
}

static bool same_list(const struct dr_nginx_list *a, const struct dr_nginx_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (a->items[i]->file != b->items[i]->file || a->items[i]->offset != b->items[i]->offset)
            return false;
    return true;
}

/* The same text may stand in several servers, through include. What is repeated in it must be right for all of them. */
static bool inherits_alike(const struct mending *mending, const struct dr_nginx_list *list)
{
    const struct dr_proxy_config *config = mending->route->config;
    const struct dr_nginx_directive *block = mending->level->block;

    for (size_t i = 0; i < config->route_count; i++) {
        const struct dr_nginx_place *place = config->routes[i].place;
        const struct dr_nginx_scope *there = dr_nginx_around(place->scope, "location");

        if (there && there->block != block && there->block->file == block->file && there->block->offset == block->offset &&
            !same_list(list, dr_nginx_many(there, DR_NGINX_HEADERS, NULL)))
            return false;
    }
    return true;
}

static void set_headers(struct mending *mending)
{
    const struct dr_nginx_scope *owner;
    const struct dr_nginx_list *list = dr_nginx_many(mending->level, DR_NGINX_HEADERS, &owner);
    bool done[MOST_WANTED] = { false };

    if (mending->header_count == 0)
        return;
    if (owner == mending->level) {
        change_own(mending, list, done);
    } else {
        if (!inherits_alike(mending, list))
            mending->why_not = "the location is included by several servers that give it different proxy_set_header lines";
        repeat_outer(mending, list, done);
    }
    for (size_t i = 0; i < mending->header_count; i++)
        if (!done[i])
            dr_nginx_add(&mending->editor, dr_arena_format(mending->arena, "proxy_set_header %s %s;",
                                                           mending->headers[i].name, mending->headers[i].value));
}

/* --- what each mend wants ------------------------------------------------------------------------------------------------ */

/* A map such as $connection_upgrade, if there is one that gives "upgrade" for a handshake: it keeps other requests as they are. */
static const char *connection_value(const struct mending *mending)
{
    const struct dr_nginx_list *maps = &mending->model->names.maps;

    for (size_t i = 0; i < maps->count; i++) {
        const char *name = dr_nginx_word(maps->items[i], 2);
        size_t length = 0;
        const char *source = dr_nginx_sole_variable(dr_nginx_word(maps->items[i], 1), &length);
        const char *value;

        if (!source || !dr_nginx_is_named(source, length, "http_upgrade"))
            continue;
        value = dr_nginx_evaluate(mending->model, mending->level, name, 0);
        if (value && dr_nginx_names_upgrade(value))
            return name;
    }
    return "\"upgrade\"";
}

static void want_upgrade(struct mending *mending)
{
    const struct dr_nginx_scope *scope = mending->level;

    if (mending->place->stream || mending->route->upgrade == DR_UPGRADE_PASSED)
        return;
    if (mending->route->http_version != 11)
        want_single(mending, DR_NGINX_HTTP_VERSION, "proxy_http_version", "1.1");
    if (!dr_nginx_flag(dr_nginx_single(scope, DR_NGINX_PASS_HEADERS), true))
        want_single(mending, DR_NGINX_PASS_HEADERS, "proxy_pass_request_headers", "on");
    if (dr_nginx_sends_upgrade(mending->model, mending->place->scope) != DR_NGINX_YES)
        want_header(mending, "Upgrade", "$http_upgrade");
    if (dr_nginx_sends_connection(mending->model, mending->place->scope) != DR_NGINX_YES)
        want_header(mending, "Connection", connection_value(mending));
}

static bool is_address(const struct mending *mending, const struct dr_nginx_directive *header)
{
    return dr_nginx_is_client_address(mending->model, mending->place->scope, dr_nginx_word(header, 2));
}

static void want_forward(struct mending *mending)
{
    const struct dr_nginx_scope *scope = mending->place->scope;
    const struct dr_route *route = mending->route;
    const struct dr_nginx_directive *header;
    const char *address = "$remote_addr";
    size_t count;

    if (mending->place->stream) {
        mending->why_not = "a stream block passes bytes and can add no header; the site must be served from http";
        return;
    }
    /* Where every client may say what $remote_addr is, this is what it was before. */
    if (!dr_nginx_is_client_address(mending->model, scope, address))
        address = "$realip_remote_addr";
    if (route->headers[DR_ROUTE_HOST].fate != DR_HEADER_CLIENTS)
        want_header(mending, "Host", "$host");
    header = dr_nginx_header(scope, "X-Real-IP", &count);
    if (header && (count > 1 || !is_address(mending, header)))
        want_header(mending, "X-Real-IP", address);
    header = dr_nginx_header(scope, "X-Forwarded-For", &count);
    if (count != 1 || !is_address(mending, header))
        want_header(mending, "X-Forwarded-For", address);
    (void)dr_nginx_header(scope, "X-Forwarded-Proto", &count);
    if (count > 1 || route->headers[DR_ROUTE_FORWARDED_PROTO].fate != DR_HEADER_SET)
        want_header(mending, "X-Forwarded-Proto", "$scheme");
}

static bool is_short(const struct mending *mending, enum dr_nginx_single which, int64_t otherwise)
{
    const struct dr_nginx_directive *timeout = dr_nginx_single(mending->level, which);

    return (timeout ? dr_nginx_time(dr_nginx_word(timeout, 1)) : otherwise) < LONG_ENOUGH_MS;
}

static void want_timeout(struct mending *mending)
{
    static const struct {
        enum dr_nginx_single which;
        const char *name;
        bool stream;
        int64_t otherwise;
    } timeouts[] = {
        { DR_NGINX_READ_TIMEOUT, "proxy_read_timeout", false, 60000 },
        { DR_NGINX_SEND_TIMEOUT, "proxy_send_timeout", false, 60000 },
        { DR_NGINX_STREAM_TIMEOUT, "proxy_timeout", true, 600000 },
    };

    for (size_t i = 0; i < DR_COUNT(timeouts); i++)
        if (timeouts[i].stream == mending->place->stream && is_short(mending, timeouts[i].which, timeouts[i].otherwise))
            want_single(mending, timeouts[i].which, timeouts[i].name, "3600s");
}

static void want_no_buffering(struct mending *mending)
{
    if (!mending->place->stream && mending->route->buffers)
        want_single(mending, DR_NGINX_BUFFERING, "proxy_buffering", "off");
}

/* "localhost" may be ::1, where the gateway does not listen or trusts other addresses. */
static const char *loopback_spelling(const char *host)
{
    static const char *const names[] = { "localhost", "ip6-localhost", "ip6-loopback" };

    if (!host)
        return NULL;
    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strcasecmp(host, names[i]) == 0)
            return host;
    return strcmp(host, "::1") == 0 ? "[::1]" : NULL;
}

static void want_upstream(struct mending *mending)
{
    const struct dr_nginx_place *place = mending->place;
    const struct dr_nginx_directive *directive = place->server ? place->server : place->pass;
    const char *host = loopback_spelling(mending->route->upstream_host);
    const struct dr_nginx_word *word = &directive->words[1];
    const char *bytes = directive->file->bytes + word->offset;
    const char *scheme, *found, *end;

    if (!host)
        return;
    end = bytes + word->bytes;
    scheme = memmem(bytes, word->bytes, "://", 3);
    bytes = scheme ? scheme + 3 : bytes;
    found = memmem(bytes, (size_t)(end - bytes), host, strlen(host));
    if (!found) {
        mending->why_not = "the address comes from a variable; write 127.0.0.1 where that is set";
        return;
    }
    struct dr_nginx_editor *editor = &mending->editor;

    if (directive->parent != editor->block) {
        editor = &mending->elsewhere;
        *editor = (struct dr_nginx_editor){ .arena = mending->arena, .block = directive->parent };
    }
    dr_nginx_change(editor, directive, (size_t)(found - directive->file->bytes), strlen(host), "127.0.0.1");
}

int dr_nginx_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                  const char **ret_why_not)
{
    static const struct {
        unsigned mend;
        void (*want)(struct mending *mending);
    } wants[] = {
        { DR_MEND_UPGRADE, want_upgrade },        { DR_MEND_FORWARD, want_forward },   { DR_MEND_TIMEOUT, want_timeout },
        { DR_MEND_BUFFERING, want_no_buffering }, { DR_MEND_UPSTREAM, want_upstream },
    };
    const struct dr_nginx_place *place = route->place;
    const struct dr_nginx_scope *location = dr_nginx_around(place->scope, "location");
    struct mending mending = {
        .route = route,
        .place = place,
        .model = place->model,
        .level = location ? location : place->scope,
        .arena = arena,
    };
    int r;

    *ret_edits = (struct dr_route_edits){ 0 };
    *ret_why_not = NULL;
    *place->model->work = 0;
    mending.editor = (struct dr_nginx_editor){ .arena = arena, .block = mending.level->block };
    dr_nginx_anchor(&mending.editor, place->pass);
    if (mending.level->block->close == 0)
        mending.why_not = "the block has no closing '}'";
    for (size_t i = 0; i < DR_COUNT(wants) && !mending.why_not; i++)
        if (mends & wants[i].mend)
            wants[i].want(&mending);
    set_headers(&mending);
    if (mending.why_not) {
        *ret_why_not = mending.why_not;
        return -ENOTSUP;
    }
    r = dr_nginx_write(&mending.editor, ret_edits);
    if (r >= 0)
        r = dr_nginx_write(&mending.elsewhere, ret_edits);
    if (r >= 0)
        dr_route_edits_finish(ret_edits);
    return r;
}
