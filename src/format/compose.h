/*
 * Compose files as Compose reads them: what of them matters to a gateway in a container.
 *
 *   compose.c           which files belong together: override files, COMPOSE_FILE, include, extends
 *   compose_merge.c     one tree of several files; merge keys
 *   compose_fill.c      ${NAME:-default}
 *   compose_service.c   a service: ports, command, environment, networks
 *
 * Sources: docs.docker.com/reference/compose-file/ (merge, include, services, interpolation, profiles, networks) and
 * docs.docker.com/compose/how-tos/environment-variables/; the order of default names: compose-go, cli/options.go.
 * Read with libyaml, with the place of every value (format/traefik_internal.h has the tree, for Traefik reads the same files).
 *
 * A variable that neither the .env file nor a default says has no value that could be known here: `unknown` names it, and whoever reads a
 * value must look at that first. What could not be read is a fault with file and line in the gathering; the rest goes on.
 * Ownership: everything lives in the loader's arena. Cost: linear in the files, with ceilings (COMPOSE_*).
 */
#ifndef DR_FORMAT_COMPOSE_H
#define DR_FORMAT_COMPOSE_H

#include "format/dotenv.h"
#include "format/traefik_internal.h"

enum {
    COMPOSE_NODES = 100000, /* made by merging */
    COMPOSE_COMPARED = 20000000, /* keys compared while merging */
    COMPOSE_FILES = 256,
    COMPOSE_DEPTH = 16, /* extends of extends, include of include, variables in variables */
    COMPOSE_SCOPES = 64, /* included projects, each with its .env */
    COMPOSE_SERVICES = 1000,
    COMPOSE_PORTS = 64, /* of one service */
    COMPOSE_TEXT = 65536, /* a value after its variables were filled in */
};

struct compose_scope {
    const char *folder; /* of the project that these files belong to */
    struct dr_dotenv dotenv;
    bool has_dotenv;
    const struct compose_scope *outer; /* whose variables go first; NULL: the main project */
};

struct compose_file {
    const struct dr_proxy_file *file;
    const struct compose_scope *scope;
    struct traefik_node *tree; /* NULL: it could not be read */
};

struct compose_project {
    struct traefik_model *model; /* gathering, arena, no_memory */
    const struct compose_scope *main;
    struct compose_file files[COMPOSE_FILES];
    size_t file_count;
    size_t scope_count, node_count, compared;
    struct traefik_node *services, *networks; /* maps, never NULL after loading */
};

/*
 * Reads the project whose first file is `path`, override files and all (only beside a default name, and not where COMPOSE_FILE names the files).
 * `tree`: what is in it already, NULL: it is read. 0 or -ENOMEM; faults are in model->gathering.
 */
int dr_compose_load(struct traefik_model *model, const char *path, struct traefik_node *tree,
                    struct compose_project *ret_project);

/* The default names in the order in which Compose looks for them, NULL-ended. */
extern const char *const dr_compose_names[];

/* The first file that COMPOSE_FILE in `dotenv` names, joined to `folder`; NULL: it is not set. */
const char *dr_compose_first_file(struct dr_arena *arena, const struct dr_dotenv *dotenv, const char *folder);

/* --- compose_merge.c ------------------------------------------------------------------------------------------------------ */

/* The map with its merge keys ("<<") resolved; `map` itself where it has none. */
struct traefik_node *dr_compose_flat(struct compose_project *project, struct traefik_node *map);
/* `over` on top of `base`, both may be NULL. `path`: "services.*.ports" and the like. */
struct traefik_node *dr_compose_merge(struct compose_project *project, struct traefik_node *base, struct traefik_node *over,
                                      const char *path);

/* --- compose_fill.c ------------------------------------------------------------------------------------------------------- */

struct compose_text {
    const char *text; /* never NULL */
    const char *unknown; /* the first variable without a value, NULL: all are known */
};

/* `node`'s text, filled in with the variables of the project that its file belongs to. */
struct compose_text dr_compose_fill(const struct compose_project *project, const struct traefik_node *node);
struct compose_text dr_compose_fill_text(const struct compose_project *project, const struct dr_proxy_file *file,
                                         const char *text);

/* --- compose_service.c ---------------------------------------------------------------------------------------------------- */

struct compose_port {
    const char *host; /* "": all addresses */
    unsigned target, target_last;
    unsigned published, published_last; /* 0: any */
    bool udp;
    const char *unknown; /* a variable in it without a value: nothing else holds */
    const struct traefik_node *node;
};

struct compose_service {
    const struct traefik_node *node;
    const char *name;
    bool is_openclaw; /* by its image, its name, its command or its variables */
    bool is_gateway; /* ... and it runs the gateway, not only the command line */
    bool is_proxy; /* an image of nginx, Caddy, HAProxy, httpd or Traefik */
    bool host_network;
    bool other_network; /* "service:x", "container:x", "none": its ports are not published */
    bool optional; /* its profiles are not switched on by COMPOSE_PROFILES */
    struct compose_port ports[COMPOSE_PORTS];
    size_t port_count;
    const char *const *words; /* entrypoint and command, cut at blanks, NULL-ended; for looking something up only */
    const struct traefik_node *const *word_nodes; /* the value that spells each */
    const char *words_unknown; /* a variable in them without a value */
};

/* All services in the order of the files. 0 or -ENOMEM. */
int dr_compose_services(struct compose_project *project, struct compose_service **ret_list, size_t *ret_count);

/* A variable in `environment`, else in the files of `env_file`. False: it is not set. */
bool dr_compose_variable(struct compose_project *project, const struct compose_service *service, const char *name,
                         struct compose_text *ret_value, struct dr_source *ret_source);

/* The value behind "--name" or "--name=", NULL: none. */
const char *dr_compose_flag(const struct compose_service *service, const char *name, const struct traefik_node **ret_node);

/* ipam subnets of the networks that the service is in ("default" when it names none): NULL-ended nodes, NULL without memory. */
const struct traefik_node *const *dr_compose_subnets(struct compose_project *project, const struct compose_service *service);

#endif
