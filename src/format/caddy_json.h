/*
 * What the parts of the reader of Caddy's own JSON share: a document, its values, and header operations in it. Texts and operations are the
 * reader's arena's. Values may be NULL: a member that is not there.
 */
#ifndef DR_FORMAT_CADDY_JSON_H
#define DR_FORMAT_CADDY_JSON_H

#include "format/caddy_internal.h"
#include "format/json5.h"

struct caddy_json {
    struct caddy_reader *reader;
    struct dr_arena *arena; /* the reader's */
    const struct dr_proxy_file *file;
    struct dr_json5 document;
};

const struct dr_json5_node *caddy_json_member(const struct caddy_json *json, const struct dr_json5_node *object,
                                              const char *key);
/* NULL: no text. */
const char *caddy_json_text(struct caddy_json *json, const struct dr_json5_node *value);
const char *caddy_json_member_text(struct caddy_json *json, const struct dr_json5_node *object, const char *key);
struct dr_source caddy_json_source(const struct caddy_json *json, const struct dr_json5_node *value);
/* true, or a number that is not 0 */
bool caddy_json_is_set(const struct caddy_json *json, const struct dr_json5_node *value);

/* NULL, and the reader has failed: no field, no value or no memory. */
struct caddy_op *caddy_json_op(struct caddy_json *json, enum caddy_op_kind kind, const char *field, const char *value,
                               const struct dr_json5_node *at);
/* headers.request: {add, set, delete, replace}, in that order. Calls `each` with every operation. */
void caddy_json_ops(struct caddy_json *json, const struct dr_json5_node *request,
                    void (*each)(void *user, struct caddy_op *op), void *user);

/* A handler "reverse_proxy" at the end of `way`: makes its routes. */
void caddy_json_proxy(struct caddy_json *json, const struct dr_json5_node *handler, struct caddy_way *way);

#endif
