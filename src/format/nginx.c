#include "format/nginx_mend.h"
#include "format/nginx_routes.h"

/*
 * `prefix` (nginx -p) moves only a relative path of the main file itself: nginx takes includes from the folder that the main file was
 * found in (ngx_process_options, conf_prefix).
 */
static int read_config(const struct dr_proxy_loader *loader, const char *path, const char *prefix,
                       struct dr_proxy_config *ret_config)
{
    struct dr_proxy_gathering gathering = { .loader = loader };
    struct dr_nginx_model *model = dr_arena_alloc(loader->arena, sizeof(*model));
    size_t *work = dr_arena_alloc(loader->arena, sizeof(*work));
    const struct dr_nginx_directive *root;

    if (!model || !work)
        return -ENOMEM;
    if (prefix && path[0] != '/')
        path = dr_arena_format(loader->arena, "%s/%s", prefix, path);
    *model = (struct dr_nginx_model){ .gathering = &gathering, .arena = loader->arena, .work = work };
    root = path ? dr_nginx_read_tree(&gathering, path) : NULL;
    if (!root)
        return -ENOMEM;
    dr_nginx_routes(model, root);
    if (model->no_memory)
        return -ENOMEM;
    model->gathering = NULL;
    ret_config->kind = DR_PROXY_NGINX;
    ret_config->path = path;
    ret_config->tree = root;
    return dr_proxy_gathered(&gathering, ret_config);
}

const struct dr_proxy_format dr_nginx_format = {
    .kind = DR_PROXY_NGINX,
    .read = read_config,
    .mend = dr_nginx_mend,
};
