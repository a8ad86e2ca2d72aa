/*
 * Edits of JSON5: the text read again is the old tree with exactly the change that was asked for. The first two bytes choose the
 * value and what happens to it, the rest is the document.
 */
#include "format/edit.h"
#include "format/json5_edit.h"
#include "fuzz.h"

#include <string.h>

static const char added[] = "'new, value'";

static bool same_bytes(const struct dr_json5 *a, size_t a_at, const struct dr_json5 *b, size_t b_at, size_t length)
{
    return memcmp(a->bytes + a_at, b->bytes + b_at, length) == 0;
}

/* Same type, same key, and for what is no container the same spelling. */
static bool same_node(const struct dr_json5 *a, const struct dr_json5_node *x, const struct dr_json5 *b,
                      const struct dr_json5_node *y)
{
    if (x->type != y->type || x->key_length != y->key_length ||
        !same_bytes(a, x->key_offset, b, y->key_offset, x->key_length))
        return false;
    return x->type >= DR_JSON5_ARRAY || (x->length == y->length && same_bytes(a, x->offset, b, y->offset, x->length));
}

/* Nodes [0, at) and [from, end) of `before` are those of `after`, where `extra` nodes stand at `at`. */
static void expect_others(const struct dr_json5 *before, const struct dr_json5 *after, size_t at, size_t from, size_t extra)
{
    PROMISE(after->node_count == at + extra + (before->node_count - from));
    for (size_t i = 0; i < at; i++)
        PROMISE(same_node(before, &before->root[i], after, &after->root[i]));
    for (size_t i = from; i < before->node_count; i++)
        PROMISE(same_node(before, &before->root[i], after, &after->root[at + extra + (i - from)]));
}

struct edited {
    struct dr_arena arena;
    struct dr_buffer text;
    struct dr_json5 document;
};

static void apply(const struct dr_json5 *document, const struct dr_edit *edits, size_t count, struct edited *edited)
{
    edited->arena = (struct dr_arena)DR_ARENA(64 << 20);
    edited->text = (struct dr_buffer)DR_BUFFER(document->length * 2 + (1 << 21));
    PROMISE(dr_edits_apply(document->bytes, document->length, edits, count, &edited->text) == 0);
    PROMISE(dr_json5_parse(dr_buffer_text(&edited->text), edited->text.length, DR_JSON5_LENIENT, &edited->arena,
                           &edited->document, NULL) == 0);
}

static void release(struct edited *edited)
{
    dr_arena_release(&edited->arena);
    dr_buffer_release(&edited->text);
}

static void change(const struct dr_json5 *document, const struct dr_json5_node *node, bool add, struct dr_arena *arena)
{
    size_t index = (size_t)(node - document->root);
    const char *key = node->type == DR_JSON5_OBJECT ? "n\xc3\xa9w" : NULL;
    struct dr_json5_change made;
    struct edited edited;

    if (add)
        PROMISE(dr_json5_add(document, node, key, DR_JSON5_GIVEN_TEXT, "new, value", arena, &made) == 0);
    else
        PROMISE(dr_json5_replace(document, node, DR_JSON5_GIVEN_SPELLING, added, arena, &made) == 0);
    apply(document, made.edits, made.count, &edited);
    if (add)
        expect_others(document, &edited.document, index + node->extent, index + node->extent, 1);
    else
        expect_others(document, &edited.document, index, index + node->extent, 1);

    const struct dr_json5_node *now = &edited.document.root[add ? index + node->extent : index];

    PROMISE(dr_json5_text_is(&edited.document, now, "new, value"));
    PROMISE(!add || !key || dr_json5_key_is(&edited.document, now, key));
    release(&edited);
}

static void remove_one(const struct dr_json5 *document, const struct dr_json5_node *node)
{
    size_t index = (size_t)(node - document->root);
    struct dr_edit edits[2];
    size_t count;
    struct edited edited;

    PROMISE(dr_json5_remove(document, node, edits, &count) == 0);
    apply(document, edits, count, &edited);
    expect_others(document, &edited.document, index, index + node->extent, 0);
    release(&edited);
}

static void comment(const struct dr_json5 *document, const struct dr_json5_node *node, bool out, struct dr_arena *arena)
{
    size_t index = (size_t)(node - document->root);
    struct dr_edit one;
    struct dr_edit *edits = &one;
    size_t count = 1;
    struct edited edited;

    if (!out)
        PROMISE(dr_json5_comment(document, node, "why, ]}", arena, &one) == 0);
    else if (dr_json5_comment_out(document, node, arena, &edits, &count) < 0)
        return;
    apply(document, edits, count, &edited);
    expect_others(document, &edited.document, index, index + (out ? node->extent : 0), 0);
    release(&edited);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dr_arena arena = DR_ARENA(64 << 20);
    struct dr_json5 document;

    if (size < 2)
        return 0;
    if (dr_json5_parse((const char *)data + 2, size - 2, DR_JSON5_LENIENT, &arena, &document, NULL) == 0) {
        const struct dr_json5_node *node = &document.root[data[0] % document.node_count];

        switch (data[1] % 5) {
        case 0:
            change(&document, node, false, &arena);
            break;
        case 1:
            if (node->type >= DR_JSON5_ARRAY)
                change(&document, node, true, &arena);
            break;
        case 2:
            if (node != document.root)
                remove_one(&document, node);
            break;
        default:
            comment(&document, node, data[1] % 5 == 4, &arena);
            break;
        }
    }
    dr_arena_release(&arena);
    return 0;
}
