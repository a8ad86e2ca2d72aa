/* HAProxy: the reader. The editor is haproxy_mend.c. */
#include "format/haproxy_route.h"

static int read_haproxy(const struct dr_proxy_loader *loader, const char *path, const char *prefix,
                        struct dr_proxy_config *ret_config)
{
    struct dr_proxy_gathering gathering = { .loader = loader };
    struct haproxy_tree *tree = dr_arena_alloc(loader->arena, sizeof(*tree));
    struct haproxy_proxies *proxies = dr_arena_alloc(loader->arena, sizeof(*proxies));
    int r = tree && proxies ? 0 : -ENOMEM;

    (void)prefix; /* HAProxy's "default-path" counts for certificates and the like only */
    *ret_config = (struct dr_proxy_config){ .kind = DR_PROXY_HAPROXY, .path = path, .also = loader->also };
    if (r == 0) {
        tree->gathering = &gathering;
        r = dr_haproxy_read_tree(tree, path);
    }
    if (r == 0)
        r = dr_haproxy_read_proxies(tree, proxies);
    if (r == 0)
        r = dr_haproxy_read_routes(proxies);
    if (r == 0)
        r = dr_proxy_gathered(&gathering, ret_config);
    ret_config->tree = proxies;
    if (tree)
        tree->gathering = NULL; /* it was on the stack */
    return r;
}

const struct dr_proxy_format dr_haproxy_format = {
    .kind = DR_PROXY_HAPROXY,
    .read = read_haproxy,
    .mend = dr_haproxy_mend,
};
