/*
 * What a reader of one proxy server's configuration is: text in, model out (api/proxy.h), span edits back.
 *
 * A reader follows its server's own grammar and rules of inheritance, wherever they are odd. It opens nothing: files come through the
 * loader. It never fails because of what stands in a file: a syntax error, an include loop, a file that cannot be read, is binary or too large
 * becomes a fault with file, line and column, and the rest goes on. Recursion and sizes are bounded (DR_PROXY_*). Cost: linear.
 */
#ifndef DR_FORMAT_PROXY_READER_H
#define DR_FORMAT_PROXY_READER_H

#include "api/proxy.h"
#include "base/arena.h"

enum {
    DR_PROXY_FILES = 1000, /* files of one configuration, each include counted */
    DR_PROXY_DEPTH = 64, /* blocks in blocks, includes in includes */
    DR_PROXY_ROUTES = 4000,
    DR_PROXY_FAULTS = 100, /* kept */
};

#define DR_PROXY_FILE_CEILING ((size_t)16 << 20)

struct dr_proxy_loader {
    struct dr_arena *arena; /* all results */
    void *user;
    /* The whole of a file. 0; negative errno (-ENOENT, -EACCES, -E2BIG, -EINVAL: no regular file ...). The same path gives the same object. */
    int (*load)(void *user, const char *path, const struct dr_proxy_file **ret_file);
    /* The paths that match a glob(7) pattern, sorted by bytes, NULL-ended; none is no error. A folder's entries: pattern "dir" + "/" + "*". */
    int (*expand)(void *user, const char *pattern, const char *const **ret_paths);
    const char *const *also; /* see struct dr_proxy_config */
    /* A variable of the server's environment, or NULL. */
    const char *(*environment)(void *user, const char *name);
};

struct dr_proxy_format {
    enum dr_proxy_kind kind;
    /*
     * `path`: the main file. `prefix`: what relative paths start from where the server has such a notion (nginx -p, ServerRoot); NULL: the server's
     * default. ret_config: kind, path, files, faults, routes, tree. 0 or -ENOMEM.
     */
    int (*read)(const struct dr_proxy_loader *loader, const char *path, const char *prefix,
                struct dr_proxy_config *ret_config);
    /* See dr_route_mend. 0; -ENOTSUP with *ret_why_not; -ENOMEM. */
    int (*mend)(const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *ret_edits,
                const char **ret_why_not);
};

extern const struct dr_proxy_format dr_nginx_format, dr_caddy_format, dr_haproxy_format, dr_apache_format, dr_traefik_format;

/* --- shared by the readers (proxy_reader.c) ----------------------------------------------------------------------------- */

/* Gathers files, faults and routes; at the end they become the arrays of the configuration. Zero it first, set loader and kind. */
struct dr_proxy_gathering {
    const struct dr_proxy_loader *loader;
    const struct dr_proxy_file **files;
    size_t file_count, file_room;
    struct dr_proxy_fault *faults;
    size_t fault_count, fault_room;
    struct dr_route *routes;
    size_t route_count, route_room;
    bool too_many; /* routes: said once */
};

/*
 * Loads a file and notes it. NULL: it could not be read, is binary (holds a NUL) or too large, or there are too many; that became a fault at
 * `from` (may be NULL). Does not look for loops: a reader knows its own include stack.
 */
const struct dr_proxy_file *dr_proxy_load(struct dr_proxy_gathering *gathering, const char *path,
                                          const struct dr_source *from);

void dr_proxy_fault(struct dr_proxy_gathering *gathering, const struct dr_source *source, bool hides_routes,
                    const char *format, ...) __attribute__((format(printf, 4, 5)));

/* The same for what is right, and comes to something that cannot be seen from here; it hides routes. */
void dr_proxy_unknowable(struct dr_proxy_gathering *gathering, const struct dr_source *source, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* A new route, zeroed, `idle_timeout_ms` -1; NULL when there are too many (that became a fault). Valid until the next call. */
struct dr_route *dr_proxy_route(struct dr_proxy_gathering *gathering);

/* Moves everything into `config` and sets each route's `config`. 0 or -ENOMEM. */
int dr_proxy_gathered(struct dr_proxy_gathering *gathering, struct dr_proxy_config *config);

/* 1-based line and column of an offset. */
void dr_proxy_position(const struct dr_proxy_file *file, size_t offset, struct dr_source *ret_source);

/* "http://[::1]:18789/path" and "localhost:18789" taken apart; false when it is neither. Port 0: not said. Arena texts. */
struct dr_proxy_url {
    const char *scheme; /* lower case; "" when there is none */
    const char *host; /* without brackets */
    unsigned port;
    const char *path; /* "" when there is none */
};

bool dr_proxy_url_parse(struct dr_arena *arena, const char *text, size_t length, struct dr_proxy_url *ret_url);

/* Index of a header in struct dr_route.headers, by name without regard to case; -1: not one of these. */
int dr_route_header_index(const char *name, size_t length);

/*
 * Puts into `edits` what further rounds would still edit (proxy_settle.c); `format->mend` does one round. Where it cannot tell, the edits stay as they
 * are. The loader is the one that the configuration was read with; its `user` must still be there.
 */
void dr_route_settle(const struct dr_proxy_format *format, const struct dr_proxy_loader *loader,
                     const struct dr_route *route, unsigned mends, struct dr_arena *arena, struct dr_route_edits *edits);

/* Adds an edit; the list is grown in the arena. dr_route_edits_finish sorts by file and offset. */
int dr_route_edits_add(struct dr_arena *arena, struct dr_route_edits *edits, const struct dr_proxy_file *file,
                       uint64_t offset, uint64_t length, const char *text);
void dr_route_edits_finish(struct dr_route_edits *edits);

#endif
