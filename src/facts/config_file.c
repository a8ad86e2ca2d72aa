#include "facts/config_internal.h"

#include "base/error.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdarg.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

const char *dr_config_short_path(const struct dr_config_state *state, const char *path)
{
    size_t length = strlen(state->folder);

    if (strcmp(state->folder, "/") == 0)
        return path + 1;
    if (strncmp(path, state->folder, length) == 0 && path[length] == '/')
        return path + length + 1;
    return base_name(path);
}

int dr_config_fail(struct dr_config_state *state, const struct dr_config_doc *doc, const struct dr_json5_node *node,
                   const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    char *reason = dr_arena_vformat(state->arena, format, arguments);

    va_end(arguments);
    if (!reason)
        return -ENOMEM;

    struct dr_fact *fact = state->fact;
    const char *path = doc ? doc->file.path : state->path;
    const char *name = dr_config_short_path(state, path);

    fact->state = DR_UNKNOWN;
    fact->source = (struct dr_source){ .path = path };
    if (doc && node) {
        struct dr_json5_position position = dr_json5_position(&doc->json, node->offset);

        fact->source.line = position.line;
        fact->source.column = position.column;
        fact->reason = dr_arena_format(state->arena, "%s:%u:%u: %s", name, position.line, position.column, reason);
    } else {
        fact->reason = dr_arena_format(state->arena, "%s: %s", name, reason);
    }
    return fact->reason ? -EBADMSG : -ENOMEM;
}

static const char *why_unreadable(int code)
{
    switch (code) {
    case -E2BIG:
        return "larger than 16 MiB";
    case -EINVAL:
    case -EISDIR:
        return "not a regular file";
    case -ELOOP:
        return "is a symbolic link, which is not followed (name the file it points to with --config)";
    default:
        return dr_errno_text(code);
    }
}

static int fail_unreadable(struct dr_config_state *state, const char *path, const struct dr_config_doc *from,
                           const struct dr_json5_node *include, int code)
{
    if (from)
        return dr_config_fail(state, from, include, "cannot include %s: %s", dr_config_short_path(state, path),
                              why_unreadable(code));

    struct dr_fact *fact = state->fact;
    int r = dr_config_fail(state, NULL, NULL, "%s", why_unreadable(code));

    if (code == -ENOENT || code == -ENOTDIR)
        fact->state = DR_ABSENT;
    return r;
}

static int fail_parse(struct dr_config_state *state, const char *path, const struct dr_json5_error *error)
{
    struct dr_fact *fact = state->fact;

    fact->state = DR_UNKNOWN;
    fact->source = (struct dr_source){
        .path = path,
        .line = error->position.line,
        .column = error->position.column,
    };
    fact->reason = dr_arena_format(state->arena, "%s:%s", dr_config_short_path(state, path), error->text);
    return fact->reason ? -EBADMSG : -ENOMEM;
}

/* Marks every node that has an $include in it, up to the root. */
static int mark_includes(struct dr_config_state *state, struct dr_config_doc *doc)
{
    const struct dr_json5 *json = &doc->json;

    if (!memmem(json->bytes, json->length, "include", strlen("include")) && !memchr(json->bytes, '\\', json->length))
        return 0;
    for (size_t i = 1; i < json->node_count; i++) {
        const struct dr_json5_node *node = &json->root[i];

        if ((node->flags & DR_JSON5_NODE_SHADOWED) || !dr_json5_key_is(json, node, "$include"))
            continue;
        if (!doc->has_include) {
            doc->has_include = dr_arena_alloc(state->arena, json->node_count * sizeof(bool));
            if (!doc->has_include)
                return -ENOMEM;
        }
        for (node = dr_json5_parent(node); node && !doc->has_include[node - json->root]; node = dr_json5_parent(node))
            doc->has_include[node - json->root] = true;
    }
    return 0;
}

static int read_bytes(struct dr_config_state *state, const char *path, bool included, struct dr_buffer *buffer,
                      struct dr_file_identity *ret_identity)
{
    /* Included files are opened beneath the configuration's folder, so that no link in the middle leads out of it. */
    if (included)
        return dr_read_file(state->folder_fd, dr_config_short_path(state, path), buffer, ret_identity);
    return dr_read_file(state->root_fd, path, buffer, ret_identity);
}

static int make_doc(struct dr_config_state *state, const char *path, struct dr_buffer *buffer,
                    const struct dr_file_identity *identity, struct dr_config_doc **ret_doc)
{
    struct dr_json5_error error = { 0 };
    char sha256[DR_SHA256_HEX];
    struct dr_config_doc *doc = dr_arena_alloc(state->arena, sizeof(*doc));
    int r;

    if (!doc)
        return -ENOMEM;
    r = dr_sha256_hex(dr_buffer_text(buffer), buffer->length, sha256);
    if (r < 0)
        return r;
    doc->file = (struct dr_config_file){
        .path = dr_arena_strdup(state->arena, path),
        .identity = *identity,
        .sha256 = dr_arena_strdup(state->arena, sha256),
        .bytes = dr_arena_strndup(state->arena, dr_buffer_text(buffer), buffer->length),
        .length = buffer->length,
    };
    if (!doc->file.path || !doc->file.sha256 || !doc->file.bytes)
        return -ENOMEM;
    /* Listed before it is parsed: also of a broken file it is known which one it was. */
    state->docs[state->doc_count++] = doc;
    state->bytes += buffer->length;
    r = dr_json5_parse(doc->file.bytes, doc->file.length, DR_JSON5_LENIENT, state->arena, &doc->json, &error);
    if (r == -EBADMSG)
        return fail_parse(state, doc->file.path, &error);
    if (r == -ENOMEM) /* the run's ceiling rather than the machine's: [1,1,1,...] needs 14 times its size */
        return dr_config_fail(state, doc, NULL, "holds more values than there is memory for");
    if (r < 0)
        return r;
    doc->file.has_bom = doc->json.has_bom;
    r = mark_includes(state, doc);
    if (r >= 0)
        *ret_doc = doc;
    return r;
}

int dr_config_read(struct dr_config_state *state, const char *path, const struct dr_config_doc *from,
                   const struct dr_json5_node *include, struct dr_config_doc **ret_doc)
{
    _cleanup_buffer_ struct dr_buffer buffer = DR_BUFFER(DR_CONFIG_CEILING);
    struct dr_file_identity identity;

    for (size_t i = 0; i < state->doc_count; i++) {
        if (strcmp(state->docs[i]->file.path, path) == 0) {
            *ret_doc = state->docs[i];
            return 0;
        }
    }
    if (state->doc_count == DR_CONFIG_FILES)
        return dr_config_fail(state, from, include, "more than %d files are included", (int)DR_CONFIG_FILES);

    int r = read_bytes(state, path, from != NULL, &buffer, &identity);

    if (r == -ENOMEM)
        return r;
    if (r < 0)
        return fail_unreadable(state, path, from, include, r);
    if (state->bytes + buffer.length > DR_CONFIG_TOTAL_CEILING)
        return dr_config_fail(state, from, include, "the included files are larger than 64 MiB together");
    return make_doc(state, path, &buffer, &identity, ret_doc);
}
