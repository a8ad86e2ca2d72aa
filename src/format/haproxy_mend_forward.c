/* Mending what the gateway learns about the client: X-Forwarded-For and X-Forwarded-Proto. */
#include "format/haproxy_mend.h"

#include <string.h>
#include <strings.h>

/* The last of the section's rules about a header: what is added goes behind it. */
static const struct haproxy_line *last_about(const struct haproxy_mending *mending, const char *header)
{
    const struct haproxy_line *last = NULL;

    for (size_t i = 0; i < mending->section->count; i++) {
        const struct haproxy_line *line = &mending->section->lines[i];

        if (dr_haproxy_is(line, 0, "http-request") && dr_haproxy_touches(line, header))
            last = line;
    }
    return last;
}

static bool leads_to(const struct haproxy_proxy *frontend, const struct haproxy_proxy *backend)
{
    const char *name = backend->section->name;

    if (frontend->default_backend && dr_haproxy_is(frontend->default_backend, 1, name))
        return true;
    for (size_t i = 0; i < frontend->switches.count; i++)
        if (dr_haproxy_is(frontend->switches.list[i], 1, name) ||
            strchr(dr_haproxy_word(frontend->switches.list[i], 1), '%'))
            return true;
    return frontend == backend;
}

static bool appends_for_all(const struct haproxy_forwardfor *on)
{
    return on->line && strcasecmp(on->header, "X-Forwarded-For") == 0 && !on->excepts;
}

/* Does "option forwardfor" add the client's address for everybody who comes to this backend, from whichever frontend? */
static bool always_appends(const struct haproxy_mending *mending)
{
    const struct haproxy_proxies *proxies = mending->place->proxies;
    const struct haproxy_proxy *backend = mending->place->backend;
    bool all = true;

    for (size_t i = 0; all && i < proxies->tree->count; i++) {
        const struct haproxy_proxy *frontend = &proxies->list[i];
        bool reads = frontend->mode == HAPROXY_HTTP;

        if (!dr_haproxy_is_frontend(frontend) || !leads_to(frontend, backend))
            continue;
        all = appends_for_all(backend->forwardfor.line ? &backend->forwardfor : &frontend->forwardfor) &&
              (reads ? !frontend->forwardfor.excepts : backend->forwardfor.line != NULL);
    }
    return all;
}

/*
 * Adds a rule about a header that counts for each request: behind the others about it, and once more before an "allow" which could end the
 * rules before that.
 */
static void add_rule(struct haproxy_mending *mending, const char *header, const char *text)
{
    const struct haproxy_line *after = last_about(mending, header);
    bool twice = false;

    for (size_t i = 0; after && i < mending->section->count && &mending->section->lines[i] != after; i++)
        twice = twice || (dr_haproxy_is(&mending->section->lines[i], 0, "http-request") &&
                          dr_haproxy_is(&mending->section->lines[i], 1, "allow"));
    if (twice)
        dr_haproxy_add(&mending->editor, mending->section, NULL, text);
    dr_haproxy_add(&mending->editor, mending->section, after, text);
}

static void mend_forwarded_for(struct haproxy_mending *mending)
{
    if (mending->place->handshake.source_from_client) {
        dr_haproxy_refuse(&mending->editor, "'http-request set-src' takes the client's address from a header");
        return;
    }
    add_rule(mending, "X-Forwarded-For",
             always_appends(mending) ? "http-request del-header X-Forwarded-For"
                                     : "http-request set-header X-Forwarded-For %[src]");
}

/* A "listen" whose clients all speak TLS, or none, says so in one line. */
static void mend_forwarded_proto(struct haproxy_mending *mending)
{
    const struct haproxy_place *place = mending->place;
    bool tls = false, plain = false;

    for (size_t i = 0; i < place->frontend->binds.count; i++) {
        bool one = dr_haproxy_own_parameter(place->frontend->binds.list[i], 2, "ssl") > 0;

        tls = tls || one;
        plain = plain || !one;
    }
    if (place->frontend == place->backend && tls != plain && !place->frontend->named) {
        add_rule(mending, "X-Forwarded-Proto",
                 tls ? "http-request set-header X-Forwarded-Proto https" : "http-request set-header X-Forwarded-Proto http");
        return;
    }
    add_rule(mending, "X-Forwarded-Proto", "http-request set-header X-Forwarded-Proto https if { ssl_fc }");
    add_rule(mending, "X-Forwarded-Proto", "http-request set-header X-Forwarded-Proto http if !{ ssl_fc }");
}

/* An "allow" in the backend's "defaults": it may keep the backend's own rules from counting. */
static const struct haproxy_line *allowed_before(const struct haproxy_mending *mending)
{
    const struct haproxy_scope *scope = mending->place->backend->inherited;

    for (size_t i = 0; scope && i < scope->rules.count; i++) {
        const struct haproxy_line *line = scope->rules.list[i];

        if (dr_haproxy_is(line, 1, "allow") &&
            (dr_haproxy_holds_for(&mending->place->handshake, scope, line) != HAPROXY_FALSE ||
             dr_haproxy_holds_for(&mending->place->ordinary, scope, line) != HAPROXY_FALSE))
            return line;
    }
    return NULL;
}

void dr_haproxy_mend_forward(struct haproxy_mending *mending)
{
    const struct dr_route_header *headers = mending->route->headers;

    if (!mending->place->http) {
        dr_haproxy_refuse(&mending->editor,
                          "in 'mode tcp' HAProxy passes bytes on and cannot write headers: 'mode http' is needed");
        return;
    }
    if (headers[DR_ROUTE_FORWARDED_FOR].fate == DR_HEADER_SET && headers[DR_ROUTE_FORWARDED_PROTO].fate == DR_HEADER_SET)
        return;
    const struct haproxy_line *allow = allowed_before(mending);

    if (allow) {
        dr_haproxy_refuse_line(mending, allow, "ends the rules before those of the backend are looked at");
        return;
    }
    if (headers[DR_ROUTE_FORWARDED_FOR].fate != DR_HEADER_SET)
        mend_forwarded_for(mending);
    if (headers[DR_ROUTE_FORWARDED_PROTO].fate != DR_HEADER_SET)
        mend_forwarded_proto(mending);
}
