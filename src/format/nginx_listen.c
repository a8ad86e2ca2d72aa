#include "format/nginx_routes.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

static bool is_number(const char *text)
{
    return *text != '\0' && text[strspn(text, "0123456789-")] == '\0' && *text != '-';
}

/* "443" -> "0.0.0.0:443", "*:80" likewise, "[::]" -> "[::]:80", "127.0.0.1" -> "127.0.0.1:80" (ngx_parse_url). */
static const char *address_of(struct dr_nginx_model *model, const char *text)
{
    const char *close = text[0] == '[' ? strchr(text, ']') : NULL;

    if (dr_text_starts_with(text, "unix:"))
        return text;
    if (is_number(text))
        return dr_arena_format(model->arena, "0.0.0.0:%s", text);
    if (text[0] == '*')
        return dr_arena_format(model->arena, "0.0.0.0:%s", text[1] == ':' ? text + 2 : "80");
    if (strchr(close ? close : text, ':'))
        return text;
    return dr_arena_format(model->arena, "%s:80", text);
}

static bool has_word(const struct dr_nginx_directive *directive, const char *name)
{
    for (size_t i = 2; i < directive->word_count; i++)
        if (strcmp(directive->words[i].text, name) == 0)
            return true;
    return false;
}

static bool fill_listens(struct dr_nginx_model *model, const struct dr_nginx_scope *server, bool stream,
                         struct dr_nginx_entrance *entrance)
{
    const struct dr_nginx_list *list = &server->many[DR_NGINX_LISTENS];
    const char **listens = dr_arena_alloc(model->arena, (list->count + 2) * sizeof(const char *));
    struct dr_listen_traits *traits = dr_arena_alloc(model->arena, (list->count + 2) * sizeof(*traits));
    /* "ssl on;" went with 1.25.1; until then it covers every listen. */
    bool all = dr_nginx_flag(dr_nginx_single(server, DR_NGINX_SSL), false);
    bool *marked = dr_arena_alloc(model->arena, (list->count + 2) * sizeof(*marked));

    if (!listens || !traits || !marked)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        bool tls = all || has_word(list->items[i], "ssl") || has_word(list->items[i], "quic");

        listens[i] = address_of(model, dr_nginx_word(list->items[i], 1));
        if (!listens[i])
            return false;
        traits[i] = (struct dr_listen_traits){ .tls = tls, .proxy_protocol = has_word(list->items[i], "proxy_protocol") };
        marked[i] = has_word(list->items[i], "default_server") || has_word(list->items[i], "default");
        entrance->tls |= tls;
        entrance->plain |= !tls;
    }
    if (list->count == 0 && !stream) {
        listens[0] = "0.0.0.0:80";
        traits[0].tls = all;
        entrance->tls = all;
        entrance->plain = !all;
    }
    entrance->listens = listens;
    entrance->traits = traits;
    entrance->marked = marked;
    return true;
}

/* "" and "_" are no names: such a server is there for what no other one takes. */
static bool fill_names(struct dr_nginx_model *model, const struct dr_nginx_scope *server, struct dr_nginx_entrance *entrance)
{
    const struct dr_nginx_list *list = &server->many[DR_NGINX_NAMES];
    size_t most = 1, count = 0;
    const char **names;

    for (size_t i = 0; i < list->count; i++)
        most += list->items[i]->word_count;
    names = dr_arena_alloc(model->arena, most * sizeof(const char *));
    if (!names)
        return false;
    for (size_t i = 0; i < list->count; i++) {
        for (size_t j = 1; j < list->items[i]->word_count; j++) {
            const char *name = list->items[i]->words[j].text;

            if (*name && strcmp(name, "_") != 0)
                names[count++] = name;
        }
    }
    entrance->names = names;
    return true;
}

bool dr_nginx_fill_entrance(struct dr_nginx_model *model, const struct dr_nginx_scope *server, bool stream,
                            struct dr_nginx_entrance *ret_entrance)
{
    *ret_entrance = (struct dr_nginx_entrance){ .tls = false };
    if (fill_listens(model, server, stream, ret_entrance) && fill_names(model, server, ret_entrance))
        return true;
    model->no_memory = true;
    return false;
}

/* --- the default server ------------------------------------------------------------------------------------------------ */

/* One address that a server listens at. */
struct seat {
    const char *address;
    bool marked; /* default_server */
    size_t order; /* in the configuration */
    struct dr_nginx_entrance *entrance;
};

static int compare_seats(const void *left, const void *right)
{
    const struct seat *one = left, *other = right;
    int order = strcmp(one->address, other->address);

    if (order == 0)
        order = (int)other->marked - (int)one->marked;
    return order != 0 ? order : one->order < other->order ? -1 : 1;
}

bool dr_nginx_mark_defaults(struct dr_nginx_model *model, struct dr_nginx_entrance *entrances, size_t count)
{
    size_t most = 0, seated = 0;

    for (size_t i = 0; i < count; i++)
        for (const char *const *listen = entrances[i].listens; *listen; listen++)
            most++;
    struct seat *seats = dr_arena_alloc(model->arena, (most + 1) * sizeof(*seats));

    if (!seats)
        return false;
    for (size_t i = 0; i < count; i++)
        for (const char *const *listen = entrances[i].listens; *listen; listen++, seated++)
            seats[seated] =
                (struct seat){ *listen, entrances[i].marked[listen - entrances[i].listens], seated, &entrances[i] };
    qsort(seats, seated, sizeof(*seats), compare_seats);
    for (size_t i = 0; i < seated; i++)
        if (i == 0 || strcmp(seats[i - 1].address, seats[i].address) != 0)
            seats[i].entrance->any_name = true;
    return true;
}
