/*
 * What becomes of the request's headers: mod_headers (early ones first, then all in merge order), afterwards mod_proxy itself: Host,
 * X-Forwarded-For and -Host, and whatever goes from hop to hop only.
 */
#include "format/apache_internal.h"

#include <string.h>
#include <strings.h>

/* --- variables of the request's environment ---------------------------------------------------------------------------- */

static enum apache_truth later(enum apache_truth before, enum apache_truth said, bool maybe)
{
    return !maybe || before == said ? said : APACHE_MAYBE;
}

/* SetEnvIf attribute regex [!]name[=value] ...: BrowserMatch has no attribute. */
static enum apache_truth set_env_if(const struct apache_facts *facts, const struct apache_node *node, const char *name,
                                    bool browser, enum apache_truth before)
{
    const char *attribute = browser ? "User-Agent" : apache_arg(node, 0);
    const char *regex = apache_arg(node, browser ? 0 : 1);
    enum apache_cover cover;

    /* Of other attributes only a pattern that takes anything, also nothing, is certain. */
    if (strcasecmp(attribute, "Request_URI") == 0)
        cover = apache_regex_covers(regex, facts->path);
    else
        cover = *regex != '.' || regex[1] != '\0' ? apache_regex_covers(regex, "") : APACHE_SOME;
    for (size_t i = browser ? 1 : 2; i < node->word_count && cover != APACHE_NONE; i++) {
        const char *word = apache_arg(node, i);
        bool unset = *word == '!';
        size_t length = strcspn(word + unset, "=");

        if (strlen(name) == length && strncasecmp(word + unset, name, length) == 0)
            before = later(before, unset ? APACHE_FALSE : APACHE_TRUE, cover != APACHE_ALL);
    }
    return before;
}

/* [E=name:value] of a RewriteRule. */
static bool rewrite_sets(const struct apache_node *node, const char *name)
{
    size_t length = strlen(name);

    for (const char *at = apache_arg(node, 2); *at; at++)
        if ((at[0] == 'E' || at[0] == 'e') && at[1] == '=' && strncasecmp(at + 2, name, length) == 0 &&
            strchr(":,]", at[2 + length]))
            return true;
    return false;
}

/* mod_setenvif, mod_rewrite. */
static enum apache_truth set_by_request(const struct apache_facts *facts, const struct apache_node *node, const char *name,
                                        enum apache_truth before)
{
    if (apache_is(node, "SetEnvIf") || apache_is(node, "SetEnvIfNoCase"))
        return set_env_if(facts, node, name, false, before);
    if (apache_is(node, "BrowserMatch") || apache_is(node, "BrowserMatchNoCase"))
        return set_env_if(facts, node, name, true, before);
    if (apache_is(node, "SetEnvIfExpr")) {
        for (size_t i = 1; i < node->word_count; i++)
            if (strncasecmp(apache_arg(node, i), name, strlen(name)) == 0)
                return APACHE_MAYBE;
        return before;
    }
    return apache_is(node, "RewriteRule") && rewrite_sets(node, name) ? APACHE_MAYBE : before;
}

/* mod_env: UnsetEnv takes back what SetEnv said, not what mod_setenvif did. */
static enum apache_truth set_by_server(const struct apache_node *node, const char *name, enum apache_truth before)
{
    bool pass = apache_is(node, "PassEnv");

    if (apache_is(node, "SetEnv"))
        return strcasecmp(apache_arg(node, 0), name) == 0 ? APACHE_TRUE : before;
    if (!pass && !apache_is(node, "UnsetEnv"))
        return before;
    for (size_t i = 0; i < node->word_count; i++)
        if (strcasecmp(apache_arg(node, i), name) == 0)
            return pass ? APACHE_MAYBE : APACHE_FALSE;
    return before;
}

enum apache_truth apache_environment(const struct apache_facts *facts, const char *name, const struct apache_node **ret_node)
{
    /* HTTPS is mod_ssl's own. */
    enum apache_truth request = strcasecmp(name, "HTTPS") == 0 && facts->server->tls ? APACHE_TRUE : APACHE_FALSE;
    enum apache_truth server = APACHE_FALSE;

    *ret_node = NULL;
    for (size_t i = 0; i < facts->scope->count; i++) {
        const struct apache_effect *effect = &facts->scope->effects[i];
        enum apache_truth by_request = set_by_request(facts, effect->node, name, request);
        enum apache_truth by_server = set_by_server(effect->node, name, server);

        if (by_request == request && by_server == server)
            continue;
        request = later(request, by_request, effect->maybe);
        server = later(server, by_server, effect->maybe);
        *ret_node = effect->node;
    }
    return server == APACHE_TRUE || request == APACHE_TRUE ? APACHE_TRUE : server == APACHE_MAYBE ? server : request;
}

/* --- mod_headers ------------------------------------------------------------------------------------------------------------ */

enum action { ACTION_SET, ACTION_SETIFEMPTY, ACTION_APPEND, ACTION_ADD, ACTION_UNSET, ACTION_EDIT, ACTION_NOTE };

static const struct {
    const char *name;
    enum action action;
    size_t values; /* words behind the header's name */
} actions[] = {
    { "set", ACTION_SET, 1 },       { "setifempty", ACTION_SETIFEMPTY, 1 },
    { "append", ACTION_APPEND, 1 }, { "merge", ACTION_APPEND, 1 },
    { "add", ACTION_ADD, 1 },       { "unset", ACTION_UNSET, 0 },
    { "edit", ACTION_EDIT, 2 },     { "edit*", ACTION_EDIT, 2 },
    { "note", ACTION_NOTE, 1 },     { "echo", ACTION_NOTE, 0 },
};

static bool mentions(const char *text, const char *what)
{
    return strcasestr(text, what);
}

/* A value that is made of what the client says about itself. */
static bool is_clients(const char *value)
{
    static const char *const names[] = { "X-Forwarded",    "X_FORWARDED", "X-Real",        "X_REAL",     "HTTP:Forwarded",
                                         "HTTP_FORWARDED", "HTTP:Client", "CF-Connecting", "True-Client" };

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (mentions(value, names[i]))
            return true;
    return false;
}

/* "%{NAME}e": a variable that a directive sets from something else than the client's words. */
static bool is_known_variable(const struct apache_facts *facts, const char *value)
{
    const char *begin = strstr(value, "%{");
    const char *end = begin ? strchr(begin, '}') : NULL;
    const struct apache_node *node;
    const char *name;

    if (!end || end[1] != 'e')
        return true;
    name = dr_arena_strndup(facts->reader->arena, begin + 2, (size_t)(end - begin - 2));
    if (!name || apache_environment(facts, name, &node) == APACHE_FALSE)
        return false;
    return !node || !is_clients(node->args);
}

/* "env=NAME", "env=!NAME", "expr=..." behind the values. */
static enum apache_truth condition(const struct apache_facts *facts, const char *word)
{
    static const char *const https[] = { "expr=%{HTTPS} == 'on'", "expr=%{HTTPS} == \"on\"", "expr=%{HTTPS} -eq 'on'",
                                         "expr=%{REQUEST_SCHEME} == 'https'" };
    const struct apache_node *node;

    if (*word == '\0' || strcasecmp(word, "early") == 0)
        return APACHE_TRUE;
    if (strncasecmp(word, "env=", 4) == 0) {
        bool negated = word[4] == '!';
        enum apache_truth truth = apache_environment(facts, word + 4 + negated, &node);

        return truth == APACHE_MAYBE || !negated ? truth : truth == APACHE_TRUE ? APACHE_FALSE : APACHE_TRUE;
    }
    for (size_t i = 0; i < DR_COUNT(https); i++)
        if (strcasecmp(word, https[i]) == 0)
            return facts->server->tls ? APACHE_TRUE : APACHE_FALSE;
    return APACHE_MAYBE;
}

static enum dr_header_fate own_value(const struct apache_facts *facts, const char *value)
{
    return is_clients(value) || !is_known_variable(facts, value) ? DR_HEADER_UNKNOWN : DR_HEADER_SET;
}

static enum dr_header_fate next_fate(enum dr_header_fate before, enum action action, enum dr_header_fate own)
{
    switch (action) {
    case ACTION_SET:
        return own;
    case ACTION_UNSET:
        return DR_HEADER_ABSENT;
    case ACTION_NOTE:
        return before;
    case ACTION_EDIT:
        /* The client's own text, changed: whatever comes out. */
        return before == DR_HEADER_CLIENTS || before == DR_HEADER_APPENDED ? DR_HEADER_UNKNOWN : before;
    case ACTION_SETIFEMPTY:
        if (before == DR_HEADER_ABSENT)
            return own;
        /* There in any case, and the client's when it sends one: as good as in front. */
        return before == DR_HEADER_CLIENTS ? DR_HEADER_APPENDED : before;
    case ACTION_APPEND:
    case ACTION_ADD:
        if (before == DR_HEADER_ABSENT || before == DR_HEADER_SET)
            return own;
        return before == DR_HEADER_UNKNOWN ? before : DR_HEADER_APPENDED;
    }
    return DR_HEADER_UNKNOWN;
}

static void request_header(const struct apache_facts *facts, const struct apache_effect *effect, bool early,
                           struct dr_route_header headers[DR_ROUTE_HEADERS])
{
    const struct apache_node *node = effect->node;
    const char *name = apache_arg(node, 1), *value = apache_arg(node, 2);
    size_t length = strlen(name);
    size_t i = 0;

    while (i < DR_COUNT(actions) && strcasecmp(actions[i].name, apache_arg(node, 0)) != 0)
        i++;
    if (length > 0 && name[length - 1] == ':')
        length--;

    int index = dr_route_header_index(name, length);

    if (i == DR_COUNT(actions) || index < 0)
        return;

    const char *word = apache_arg(node, 2 + actions[i].values);
    enum apache_truth holds = condition(facts, word);
    enum dr_header_fate before = headers[index].fate;
    enum dr_header_fate after;

    if ((strcasecmp(word, "early") == 0) != early || holds == APACHE_FALSE || actions[i].action == ACTION_NOTE)
        return;
    after = next_fate(before, actions[i].action, own_value(facts, value));
    if ((holds == APACHE_MAYBE || effect->maybe) && after != before)
        after = DR_HEADER_UNKNOWN;
    headers[index] = (struct dr_route_header){ .fate = after, .value = actions[i].values ? value : NULL };
    apache_node_source(node, &headers[index].source);
}

const struct apache_effect *apache_last_request_header(const struct apache_scope *scope, enum dr_route_header_name header)
{
    for (size_t i = scope->count; i > 0; i--) {
        const struct apache_node *node = scope->effects[i - 1].node;
        const char *name = apache_arg(node, 1);
        size_t length = strlen(name);

        if (length > 0 && name[length - 1] == ':')
            length--;
        if (apache_is(node, "RequestHeader") && dr_route_header_index(name, length) == (int)header &&
            strcasecmp(apache_arg(node, 0), "note") != 0)
            return &scope->effects[i - 1];
    }
    return NULL;
}

/* --- mod_proxy -------------------------------------------------------------------------------------------------------------- */

static bool is_on(const struct apache_node *node, bool otherwise)
{
    return node ? strcasecmp(apache_arg(node, 0), "on") == 0 : otherwise;
}

static void proxy_host(const struct apache_facts *facts, struct dr_route_header *host)
{
    bool maybe;
    const struct apache_node *node = apache_scope_last(facts->scope, "ProxyPreserveHost", &maybe);

    if (!maybe && is_on(node, false)) {
        /* What mod_headers made of it; without any, the server's own name. */
        if (host->fate == DR_HEADER_ABSENT)
            host->fate = DR_HEADER_SET;
        if (!host->source.path)
            apache_node_source(node, &host->source);
        return;
    }
    *host = (struct dr_route_header){ .fate = maybe ? DR_HEADER_UNKNOWN : DR_HEADER_SET };
    apache_node_source(node, &host->source);
}

/* What mod_proxy adds is put behind what is there. */
static void proxy_adds(const struct apache_facts *facts, struct dr_route_header *header)
{
    bool maybe;
    const struct apache_node *node = apache_scope_last(facts->scope, "ProxyAddHeaders", &maybe);

    if (maybe) {
        header->fate = DR_HEADER_UNKNOWN;
        apache_node_source(node, &header->source);
        return;
    }
    if (!is_on(node, true)) {
        if (!header->source.path && node)
            apache_node_source(node, &header->source);
        return;
    }
    if (header->fate == DR_HEADER_ABSENT)
        header->fate = DR_HEADER_SET;
    else if (header->fate == DR_HEADER_CLIENTS)
        header->fate = DR_HEADER_APPENDED;
}

/*
 * mod_remoteip makes the address that a header names the client's. Without a list of the proxies that may say so it believes
 * everybody: an address of the server's own choosing is then one that the client chose.
 */
const struct apache_node *apache_believes_everybody(const struct apache_server *server)
{
    static const char *const lists[] = { "RemoteIPInternalProxy", "RemoteIPTrustedProxy", "RemoteIPInternalProxyList",
                                         "RemoteIPTrustedProxyList" };

    for (size_t i = 0; i < DR_COUNT(lists); i++)
        if (apache_server_directive(server, lists[i]))
            return NULL;
    return apache_server_directive(server, "RemoteIPHeader");
}

static void remote_ip(const struct apache_facts *facts, struct dr_route_header headers[DR_ROUTE_HEADERS])
{
    const struct apache_node *node = apache_believes_everybody(facts->server);
    static const int names[] = { DR_ROUTE_FORWARDED_FOR, DR_ROUTE_REAL_IP };

    for (size_t i = 0; node && i < DR_COUNT(names); i++) {
        struct dr_route_header *header = &headers[names[i]];

        if (header->fate == DR_HEADER_SET && (!header->value || mentions(header->value, "REMOTE_ADDR"))) {
            header->fate = DR_HEADER_APPENDED;
            apache_node_source(node, &header->source);
        }
    }
}

void apache_headers(const struct apache_facts *facts, struct dr_route_header headers[DR_ROUTE_HEADERS])
{
    for (int i = 0; i < DR_ROUTE_HEADERS; i++)
        headers[i] = (struct dr_route_header){ .fate = DR_HEADER_CLIENTS };
    for (int early = 1; early >= 0; early--)
        for (size_t i = 0; i < facts->scope->count; i++)
            if (apache_is(facts->scope->effects[i].node, "RequestHeader"))
                request_header(facts, &facts->scope->effects[i], early, headers);
    enum dr_header_fate host = headers[DR_ROUTE_HOST].fate;

    proxy_host(facts, &headers[DR_ROUTE_HOST]);
    proxy_adds(facts, &headers[DR_ROUTE_FORWARDED_FOR]);
    /* Without a Host there is nothing to add. */
    if (host == DR_HEADER_UNKNOWN)
        headers[DR_ROUTE_FORWARDED_HOST].fate = DR_HEADER_UNKNOWN;
    else if (host != DR_HEADER_ABSENT)
        proxy_adds(facts, &headers[DR_ROUTE_FORWARDED_HOST]);
    remote_ip(facts, headers);
}
