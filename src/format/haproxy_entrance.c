/* Where clients come in. */
#include "format/haproxy_route.h"

struct rooms {
    size_t listens, traits;
};

static int add_listens(struct dr_arena *arena, struct haproxy_entrance *entrance, const struct haproxy_bind *bind,
                       struct rooms *rooms)
{
    for (size_t i = 0; i < bind->count; i++) {
        const char **grown = dr_arena_grow(arena, entrance->listens, entrance->listens ? entrance->count + 1 : 0,
                                           sizeof(const char *), &rooms->listens);
        struct dr_listen_traits *traits =
            dr_arena_grow(arena, entrance->traits, entrance->count, sizeof(*traits), &rooms->traits);

        if (!grown || !traits)
            return -ENOMEM;
        entrance->listens = grown;
        entrance->traits = traits;
        traits[entrance->count] = (struct dr_listen_traits){ .tls = bind->tls, .proxy_protocol = bind->accepts_proxy };
        grown[entrance->count++] = bind->listens[i];
        grown[entrance->count] = NULL;
    }
    return 0;
}

int dr_haproxy_entrance(const struct haproxy_tree *tree, const struct haproxy_proxy *frontend, bool tls,
                        struct haproxy_entrance *ret_entrance)
{
    struct rooms rooms = { 0 };
    int r = 0;

    *ret_entrance = (struct haproxy_entrance){ .tls = tls };
    for (size_t i = 0; r == 0 && i < frontend->binds.count; i++) {
        struct haproxy_bind bind;

        r = dr_haproxy_bind(tree, frontend->binds.list[i], &bind);
        if (r == -EINVAL)
            r = 0; /* a fault already */
        else if (r == 0 && bind.tls == tls) {
            ret_entrance->port = ret_entrance->count == 0 ? bind.port : 0;
            r = add_listens(tree->gathering->loader->arena, ret_entrance, &bind, &rooms);
        }
    }
    return r;
}
