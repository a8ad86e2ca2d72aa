/*
 * Traefik: what the files of its reader share.
 *
 *   traefik.c          which files there are: static configuration, what its file provider reads, or a compose file
 *   traefik_node.c     one tree for YAML, TOML, labels and flags, with the place of every value
 *   traefik_yaml.c     YAML, read with libyaml
 *   traefik_toml.c     the part of TOML that Traefik's configuration uses
 *   traefik_compose.c  labels and flags of a compose file (read by compose*.c, which use this tree and the reader of YAML, too)
 *   traefik_rule.c     Host(`a`) && PathPrefix(`/b`)
 *   traefik_way.c      entry points and middlewares: what becomes of headers and of the path
 *   traefik_route.c    routers, services and servers
 *   traefik_tcp.c      the same for TCP
 *   traefik_mend.c     the editor
 *
 * Sources: Traefik's documentation (doc.traefik.io, 2.11 and 3.x) and its source; each rule names its own.
 * Ownership: everything lives in the loader's arena.
 */
#ifndef DR_FORMAT_TRAEFIK_INTERNAL_H
#define DR_FORMAT_TRAEFIK_INTERNAL_H

#include "format/proxy_reader.h"

#include <errno.h>

enum {
    TRAEFIK_CHAIN = 16, /* middlewares in chains, services in services */
    TRAEFIK_ROUTERS = 10000,
    TRAEFIK_LABELS = 5000, /* labels and flags of one compose file */
};

enum traefik_tag { TRAEFIK_TAG_NONE = 0, TRAEFIK_TAG_RESET, TRAEFIK_TAG_OVERRIDE }; /* YAML's own of Compose: "!reset" */

enum traefik_type { TRAEFIK_NULL = 0, TRAEFIK_SCALAR, TRAEFIK_LIST, TRAEFIK_MAP };

/* A value; in a map with its key. Bytes [begin, end) of the file spell it, quotes and all. A label's value lies inside of its text. */
struct traefik_node {
    enum traefik_type type;
    const char *text; /* SCALAR: decoded */
    const struct dr_proxy_file *file;
    size_t begin, end;
    const char *key; /* NULL: no member of a map */
    size_t key_begin;
    bool fixed; /* a label, a flag, or spelt once for several places: not to be edited */
    bool filled; /* its variables (compose files) are in their places */
    enum traefik_tag tag;
    struct traefik_node *first, *last, *next;
};

struct traefik_root {
    struct traefik_node *tree;
    const char *service; /* compose: the service that the labels belong to; NULL: a file */
    const char *port; /* compose: the first exposed port */
    const char *host; /* compose: by which name Traefik reaches the container */
};

/* A port of the compose file's Traefik that is published on the host. */
struct traefik_port {
    const char *host;
    unsigned published, target;
};

struct compose_project;

struct traefik_model {
    struct dr_proxy_gathering *gathering;
    struct dr_arena *arena;
    struct traefik_node *settings; /* static configuration; NULL: not known */
    bool in_compose; /* entry points are a container's ports */
    struct compose_project *compose; /* format/compose.h; NULL: no compose file */
    struct traefik_root *roots;
    size_t root_count, root_room;
    struct traefik_port *ports;
    size_t port_count, port_room;
    bool no_memory;
};

/* Whom an entry point believes about the client. */
enum traefik_trust { TRAEFIK_TRUST_UNKNOWN = 0, TRAEFIK_TRUST_NOBODY, TRAEFIK_TRUST_SOME, TRAEFIK_TRUST_ALL };

/* What is on the way from an entry point to a server. */
struct traefik_way {
    struct dr_route_header headers[DR_ROUTE_HEADERS];
    const struct traefik_node *decides[DR_ROUTE_HEADERS]; /* the line that set or dropped it; NULL: Traefik itself */
    const char *lost; /* what takes the handshake away */
    const struct traefik_node *lost_node;
    const char *doubt; /* what may do so */
    const char *path; /* what the upstream gets to see; NULL: as it came */
    const char *note;
    bool buffers;
};

struct traefik_place {
    struct traefik_model *model;
    const struct traefik_root *root;
    const struct traefik_node *router;
    const struct traefik_node *server; /* the node that spells its address */
    const struct traefik_node *pass_host;
    struct traefik_way way;
    enum traefik_trust trust;
    bool tcp; /* a router for TCP: nothing of a request is seen or changed */
};

/* --- nodes ---------------------------------------------------------------------------------------------------------------- */

/* NULL without memory. */
struct traefik_node *dr_traefik_node(struct dr_arena *arena, enum traefik_type type, const struct dr_proxy_file *file,
                                     size_t begin, size_t end);
void dr_traefik_append(struct traefik_node *parent, struct traefik_node *child);

/* A member, exactly spelt or else without regard to case, as Traefik looks for its fields; merge keys ("<<") are followed. NULL: none, or null. */
struct traefik_node *dr_traefik_get(const struct traefik_node *map, const char *key);
/* Along a path: "http.routers". */
struct traefik_node *dr_traefik_at(const struct traefik_node *map, const char *path);
const char *dr_traefik_text(const struct traefik_node *node); /* a scalar's text, else NULL */
bool dr_traefik_true(const struct traefik_node *node, bool when_absent);
/* "a.b[0].c" = value: nodes in between are made. The last one counts. -EINVAL: it does not fit what is there. */
int dr_traefik_put(struct dr_arena *arena, struct traefik_node *map, const char *path, size_t length,
                   const struct traefik_node *value);
/* The texts of a list, or of "a, b" in one text (labels and flags). NULL-ended, never NULL unless memory ran out. */
const char *const *dr_traefik_list(struct dr_arena *arena, const struct traefik_node *node);
void dr_traefik_source(const struct traefik_node *node, struct dr_source *ret_source);

/* A file as a tree; NULL: it became a fault. */
struct traefik_node *dr_traefik_yaml(struct traefik_model *model, const struct dr_proxy_file *file);
struct traefik_node *dr_traefik_toml(struct traefik_model *model, const struct dr_proxy_file *file);
struct traefik_node *dr_traefik_file(struct traefik_model *model, const struct dr_proxy_file *file);

/* --- model ---------------------------------------------------------------------------------------------------------------- */

struct traefik_rule {
    const char *const *names;
    const char *path, *pattern;
};

int dr_traefik_rule(struct dr_arena *arena, const char *text, struct traefik_rule *ret_rule);

void dr_traefik_add_root(struct traefik_model *model, struct traefik_node *tree, const char *service, const char *port);
/* The files of the file provider. `folder`: what relative paths start from. */
void dr_traefik_providers(struct traefik_model *model, const char *folder);
void dr_traefik_compose(struct traefik_model *model, struct traefik_node *tree, const char *path);
/* "name@provider" in "routers", "services" or "middlewares" below "http" or "tcp"; NULL: none. */
struct traefik_node *dr_traefik_named(const struct traefik_model *model, const struct traefik_root *near,
                                      const char *protocol, const char *kind, const char *name,
                                      const struct traefik_root **ret_root);
enum traefik_trust dr_traefik_trust(const struct traefik_node *entry, const struct traefik_node **ret_node);
void dr_traefik_begin_way(const struct traefik_model *model, const struct traefik_node *entry, struct traefik_way *way);
/* `path`: the prefix that leads here, NULL: a pattern. */
void dr_traefik_apply(struct traefik_model *model, const struct traefik_root *root, const struct traefik_node *middlewares,
                      const char *path, struct traefik_way *way, unsigned depth);
void dr_traefik_routes(struct traefik_model *model);
void dr_traefik_tcp_routes(struct traefik_model *model, const struct traefik_root *root);
/* "0.0.0.0:80" of an entry point's address as the host of this process sees it; NULL: it cannot be reached, or is none. */
const char *dr_traefik_listen(const struct traefik_model *model, const char *address);
bool dr_traefik_is_asked(const struct traefik_model *model, const struct traefik_node *router,
                         const struct traefik_node *entry, bool some_default);
/* Is the same router in a file that was read before? Then this one is left out. */
bool dr_traefik_is_shadowed(const struct traefik_model *model, const struct traefik_root *root, const char *protocol,
                            const char *name);

int dr_traefik_mend(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                    const char **ret_why_not);

#endif
