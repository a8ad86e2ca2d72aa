#include "report/order.h"

#include "wire/wire.h"

#include <string.h>

/* Longer chains than this are a circle, or nothing that a person could follow. */
enum { MOST_STEPS = 16 };

static int compare_text(const cJSON *a, const cJSON *b, const char *name)
{
    const char *left = dr_json_text(a, name);
    const char *right = dr_json_text(b, name);

    return strcmp(left ? left : "", right ? right : "");
}

static int compare_own(const struct dr_ranked *a, const struct dr_ranked *b)
{
    double lines = dr_json_number(a->finding, "line", 0) - dr_json_number(b->finding, "line", 0);
    int r;

    if (a->severity != b->severity)
        return a->severity > b->severity ? -1 : 1;
    if ((r = compare_text(a->finding, b->finding, "checkId")) != 0 ||
        (r = compare_text(a->finding, b->finding, "path")) != 0)
        return r;
    if (lines < 0 || lines > 0)
        return lines < 0 ? -1 : 1;
    return compare_text(a->finding, b->finding, "fingerprint");
}

static int compare_in_array(const void *a, const void *b)
{
    return compare_own(a, b);
}

static int compare_fingerprint(const void *a, const void *b)
{
    const struct dr_ranked *const *left = a;
    const struct dr_ranked *const *right = b;

    return compare_text((*left)->finding, (*right)->finding, "fingerprint");
}

static int compare_placed(const void *a, const void *b)
{
    const struct dr_ranked *left = *(struct dr_ranked *const *)a;
    const struct dr_ranked *right = *(struct dr_ranked *const *)b;

    if (left->root == right->root) {
        if (left == left->root || right == right->root)
            return left == right ? 0 : left == left->root ? -1 : 1;
        return compare_own(left, right);
    }
    if (left->root->weight != right->root->weight)
        return left->root->weight > right->root->weight ? -1 : 1;
    int r = compare_own(left->root, right->root);

    return r != 0 ? r : left->root < right->root ? -1 : 1; /* twins: keep each group together */
}

static int search_fingerprint(const void *key, const void *element)
{
    const struct dr_ranked *const *ranked = element;
    const char *fingerprint = dr_json_text((*ranked)->finding, "fingerprint");

    return strcmp(key, fingerprint ? fingerprint : "");
}

/* Sets `root` to the direct cause, or to itself. */
static void link_causes(struct dr_ranked *ranked, struct dr_ranked **by_fingerprint, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *cause = dr_json_text(ranked[i].finding, "causedBy");
        struct dr_ranked **found =
            cause ? bsearch(cause, by_fingerprint, count, sizeof(*by_fingerprint), search_fingerprint) : NULL;

        ranked[i].root = found ? *found : &ranked[i];
    }
}

/* Cuts circles, then lets `root` point to the end of each chain. */
static void find_roots(struct dr_ranked *ranked, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct dr_ranked *up = &ranked[i];
        unsigned steps = 0;

        while (up->root != up && steps++ < MOST_STEPS)
            up = up->root;
        if (up->root != up)
            ranked[i].root = &ranked[i];
    }
    for (size_t i = 0; i < count; i++) {
        struct dr_ranked *up = &ranked[i];

        while (up->root != up)
            up = up->root;
        ranked[i].root = up;
        if (ranked[i].severity > up->weight)
            up->weight = ranked[i].severity;
    }
}

/* `pointers` is sorted by place; moves the entries there and keeps `root` pointing into the new array. */
static int place(struct dr_ranked **pointers, size_t count, struct dr_ranked **ret_ranked)
{
    _cleanup_free_ struct dr_ranked *placed = calloc(count, sizeof(*placed));
    struct dr_ranked *root = NULL;

    if (!placed)
        return -ENOMEM;
    qsort(pointers, count, sizeof(struct dr_ranked *), compare_placed);
    for (size_t i = 0; i < count; i++) {
        placed[i] = *pointers[i];
        if (pointers[i]->root == pointers[i])
            root = &placed[i];
        placed[i].root = root; /* a root comes before all that hangs under it */
    }
    *ret_ranked = DR_TAKE_PTR(placed);
    return 0;
}

static enum dr_severity severity_of(const cJSON *finding)
{
    const char *name = dr_json_text(finding, "severity");
    enum dr_severity severity = DR_ERROR; /* a word that we do not know is not to be hidden */

    if (name)
        (void)dr_severity_parse(name, &severity);
    return severity;
}

int dr_findings_order(const cJSON *findings, struct dr_ranked **ret_ranked, size_t *ret_count)
{
    int size = cJSON_GetArraySize(findings);
    size_t count = size > 0 ? (size_t)size : 0;
    const cJSON *finding;
    size_t i = 0;

    if (count == 0) {
        *ret_ranked = NULL;
        *ret_count = 0;
        return 0;
    }
    _cleanup_free_ struct dr_ranked *ranked = calloc(count, sizeof(*ranked));
    _cleanup_free_ struct dr_ranked **pointers = calloc(count, sizeof(*pointers));

    if (!ranked || !pointers)
        return -ENOMEM;
    cJSON_ArrayForEach (finding, findings) {
        enum dr_severity severity = severity_of(finding);

        ranked[i++] = (struct dr_ranked){ .finding = finding, .severity = severity, .weight = severity };
    }
    qsort(ranked, count, sizeof(*ranked), compare_in_array);
    for (i = 0; i < count; i++)
        pointers[i] = &ranked[i];
    qsort(pointers, count, sizeof(*pointers), compare_fingerprint);
    link_causes(ranked, pointers, count);
    find_roots(ranked, count);

    int r = place(pointers, count, ret_ranked);

    if (r == 0)
        *ret_count = count;
    return r;
}
