#include "cli/fix_verdict.h"

#include "base/text.h"

#include <string.h>

static bool is(const cJSON *item, const char *name, const char *value)
{
    const char *own = dr_json_text(item, name);

    return own && value && strcmp(own, value) == 0;
}

static const cJSON *find_by(const cJSON *array, const char *name, const char *value)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, array) {
        if (is(item, name, value))
            return item;
    }
    return NULL;
}

/* --- what could not be told ------------------------------------------------------------------------------------------- */

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

/* Both NULL, or the same but for their numbers: a line moves, a time differs. */
static bool says_the_same(const char *a, const char *b)
{
    if (!a || !b)
        return a == b;
    for (;;) {
        if (is_digit(*a) && is_digit(*b)) {
            a += strspn(a, "0123456789");
            b += strspn(b, "0123456789");
        } else if (*a != *b) {
            return false;
        } else if (*a == '\0') {
            return true;
        } else {
            a++;
            b++;
        }
    }
}

static bool same_place(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static unsigned count_like(const struct dr_look *look, const cJSON *unknown)
{
    const cJSON *other;
    unsigned count = 0;

    cJSON_ArrayForEach (other, look->unknowns) {
        count += is(other, "check", dr_json_text(unknown, "check")) &&
                 same_place(dr_json_text(other, "path"), dr_json_text(unknown, "path")) &&
                 says_the_same(dr_json_text(other, "reason"), dr_json_text(unknown, "reason"));
    }
    return count;
}

/* Could the check not look at the path in that look? `at_it`: the path itself counts too, not only the folders above it. */
static bool was_closed(const struct dr_look *look, const char *check, const char *path, bool at_it)
{
    const cJSON *unknown;

    cJSON_ArrayForEach (unknown, look->unknowns) {
        const char *closed = dr_json_text(unknown, "path");

        if (path && closed && is(unknown, "check", check) && dr_path_is_below(path, closed) &&
            (at_it || strcmp(path, closed) != 0))
            return true;
    }
    return false;
}

static bool is_new_unknown(const struct dr_look *before, const struct dr_look *after, const cJSON *unknown)
{
    return count_like(after, unknown) > count_like(before, unknown) &&
           !was_closed(before, dr_json_text(unknown, "check"), dr_json_text(unknown, "path"), false);
}

static const char *status_of(const struct dr_look *look, const char *check)
{
    const char *status = dr_json_text(find_by(look->checks, "id", check), "status");

    return status ? status : "";
}

/* It said something: "unknown" is a word too, of what stands among the unknowns. */
static bool has_answered(const struct dr_look *look, const char *check)
{
    const char *status = status_of(look, check);

    return strcmp(status, "pass") == 0 || strcmp(status, "finding") == 0 ||
           (strcmp(status, "unknown") == 0 && find_by(look->unknowns, "check", check));
}

/* Can the check itself not tell (any more) whether it is gone? */
static bool went_blind(const struct dr_look *before, const struct dr_look *after, const char *check)
{
    const cJSON *unknown;

    /* What it found may be all that it could say before: what stood there of the rest, stands there still. */
    bool never_applied =
        strcmp(status_of(before, check), "not_applicable") == 0 && strcmp(status_of(after, check), "not_applicable") == 0;

    if (!never_applied && !has_answered(after, check))
        return true;
    cJSON_ArrayForEach (unknown, after->unknowns) {
        if (is(unknown, "check", check) && is_new_unknown(before, after, unknown))
            return true;
    }
    return false;
}

/* --- the others ------------------------------------------------------------------------------------------------------ */

static bool is_error(const cJSON *finding)
{
    return is(finding, "severity", "error");
}

/* An error of its own: what follows from another is that one's doing. */
static bool is_root_error(const cJSON *finding)
{
    return is_error(finding) && !cJSON_GetObjectItemCaseSensitive(finding, "causedBy");
}

/* The check had looked there, or has nothing to do with what there was. */
static bool had_looked(const struct dr_look *look, const char *check, const char *path)
{
    const char *status = status_of(look, check);

    return (strcmp(status, "pass") == 0 || strcmp(status, "finding") == 0 || strcmp(status, "not_applicable") == 0) &&
           !was_closed(look, check, path, true);
}

/* Seen now, but not looked for before: it may have been there all the time. */
static bool came_to_light(const struct dr_look *before, const cJSON *finding)
{
    return !find_by(before->findings, "fingerprint", dr_json_text(finding, "fingerprint")) &&
           !had_looked(before, dr_json_text(finding, "check"), dr_json_text(finding, "path"));
}

static bool is_new_error(const struct dr_look *before, const cJSON *finding)
{
    const cJSON *old = find_by(before->findings, "fingerprint", dr_json_text(finding, "fingerprint"));

    return is_root_error(finding) && !(old && is_error(old)) && !came_to_light(before, finding);
}

/* An error that is not reported any more, by a check that cannot look any more. */
static bool may_be_hidden(const struct dr_look *after, const cJSON *finding)
{
    return is_root_error(finding) && !find_by(after->findings, "fingerprint", dr_json_text(finding, "fingerprint")) &&
           !had_looked(after, dr_json_text(finding, "check"), dr_json_text(finding, "path"));
}

static bool has_more_errors(const struct dr_look *before, const struct dr_look *after)
{
    unsigned was = 0, is_now = 0, new = 0;
    const cJSON *finding;

    cJSON_ArrayForEach (finding, before->findings) {
        was += is_root_error(finding);
        is_now += may_be_hidden(after, finding);
    }
    cJSON_ArrayForEach (finding, after->findings) {
        new += is_new_error(before, finding);
        is_now += is_root_error(finding) && !came_to_light(before, finding);
    }
    return new > 0 && is_now >= was;
}

bool dr_fix_has_new_error(const struct dr_look *before, const struct dr_look *after)
{
    const cJSON *finding;

    cJSON_ArrayForEach (finding, after->findings) {
        if (is_new_error(before, finding))
            return true;
    }
    return false;
}

static bool has_changed(const struct dr_look *before, const cJSON *finding, const char *path)
{
    const cJSON *operation;

    cJSON_ArrayForEach (operation, before->operations) {
        if (path && is(operation, "path", path) && is(operation, "finding", dr_json_text(finding, "fingerprint")))
            return true;
    }
    return false;
}

/* Another check could read what this repair changed, and cannot any more. */
static bool blinded_another(const struct dr_look *before, const struct dr_look *after, const cJSON *finding)
{
    const cJSON *unknown;

    cJSON_ArrayForEach (unknown, after->unknowns) {
        const char *check = dr_json_text(unknown, "check"), *path = dr_json_text(unknown, "path");
        bool could = strcmp(status_of(before, check), "not_applicable") != 0 && had_looked(before, check, path);

        if (could && has_changed(before, finding, path) && is_new_unknown(before, after, unknown))
            return true;
    }
    return false;
}

const char *dr_fix_verdict(const struct dr_look *before, const struct dr_look *after, const cJSON *finding)
{
    if (find_by(after->findings, "fingerprint", dr_json_text(finding, "fingerprint")))
        return "looked again: the problem is still there";
    if (went_blind(before, after, dr_json_text(finding, "check")))
        return "looked again: could not tell any more";
    if (has_more_errors(before, after) || blinded_another(before, after, finding))
        return "looked again: it made something else worse";
    return NULL;
}
