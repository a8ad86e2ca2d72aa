/*
 * URLs of gateways: ws://, wss://, http:// or https://, with host, port and path. User names, passwords, queries and fragments may hold tokens: they
 * are left out, never sent and never shown.
 */
#ifndef DR_FACTS_LIVE_URL_H
#define DR_FACTS_LIVE_URL_H

#include "facts/context.h"

struct dr_live_url {
    bool tls;
    const char *host; /* without brackets */
    unsigned port;
    const char *path; /* begins with "/" */
};

/* NULL, or why it is no such URL. */
const char *dr_live_url_read(struct dr_context *context, const char *text, struct dr_live_url *ret_url);

/* "https://host/path": the port is left out where it is the scheme's own; whatever is no plain URL character is percent-encoded. */
const char *dr_live_url_text(struct dr_context *context, bool tls, const char *host, unsigned port, const char *path);

#endif
