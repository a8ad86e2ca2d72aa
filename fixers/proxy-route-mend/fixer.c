/*
 * Makes a proxy's route pass on what the gateway needs: the smallest edits at the route itself, the server's own test, a reload, and, where the
 * proxy will now say whom it speaks for, its address in gateway.trustedProxies. All of it stands or falls together.
 *
 * Whether it helped is seen by the next look, through the proxy; else everything is put back and the server reloaded once more.
 */
#include "api/fixer.h"

#include "api/approach.h"
#include "api/install.h"
#include "api/proxy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_EDITS = 64, MOST_FILES = 8 };

/* --- the server's own test and reload --------------------------------------------------------------------------------- */

static const struct server {
    const char *test;
    const char *reload; /* a signal to the running process; NULL: `reload_program` */
    const char *reload_program;
    bool prefix; /* the test takes the prefix as a second word */
} servers[DR_PROXY_KINDS] = {
    [DR_PROXY_NGINX] = { .test = "nginx-test", .reload = "nginx-signal", .prefix = true },
    [DR_PROXY_CADDY] = { .test = "caddy-adapt", .reload_program = "caddy-reload" },
    [DR_PROXY_HAPROXY] = { .test = "haproxy-test", .reload = "haproxy-signal" },
    [DR_PROXY_APACHE] = { .test = "apache-test", .reload = "apache-signal", .prefix = true },
};

/* Debian's httpd has its variables from a file that only its wrapper reads. */
static bool is_debians_apache(const struct dr_proxy_config *config)
{
    return config->kind == DR_PROXY_APACHE && strcmp(config->path, "/etc/apache2/apache2.conf") == 0;
}

static void plan_test(const struct dr_proxy_config *config, struct dr_plan *plan)
{
    const struct server *server = &servers[config->kind];
    struct dr_command command = {
        .name = server->test,
        .program = config->program,
        .words = { config->path, server->prefix ? config->prefix : NULL },
        .when = DR_COMMAND_FORWARD,
    };

    if (!server->test || !config->program)
        return;
    /* HAProxy reads all of them as one; a word for each, as far as words go. */
    for (size_t i = 0; config->also && config->also[i] && i + 1 < MOST_FILES; i++)
        command.words[i + 1] = config->also[i];
    if (is_debians_apache(config))
        command =
            (struct dr_command){ .name = "apachectl-test", .program = "/usr/sbin/apachectl", .when = DR_COMMAND_FORWARD };
    (void)dr_plan_run_command(plan, &command);
}

static bool can_reload(const struct dr_proxy_config *config)
{
    const struct server *server = &servers[config->kind];

    return config->pid > 0 && config->program &&
           (server->reload || (server->reload_program && !(config->admin && !*config->admin)));
}

static void plan_reload(struct dr_context *context, const struct dr_proxy_config *config, unsigned when,
                        struct dr_plan *plan)
{
    const struct server *server = &servers[config->kind];
    struct dr_command command = { .name = server->reload, .program = config->program, .when = when };

    if (server->reload) {
        command.words[0] = dr_format(context, "%ld", config->pid);
        command.words[1] = dr_format(context, "%llu", (unsigned long long)config->pid_start);
    } else {
        command.name = server->reload_program;
        command.words[0] = config->path;
        command.words[1] = config->admin;
    }
    (void)dr_plan_run_command(plan, &command);
}

/* --- the edits --------------------------------------------------------------------------------------------------------- */

static void plan_edits(struct dr_context *context, const struct dr_route *route, const struct dr_route_edits *edits,
                       struct dr_plan *plan)
{
    for (size_t i = 0; i < edits->count;) {
        const struct dr_proxy_file *file = edits->list[i].file;
        struct dr_edit *list = dr_alloc(context, MOST_EDITS * sizeof(*list));
        size_t count = 0;

        for (; i < edits->count && edits->list[i].file == file && count < MOST_EDITS; i++)
            list[count++] = edits->list[i].edit;
        struct dr_operation *operation = dr_plan_edit_file(plan, file->path, &file->identity, file->sha256, list, count);

        operation->summary = dr_format(context, "let %s pass on what the gateway needs, in %s",
                                       dr_proxy_kind_name(route->config->kind), file->path);
        operation->while_running = DR_GO_AHEAD;
        if (!can_reload(route->config))
            operation->restart = dr_format(context, "reload %s", dr_proxy_kind_name(route->config->kind));
    }
}

static bool trusts(struct dr_context *context, const struct dr_address *peer, bool *ret_known)
{
    const struct dr_rules *rules = dr_installs(context)->rules;
    const char *const *list;
    const char *why;
    size_t count;

    *ret_known = dr_trusted_proxies(context, &list, &count, &why) >= 0;
    for (size_t i = 0; *ret_known && i < count; i++)
        if (dr_trust_matches(rules, list[i], peer))
            return true;
    return false;
}

/* Once the proxy says whom it speaks for, the gateway must believe it: before 2026.8.1 it would warn, since then refuse. */
static void plan_trust(struct dr_context *context, const struct dr_route *route, struct dr_plan *plan)
{
    struct dr_address peers[2];
    const char *added[2];
    size_t count = dr_route_peers(context, route, peers), missing = 0;
    char text[DR_ADDRESS_TEXT];
    bool known;

    for (size_t i = 0; i < count; i++)
        if (!trusts(context, &peers[i], &known) && known)
            added[missing++] = dr_strdup(context, dr_address_text(&peers[i], text));
    if (missing > 0)
        (void)dr_plan_append_config(plan, "gateway.trustedProxies", added, missing);
}

static unsigned number(const struct dr_finding *finding, const char *name)
{
    const char *text = dr_finding_get(finding, name);

    return text ? (unsigned)strtoul(text, NULL, 10) : 0;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

static const struct dr_route *route_of(struct dr_context *context, const struct dr_finding *finding)
{
    const struct dr_proxies *proxies = dr_proxies(context);

    for (size_t i = 0; i < proxies->to_gateway_count; i++) {
        const struct dr_route *route = proxies->to_gateway[i];

        if (same(route->config->path, dr_finding_get(finding, "config")) &&
            same(route->source.path, dr_finding_get(finding, "file")) && route->source.line == number(finding, "line") &&
            route->source.column == number(finding, "column") &&
            same(route->upstream_text, dr_finding_get(finding, "upstream")))
            return route;
    }
    return NULL;
}

static size_t count_of(const char *const *list)
{
    size_t count = 0;

    while (list[count])
        count++;
    return count;
}

static int plan_mend(struct dr_context *context, const struct dr_finding *finding, struct dr_plan *plan)
{
    const struct dr_route *route = route_of(context, finding);
    unsigned mends = number(finding, "mends");
    struct dr_route_edits edits;
    const char *why = NULL;

    if (!route) {
        dr_plan_refuse(plan, "the route is not there any more");
        return 0;
    }
    if (route->config->also && count_of(route->config->also) >= MOST_FILES) {
        dr_plan_refuse(plan, "HAProxy is started with more than %d files; its own test could not be run with them",
                       MOST_FILES);
        return 0;
    }
    int r = dr_route_mend(context, route, mends, &edits, &why);

    if (r < 0 || edits.count == 0) {
        dr_plan_refuse(plan, "%s", why ? why : "it cannot be mended by an edit of its configuration");
        return r == -ENOMEM ? r : 0;
    }
    bool reload = can_reload(route->config);

    if (mends & DR_MEND_FORWARD)
        plan_trust(context, route, plan);
    if (reload)
        plan_reload(context, route->config, DR_COMMAND_ON_UNDO, plan);
    plan_edits(context, route, &edits, plan);
    plan_test(route->config, plan);
    if (reload)
        plan_reload(context, route->config, DR_COMMAND_FORWARD, plan);
    return 0;
}

const struct dr_fixer dr_fixer_proxy_route_mend = {
    .id = "proxy-route-mend",
    .title = "Let the proxy pass on what the gateway needs, and reload it",
    .plan = plan_mend,
};
