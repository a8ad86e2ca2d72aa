/* One criterion of an ACL against what is known of a request (manual 2.6, sections 7.1 and 7.3). */
#include "format/haproxy_request.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    const char *name;
    enum haproxy_method method;
} methods[] = {
    { "str", HAPROXY_MATCH_STRING }, { "beg", HAPROXY_MATCH_BEGIN },   { "end", HAPROXY_MATCH_END },
    { "sub", HAPROXY_MATCH_PART },   { "found", HAPROXY_MATCH_FOUND },
};

static enum haproxy_method method_of(const char *name, size_t length)
{
    for (size_t i = 0; i < DR_COUNT(methods); i++)
        if (strlen(methods[i].name) == length && strncmp(methods[i].name, name, length) == 0)
            return methods[i].method;
    return HAPROXY_MATCH_OTHER;
}

/* "req.hdr", "hdr_beg": the fetch without "req." and what "_beg" says about the method. */
static void take_fetch(struct haproxy_criterion *criterion, const char *word)
{
    static const char *const families[] = { "hdr", "path", "url", "base" };
    size_t length = strcspn(word, "(,");

    if (strncmp(word, "req.", 4) == 0) {
        word += 4;
        length -= 4;
    }
    for (size_t i = 0; i < DR_COUNT(families); i++) {
        size_t family = strlen(families[i]);

        if (length > family + 1 && strncmp(word, families[i], family) == 0 && word[family] == '_' &&
            strncmp(word + family, "_cnt", 4) != 0) {
            criterion->method = method_of(word + family + 1, length - family - 1);
            length = family;
        }
    }
    if (length < sizeof(criterion->fetch))
        memcpy(criterion->fetch, word, length);
    if (strcmp(criterion->fetch, "fhdr") == 0)
        memcpy(criterion->fetch, "hdr", sizeof("hdr"));
}

static void take_argument(struct haproxy_criterion *criterion, const char *word)
{
    const char *open = strchr(word, '(');
    const char *comma = open ? strchr(open, ')') : strchr(word, ',');

    if (open) {
        size_t length = strcspn(open + 1, ",)");

        if (length < sizeof(criterion->argument))
            memcpy(criterion->argument, open + 1, length);
        else
            criterion->fetch[0] = '\0';
        if (open[1 + length] == ',')
            criterion->fetch[0] = '\0'; /* one of several values: not followed */
        comma = comma && comma[1] == ',' ? comma + 1 : NULL;
    }
    /* Converters: only those that change nothing that is looked at here. */
    if (comma && strcmp(comma, ",lower") == 0)
        criterion->any_case = true;
    else if (comma && strcmp(comma, ",host_only") != 0 && strcmp(comma, ",field(1,:)") != 0)
        criterion->fetch[0] = '\0';
}

void dr_haproxy_criterion(const struct haproxy_line *line, size_t from, size_t to, struct haproxy_criterion *ret_criterion)
{
    size_t at = from + 1;

    *ret_criterion = (struct haproxy_criterion){ .line = line, .last = to };
    take_fetch(ret_criterion, dr_haproxy_word(line, from));
    take_argument(ret_criterion, dr_haproxy_word(line, from));
    for (; at < to && line->words[at].text[0] == '-'; at++) {
        const char *flag = line->words[at].text;

        if (strcmp(flag, "-i") == 0)
            ret_criterion->any_case = true;
        else if (strcmp(flag, "-m") == 0)
            ret_criterion->method = method_of(dr_haproxy_word(line, at + 1), strlen(dr_haproxy_word(line, at + 1)));
        else if (strcmp(flag, "-f") == 0)
            ret_criterion->from_file = true;
        if (strcmp(flag, "-m") == 0 || strcmp(flag, "-f") == 0 || strcmp(flag, "-u") == 0)
            at++;
        if (strcmp(flag, "--") == 0 || at + 1 >= to) {
            at++;
            break;
        }
    }
    ret_criterion->first = at < to ? at : to;
}

bool dr_haproxy_asks_host(const struct haproxy_criterion *criterion)
{
    bool host = (strcmp(criterion->fetch, "hdr") == 0 && strcasecmp(criterion->argument, "host") == 0) ||
                strcmp(criterion->fetch, "ssl_fc_sni") == 0 || strcmp(criterion->fetch, "ssl_sni") == 0 ||
                strcmp(criterion->fetch, "req_ssl_sni") == 0;

    return host && criterion->method == HAPROXY_MATCH_STRING && !criterion->from_file;
}

bool dr_haproxy_asks_path(const struct haproxy_criterion *criterion)
{
    return strcmp(criterion->fetch, "path") == 0 && criterion->method == HAPROXY_MATCH_BEGIN && !criterion->from_file &&
           criterion->last == criterion->first + 1;
}

/* --- values ------------------------------------------------------------------------------------------------------------- */

static bool same(const char *a, const char *b, size_t length, bool any_case)
{
    return any_case ? strncasecmp(a, b, length) == 0 : strncmp(a, b, length) == 0;
}

static bool value_matches(const struct haproxy_criterion *criterion, const char *pattern, const char *value)
{
    size_t length = strlen(pattern), have = strlen(value);

    switch (criterion->method) {
    case HAPROXY_MATCH_STRING:
        return length == have && same(pattern, value, length, criterion->any_case);
    case HAPROXY_MATCH_BEGIN:
        return length <= have && same(pattern, value, length, criterion->any_case);
    case HAPROXY_MATCH_END:
        return length <= have && same(pattern, value + have - length, length, criterion->any_case);
    default:
        return criterion->any_case ? strcasestr(value, pattern) != NULL : strstr(value, pattern) != NULL;
    }
}

static enum haproxy_truth match_text(const struct haproxy_criterion *criterion, const char *value)
{
    if (criterion->method == HAPROXY_MATCH_FOUND)
        return HAPROXY_TRUE;
    if (criterion->method == HAPROXY_MATCH_OTHER || criterion->from_file)
        return HAPROXY_UNKNOWN;
    for (size_t i = criterion->first; i < criterion->last; i++)
        if (value_matches(criterion, criterion->line->words[i].text, value))
            return HAPROXY_TRUE;
    return HAPROXY_FALSE;
}

/* Integers and ranges: "443", "eq 443", "gt 0", "1:65535". */
static enum haproxy_truth match_number(const struct haproxy_criterion *criterion, unsigned long number)
{
    const char *op = "eq";

    for (size_t i = criterion->first; i < criterion->last; i++) {
        const char *text = criterion->line->words[i].text;
        char *end;

        if (*text < '0' || *text > '9') {
            op = text;
            continue;
        }
        unsigned long low = strtoul(text, &end, 10);
        unsigned long high = *end != ':' ? low : end[1] ? strtoul(end + 1, NULL, 10) : (unsigned long)-1;
        bool holds = strcmp(op, "eq") == 0   ? number >= low && number <= high
                     : strcmp(op, "gt") == 0 ? number > low
                     : strcmp(op, "ge") == 0 ? number >= low
                     : strcmp(op, "lt") == 0 ? number < low
                                             : strcmp(op, "le") == 0 && number <= low;

        if (holds)
            return HAPROXY_TRUE;
    }
    return HAPROXY_FALSE;
}

/* --- what is known of a request ----------------------------------------------------------------------------------------- */

/* The client's own value of Upgrade or Connection; NULL: it sends none. */
static const char *sent(const struct haproxy_request *request, int header)
{
    if (header == DR_ROUTE_UPGRADE)
        return request->websocket ? "websocket" : NULL;
    return request->websocket ? "Upgrade" : "keep-alive";
}

static bool sent_matches(const struct haproxy_criterion *criterion, const struct haproxy_request *request, int header)
{
    const char *value = header == DR_ROUTE_UPGRADE || header == DR_ROUTE_CONNECTION ? sent(request, header) : NULL;

    return value && match_text(criterion, value) == HAPROXY_TRUE;
}

static enum haproxy_truth match_host(const struct haproxy_criterion *criterion, const struct haproxy_request *request)
{
    size_t count = 0, matched = 0;

    if (!request->names)
        return HAPROXY_UNKNOWN;
    for (; request->names[count]; count++) {
        struct haproxy_criterion loose = *criterion;
        enum haproxy_truth one;

        loose.any_case = true;
        one = match_text(&loose, request->names[count]);
        if (one == HAPROXY_UNKNOWN)
            return one;
        matched += one == HAPROXY_TRUE;
    }
    return matched == count ? HAPROXY_TRUE : matched == 0 ? HAPROXY_FALSE : HAPROXY_UNKNOWN;
}

static enum haproxy_truth match_header(const struct haproxy_criterion *criterion, const struct haproxy_request *request)
{
    int header = dr_route_header_index(criterion->argument, strlen(criterion->argument));
    const struct haproxy_fate *fate = header >= 0 ? &request->headers[header] : NULL;

    if (!fate)
        return HAPROXY_UNKNOWN;
    if (header == DR_ROUTE_HOST && fate->fate == DR_HEADER_CLIENTS)
        return match_host(criterion, request);
    if (fate->fate == DR_HEADER_ABSENT)
        return HAPROXY_FALSE;
    if (fate->fate == DR_HEADER_SET && fate->value && !strchr(fate->value, '%'))
        return match_text(criterion, fate->value);
    /* Behind the client's: any value that fits is enough. */
    if (fate->fate == DR_HEADER_APPENDED && fate->value && !strchr(fate->value, '%') &&
        match_text(criterion, fate->value) == HAPROXY_TRUE)
        return HAPROXY_TRUE;
    if (fate->fate == DR_HEADER_APPENDED && sent_matches(criterion, request, header))
        return HAPROXY_TRUE;
    if (fate->fate != DR_HEADER_CLIENTS || (header != DR_ROUTE_UPGRADE && header != DR_ROUTE_CONNECTION))
        return HAPROXY_UNKNOWN;
    const char *value = sent(request, header);

    if (criterion->method == HAPROXY_MATCH_FOUND && header == DR_ROUTE_CONNECTION && !request->websocket)
        return HAPROXY_UNKNOWN;
    return value ? match_text(criterion, value) : HAPROXY_FALSE;
}

static enum haproxy_truth match_count(const struct haproxy_criterion *criterion, const struct haproxy_request *request)
{
    if (strcasecmp(criterion->argument, "upgrade") != 0 || request->headers[DR_ROUTE_UPGRADE].fate != DR_HEADER_CLIENTS)
        return HAPROXY_UNKNOWN;
    if (criterion->first == criterion->last || criterion->method == HAPROXY_MATCH_FOUND)
        return request->websocket || criterion->method == HAPROXY_MATCH_FOUND ? HAPROXY_TRUE : HAPROXY_FALSE;
    return match_number(criterion, request->websocket ? 1 : 0);
}

/* All that is known of the path is what it begins with. */
static enum haproxy_truth match_path(const struct haproxy_criterion *criterion, const struct haproxy_request *request)
{
    bool possible = false;

    if (!request->path || request->path_line || criterion->from_file ||
        (criterion->method != HAPROXY_MATCH_BEGIN && criterion->method != HAPROXY_MATCH_STRING))
        return HAPROXY_UNKNOWN;
    for (size_t i = criterion->first; i < criterion->last; i++) {
        const char *pattern = criterion->line->words[i].text;
        size_t length = strlen(pattern), known = strlen(request->path);

        if (criterion->method == HAPROXY_MATCH_BEGIN && length <= known &&
            same(pattern, request->path, length, criterion->any_case))
            return HAPROXY_TRUE;
        possible = possible || (length >= known && same(pattern, request->path, known, true));
    }
    return possible ? HAPROXY_UNKNOWN : HAPROXY_FALSE;
}

enum haproxy_truth dr_haproxy_match(const struct haproxy_criterion *criterion, const struct haproxy_request *request)
{
    const char *fetch = criterion->fetch;

    if (strcmp(fetch, "ssl_fc") == 0)
        return criterion->first == criterion->last ? request->tls : HAPROXY_UNKNOWN;
    if (strcmp(fetch, "always_true") == 0 || strcmp(fetch, "always_false") == 0)
        return fetch[7] == 't' ? HAPROXY_TRUE : HAPROXY_FALSE;
    if (strcmp(fetch, "hdr") == 0)
        return match_header(criterion, request);
    if (strcmp(fetch, "hdr_cnt") == 0)
        return match_count(criterion, request);
    if (strcmp(fetch, "path") == 0)
        return match_path(criterion, request);
    if (strcmp(fetch, "method") == 0 && request->websocket)
        return match_text(criterion, "GET");
    if (strcmp(fetch, "dst_port") == 0 && request->port)
        return match_number(criterion, request->port);
    return HAPROXY_UNKNOWN;
}
