/*
 * Names first (Caddyfile, haproxy.cfg), then words that only one of the servers has. Each word is looked for at the beginning of a line,
 * behind white space; the kind with the most hits wins.
 */
#include "facts/proxies.h"

#include "base/error.h"
#include "facts/proxy_files.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const struct {
    enum dr_proxy_kind kind;
    const char *part; /* of the file's name, without regard to case */
} names[] = {
    { DR_PROXY_CADDY, "caddy" },     { DR_PROXY_HAPROXY, "haproxy" }, { DR_PROXY_APACHE, "apache" },
    { DR_PROXY_APACHE, "httpd" },    { DR_PROXY_NGINX, "nginx" },     { DR_PROXY_TRAEFIK, "traefik" },
    { DR_PROXY_TRAEFIK, "compose" },
};

static const struct {
    enum dr_proxy_kind kind;
    const char *word;
} words[] = {
    { DR_PROXY_NGINX, "proxy_pass " },    { DR_PROXY_NGINX, "proxy_set_header " },
    { DR_PROXY_NGINX, "server {" },       { DR_PROXY_NGINX, "location " },
    { DR_PROXY_NGINX, "events {" },       { DR_PROXY_NGINX, "http {" },
    { DR_PROXY_NGINX, "events{" },        { DR_PROXY_NGINX, "server_name " },
    { DR_PROXY_CADDY, "reverse_proxy" },  { DR_PROXY_CADDY, "handle" },
    { DR_PROXY_CADDY, "encode" },         { DR_PROXY_CADDY, "tls " },
    { DR_PROXY_HAPROXY, "frontend " },    { DR_PROXY_HAPROXY, "backend " },
    { DR_PROXY_HAPROXY, "defaults" },     { DR_PROXY_HAPROXY, "use_backend " },
    { DR_PROXY_HAPROXY, "timeout " },     { DR_PROXY_HAPROXY, "default_backend " },
    { DR_PROXY_APACHE, "ProxyPass" },     { DR_PROXY_APACHE, "<VirtualHost" },
    { DR_PROXY_APACHE, "LoadModule " },   { DR_PROXY_APACHE, "RewriteRule " },
    { DR_PROXY_APACHE, "<Location" },     { DR_PROXY_APACHE, "ServerRoot " },
    { DR_PROXY_TRAEFIK, "routers:" },     { DR_PROXY_TRAEFIK, "services:" },
    { DR_PROXY_TRAEFIK, "http:" },        { DR_PROXY_TRAEFIK, "[http.routers" },
    { DR_PROXY_TRAEFIK, "entryPoints:" }, { DR_PROXY_TRAEFIK, "loadBalancer:" },
};

static bool by_name(const char *path, enum dr_proxy_kind *ret_kind)
{
    const char *slash = strrchr(path, '/');

    for (size_t i = 0; i < DR_COUNT(names); i++)
        if (strcasestr(slash ? slash + 1 : path, names[i].part)) {
            *ret_kind = names[i].kind;
            return true;
        }
    return false;
}

static bool by_content(const struct dr_proxy_file *file, enum dr_proxy_kind *ret_kind)
{
    enum { MOST_LINES = 2000 };
    unsigned hits[DR_PROXY_KINDS] = { 0 }, best = 0;
    const char *at = file->bytes;

    for (int line = 0; line < MOST_LINES && *at; line++) {
        at += strspn(at, " \t\r");
        for (size_t i = 0; i < DR_COUNT(words); i++)
            if (strncasecmp(at, words[i].word, strlen(words[i].word)) == 0)
                hits[words[i].kind]++;
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    for (int kind = 0; kind < DR_PROXY_KINDS; kind++)
        if (hits[kind] > best) {
            best = hits[kind];
            *ret_kind = (enum dr_proxy_kind)kind;
        }
    return best > 0;
}

bool dr_proxy_kind_of(struct dr_context *context, const char *path, enum dr_proxy_kind *ret_kind, const char **ret_why)
{
    const struct dr_proxy_loader *loader = dr_proxy_loader(context, 0);
    const struct dr_proxy_file *file;
    int r = loader->load(loader->user, path, &file);

    if (r == -EISDIR || r == -EINVAL) { /* a folder is HAProxy's, if anybody's */
        const char *const *paths = NULL;

        if (loader->expand(loader->user, dr_format(context, "%s/*.cfg", path), &paths) == 0 && paths && paths[0]) {
            *ret_kind = DR_PROXY_HAPROXY;
            return true;
        }
    }

    if (r < 0) {
        *ret_why = dr_format(context, "the proxy's configuration could not be read: %s", dr_errno_text(r));
        return false;
    }
    if (by_name(path, ret_kind) || by_content(file, ret_kind))
        return true;
    *ret_why = "it does not look like a configuration of nginx, Caddy, HAProxy, Apache httpd or Traefik";
    return false;
}
