/*
 * nginx: from blocks to routes. Internal to the nginx files; see format/nginx_scope.h for the rules of inheritance.
 */
#ifndef DR_FORMAT_NGINX_ROUTES_H
#define DR_FORMAT_NGINX_ROUTES_H

#include "format/nginx_scope.h"

/* What is behind dr_route.place. */
struct dr_nginx_place {
    const struct dr_nginx_model *model;
    const struct dr_nginx_scope *scope; /* where proxy_pass stands */
    const struct dr_nginx_directive *pass;
    const struct dr_nginx_directive *server; /* the upstream's server directive; NULL: the address stands in `pass` */
    const char *address; /* text of the address: the word of `server`, or what proxy_pass became */
    bool stream;
};

/* The way in to a server{}. */
struct dr_nginx_entrance {
    const char *const *listens;
    const struct dr_listen_traits *traits;
    const char *const *names;
    const bool *marked; /* default_server, for each of `listens` */
    bool any_name; /* see dr_nginx_mark_defaults */
    bool tls;
    bool plain; /* also without TLS */
};

/* false: no memory. `stream`: no port is the default there, and there are no names. */
bool dr_nginx_fill_entrance(struct dr_nginx_model *model, const struct dr_nginx_scope *server, bool stream,
                            struct dr_nginx_entrance *ret_entrance);

/*
 * Which servers take what no name fits: for each address and port the one marked default_server, else the first (ngx_http_add_server).
 * false: no memory.
 */
bool dr_nginx_mark_defaults(struct dr_nginx_model *model, struct dr_nginx_entrance *entrances, size_t count);

/* All routes of the configuration into the model's gathering. */
void dr_nginx_routes(struct dr_nginx_model *model, const struct dr_nginx_directive *root);

/* What a server block of stream becomes, see nginx_stream.c. */
void dr_nginx_stream_server(struct dr_nginx_model *model, const struct dr_nginx_scope *server);

/* A route for each address that `pass` leads to from `scope`, filled but for what `fill` adds. */
void dr_nginx_add_targets(struct dr_nginx_model *model, const struct dr_nginx_place *place,
                          const struct dr_nginx_entrance *entrance, const struct dr_route *sample);

#endif
