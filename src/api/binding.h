/*
 * Where the gateway listens, or would: gateway.bind, --bind of the running gateway, of its unit or of a compose file, the default of the release,
 * and what the kernel says of the port. Sources: facts/openclaw-2026.2.md section 10, openclaw-2026.9.md section 3.4, failure-modes.md rows 14
 * and 26; dist of both releases: OPENCLAW_GATEWAY_BIND is read by neither (compose files hand it on as --bind).
 *
 * fact: DR_UNKNOWN where the configuration is. `state` of the listeners is a fact of its own.
 */
#ifndef DR_API_BINDING_H
#define DR_API_BINDING_H

#include "api/listeners.h"
#include "api/proxy.h"

enum dr_bind_reach {
    DR_BIND_LOOPBACK, /* this host (in a container: this container) only */
    DR_BIND_ADDRESS, /* one address of this host (custom, tailnet) */
    DR_BIND_ALL,
};

struct dr_published {
    const char *path; /* of the compose file */
    unsigned line;
    const char *host; /* "": all addresses of the host */
    unsigned port; /* on the host, 0: any */
};

/* Something that a compose file leaves open. */
struct dr_binding_doubt {
    struct dr_source source;
    const char *text;
};

struct dr_binding {
    struct dr_fact fact;
    const char *mode; /* "loopback", "lan", "auto", "custom", "tailnet", or what stands there instead */
    const char
        *mode_from; /* "gateway.bind", "--bind of the running gateway", "--bind in /x/compose.yml", "the default" ... */
    struct dr_source source; /* of the word; of the configuration for a default */
    bool mode_known; /* it is one of the five */
    const char *configured; /* gateway.bind; NULL: not set */
    struct dr_source configured_source;
    const char *custom_host; /* gateway.customBindHost, NULL: not set */
    enum dr_bind_reach meant; /* what the mode amounts to */
    bool running; /* a gateway listens on the port, as the kernel says */
    enum dr_bind_reach reach; /* what is really so when it runs, else `meant` */
    const char *listens; /* "127.0.0.1:18789, [::1]:18789"; NULL: does not run */
    unsigned port;
    const char *unread; /* the value of OPENCLAW_GATEWAY_BIND where nothing hands it on; NULL */
    struct dr_source unread_source; /* path NULL: this environment */
    bool mode_unknown; /* the word is a variable of a compose file that nothing sets */
    const char *container; /* the service of a compose file that runs the gateway; NULL: none was found */
    const struct dr_binding_doubt *doubts;
    size_t doubt_count;
    const struct dr_proxy_fault *faults; /* of compose files: the first of each */
    size_t fault_count;
    const struct dr_published *published; /* compose files that publish the gateway's port */
    size_t published_count;
};

const struct dr_binding *dr_binding(struct dr_context *context);

#endif
