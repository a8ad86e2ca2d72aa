#include "engine/finding.h"

#include "api/target.h"
#include "base/hash.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { MOST_TEXT = 64 * 1024 };

void dr_findings_init(struct dr_findings *findings, struct dr_context *context, const struct dr_check *check)
{
    *findings = (struct dr_findings){ .context = context, .check = check };
    findings->last = &findings->first;
    findings->last_unknown = &findings->unknowns;
}

static struct dr_source copy_source(struct dr_context *context, const struct dr_source *source)
{
    if (!source)
        return (struct dr_source){ 0 };
    return (struct dr_source){
        .path = dr_strdup(context, source->path),
        .pointer = dr_strdup(context, source->pointer),
        .line = source->line,
        .column = source->column,
    };
}

struct dr_finding *dr_report(struct dr_findings *findings, const struct dr_problem *problem, const struct dr_source *subject)
{
    struct dr_finding *finding = dr_alloc(findings->context, sizeof(*finding));

    finding->context = findings->context;
    finding->check = findings->check;
    finding->problem = problem;
    finding->subject = copy_source(findings->context, subject);
    finding->severity = problem->severity;
    finding->confidence = problem->confidence;
    finding->safety = problem->fixer ? problem->safety : DR_MANUAL;
    finding->why = problem->why;
    if (findings->count >= DR_MOST_FINDINGS) {
        /* Kept out of the report, so that a check's loop need not look; run() says that there are more. */
        findings->overflow = true;
        return finding;
    }
    *findings->last = finding;
    findings->last = &finding->next;
    findings->count++;
    return finding;
}

static const char *safe_text(struct dr_context *context, const char *text)
{
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(MOST_TEXT);

    if (dr_text_append_safe(&safe, text, strlen(text)) < 0)
        return "(too long to show)";
    return dr_strdup(context, dr_buffer_text(&safe));
}

static void add_named(struct dr_context *context, struct dr_named **list, const char *name, const char *value, bool secret)
{
    struct dr_named *named = dr_alloc(context, sizeof(*named));

    named->name = dr_strdup(context, name);
    named->value = value;
    named->secret = secret;
    while (*list)
        list = &(*list)->next;
    *list = named;
}

void dr_finding_text(struct dr_finding *finding, const char *name, const char *text)
{
    add_named(finding->context, &finding->evidence, name, safe_text(finding->context, text ? text : "(none)"), false);
}

void dr_finding_word(struct dr_finding *finding, const char *name, const char *text)
{
    add_named(finding->context, &finding->words, name, safe_text(finding->context, text ? text : "(none)"), false);
}

void dr_finding_number(struct dr_finding *finding, const char *name, long long number)
{
    add_named(finding->context, &finding->evidence, name, dr_format(finding->context, "%lld", number), false);
}

static const char *shown_path(struct dr_context *context, const char *path)
{
    _cleanup_free_ char *tilde = dr_path_tilde(path, dr_target(context)->home);

    return safe_text(context, tilde ? tilde : path);
}

void dr_finding_path(struct dr_finding *finding, const char *name, const char *path)
{
    add_named(finding->context, &finding->evidence, name, path ? shown_path(finding->context, path) : "(none)", false);
}

void dr_finding_secret(struct dr_finding *finding, const char *name, const char *secret)
{
    char fingerprint[DR_FINGERPRINT];

    if (!secret || secret[0] == '\0') {
        add_named(finding->context, &finding->evidence, name, secret ? "(empty)" : "(none)", false);
        return;
    }
    dr_secret_known(finding->context, secret);
    dr_fingerprint(secret, strlen(secret), fingerprint);
    add_named(finding->context, &finding->evidence, name, dr_strdup(finding->context, fingerprint), true);
}

void dr_finding_argument(struct dr_finding *finding, const char *name, const char *value)
{
    add_named(finding->context, &finding->arguments, name, dr_strdup(finding->context, value), false);
}

void dr_finding_severity(struct dr_finding *finding, enum dr_severity severity)
{
    finding->severity = severity;
}

void dr_finding_confidence(struct dr_finding *finding, enum dr_confidence confidence)
{
    finding->confidence = confidence;
}

void dr_finding_restrict(struct dr_finding *finding, enum dr_safety safety, const char *why)
{
    if (safety < finding->safety)
        finding->safety = safety;
    if (why)
        finding->why = dr_strdup(finding->context, why);
    else if (finding->safety == DR_MANUAL)
        finding->why = NULL; /* the row's says why consent is asked for, not why nothing is offered */
}

void dr_finding_identity(struct dr_finding *finding, const char *identity)
{
    finding->identity = dr_strdup(finding->context, identity);
}

const struct dr_problem *dr_finding_problem(const struct dr_finding *finding)
{
    return finding->problem;
}

const struct dr_source *dr_finding_subject(const struct dr_finding *finding)
{
    return &finding->subject;
}

static const char *named(const struct dr_named *list, const char *name, size_t length)
{
    for (; list; list = list->next)
        if (strlen(list->name) == length && memcmp(list->name, name, length) == 0)
            return list->value;
    return NULL;
}

const char *dr_finding_get(const struct dr_finding *finding, const char *argument)
{
    return named(finding->arguments, argument, strlen(argument));
}

size_t dr_finding_list(struct dr_context *context, const struct dr_finding *finding, const char *argument,
                       const char **ret_texts, size_t most)
{
    const char *list = dr_finding_get(finding, argument);
    size_t count = 0;

    while (list && *list && count < most) {
        size_t length = strcspn(list, ", ");

        ret_texts[count++] = dr_strndup(context, list, length);
        list += length;
        list += strspn(list, ", ");
    }
    return count;
}

void dr_could_not_tell(struct dr_findings *findings, const struct dr_source *subject, const char *format, ...)
{
    struct dr_unknown *unknown = dr_alloc(findings->context, sizeof(*unknown));
    const char *text;
    va_list arguments;

    va_start(arguments, format);
    text = dr_vformat(findings->context, format, arguments);
    va_end(arguments);
    unknown->subject = copy_source(findings->context, subject);
    unknown->reason = safe_text(findings->context, text);
    *findings->last_unknown = unknown;
    findings->last_unknown = &unknown->next;
}

bool dr_unknown_fact(struct dr_findings *findings, const struct dr_fact *fact)
{
    if (fact->state != DR_UNKNOWN && fact->state != DR_NOT_LOOKED)
        return false;
    dr_could_not_tell(findings, &fact->source, "%s", fact->reason ? fact->reason : "could not be read");
    return true;
}

int dr_not_applicable(struct dr_findings *findings, const char *format, ...)
{
    const char *text;
    va_list arguments;

    va_start(arguments, format);
    text = dr_vformat(findings->context, format, arguments);
    va_end(arguments);
    findings->not_applicable = safe_text(findings->context, text);
    return 1;
}

static unsigned ordinal(const struct dr_findings *findings, const struct dr_finding *finding, const char *seed)
{
    unsigned before = 0;

    for (const struct dr_finding *other = findings->first; other != finding; other = other->next)
        if (strncmp(other->fingerprint, seed, DR_FINGERPRINT_HEX - 1) == 0)
            before++;
    return before;
}

static void fingerprint(struct dr_finding *finding, unsigned count)
{
    char hex[DR_SHA256_HEX];
    const char *seed = dr_format(finding->context, "%s/%s\n%s\n%s\n%u%s%s", finding->check->id, finding->problem->code,
                                 finding->subject.path ? finding->subject.path : "",
                                 finding->subject.pointer ? finding->subject.pointer : "", count,
                                 finding->identity ? "\n" : "", finding->identity ? finding->identity : "");

    if (dr_sha256_hex(seed, strlen(seed), hex) < 0)
        memset(hex, '0', sizeof(hex));
    memcpy(finding->fingerprint, hex, DR_FINGERPRINT_HEX - 1);
}

void dr_findings_seal(struct dr_findings *findings)
{
    for (struct dr_finding *finding = findings->first; finding; finding = finding->next) {
        unsigned count = 0;

        fingerprint(finding, count);
        while (ordinal(findings, finding, finding->fingerprint) > 0)
            fingerprint(finding, ++count);
    }
}

const char *dr_finding_expand(const struct dr_finding *finding, const char *template)
{
    _cleanup_buffer_ struct dr_buffer text = DR_BUFFER(MOST_TEXT);
    const char *rest = template;
    int r = 0;

    while (rest && *rest && r >= 0) {
        size_t plain = strcspn(rest, "{");
        const char *end = strchr(rest + plain, '}');

        r = dr_buffer_append(&text, rest, plain);
        rest += plain;
        if (*rest == '\0' || r < 0)
            break;
        size_t length = end ? (size_t)(end - rest - 1) : 0;
        const char *value = end ? named(finding->evidence, rest + 1, length) : NULL;

        if (!value && end)
            value = named(finding->words, rest + 1, length);
        if (!value && length == 4 && strncmp(rest + 1, "path", 4) == 0 && finding->subject.path)
            value = shown_path(finding->context, finding->subject.path);
        if (value) {
            r = dr_buffer_append_text(&text, value);
            rest = end + 1;
        } else {
            r = dr_buffer_append_byte(&text, *rest++);
        }
    }
    return dr_strdup(finding->context, r < 0 ? "(too long to show)" : dr_buffer_text(&text));
}
