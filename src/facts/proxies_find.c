/*
 * Places: what the user named, then what running servers were started with, then the usual places of packages and of upstream builds.
 * Sources: nginx(8), haproxy(1), caddy run --help, httpd(8); Debian's packages; the servers' own build defaults.
 */
#include "facts/proxies.h"

#include "api/target.h"
#include "base/file.h"
#include "base/text.h"
#include "facts/compose.h"
#include "facts/install_package.h"
#include "facts/proc.h"
#include "facts/text_file.h"

#include <string.h>

/* How a server is told on its command line which configuration to read. */
static const struct server {
    enum dr_proxy_kind kind;
    const char *titles[2]; /* of its processes */
    const char *config_words[3]; /* options that name the file */
    const char *prefix_word;
    const char *programs[4];
    const char *places[5]; /* the first that is there */
} servers[] = {
    {
        .kind = DR_PROXY_NGINX,
        .titles = { "nginx", "openresty" },
        .config_words = { "-c" },
        .prefix_word = "-p",
        .programs = { "/usr/sbin/nginx", "/usr/local/sbin/nginx", "/usr/local/nginx/sbin/nginx",
                      "/usr/local/openresty/nginx/sbin/nginx" },
        .places = { "/etc/nginx/nginx.conf", "/usr/local/nginx/conf/nginx.conf", "/usr/local/etc/nginx/nginx.conf",
                    "/usr/local/openresty/nginx/conf/nginx.conf" },
    },
    {
        .kind = DR_PROXY_CADDY,
        .titles = { "caddy" },
        .config_words = { "--config", "-config" },
        .programs = { "/usr/bin/caddy", "/usr/local/bin/caddy" },
        .places = { "/etc/caddy/Caddyfile" },
    },
    {
        .kind = DR_PROXY_HAPROXY,
        .titles = { "haproxy" },
        .config_words = { "-f" },
        .programs = { "/usr/sbin/haproxy", "/usr/local/sbin/haproxy" },
        .places = { "/etc/haproxy/haproxy.cfg", "/usr/local/etc/haproxy/haproxy.cfg" },
    },
    {
        .kind = DR_PROXY_APACHE,
        .titles = { "apache2", "httpd" },
        .config_words = { "-f" },
        .prefix_word = "-d",
        .programs = { "/usr/sbin/apache2", "/usr/sbin/httpd", "/usr/local/apache2/bin/httpd" },
        .places = { "/etc/apache2/apache2.conf", "/etc/httpd/conf/httpd.conf", "/usr/local/apache2/conf/httpd.conf" },
    },
    {
        .kind = DR_PROXY_TRAEFIK,
        .titles = { "traefik" },
        .config_words = { "--configFile", "--configfile", "-configFile" },
        .programs = { "/usr/local/bin/traefik", "/usr/bin/traefik" },
        .places = { "/etc/traefik/traefik.yml", "/etc/traefik/traefik.yaml", "/etc/traefik/traefik.toml" },
    },
};

static bool is_file(struct dr_context *context, const char *path)
{
    struct stat st;

    return dr_stat(context->request->root_fd, path, &st) == 0 && (S_ISREG(st.st_mode) || S_ISLNK(st.st_mode));
}

static const struct server *server_of(enum dr_proxy_kind kind)
{
    for (size_t i = 0; i < DR_COUNT(servers); i++)
        if (servers[i].kind == kind)
            return &servers[i];
    return NULL;
}

static const char *program_of(struct dr_context *context, const struct server *server)
{
    for (size_t i = 0; i < DR_COUNT(server->programs) && server->programs[i]; i++)
        if (is_file(context, server->programs[i]))
            return server->programs[i];
    return NULL;
}

static struct dr_proxy_place *known(struct dr_proxy_places *places, const struct server *server, const char *path)
{
    for (size_t i = 0; i < places->count; i++)
        if (places->list[i].kind == server->kind && strcmp(places->list[i].path, path) == 0)
            return &places->list[i];
    return NULL;
}

static struct dr_proxy_place *add(struct dr_context *context, struct dr_proxy_places *places, const struct server *server,
                                  const char *path, const char *found_by)
{
    struct dr_proxy_place *place = server ? known(places, server, path) : NULL;

    if (!server || place || places->count == DR_MOST_PROXIES)
        return place;
    place = &places->list[places->count++];
    *place = (struct dr_proxy_place){
        .kind = server->kind,
        .path = path,
        .found_by = found_by,
        .program = program_of(context, server),
    };
    return place;
}

/* --- running servers -------------------------------------------------------------------------------------------------- */

/* nginx writes one line over its words: "nginx: master process /usr/sbin/nginx -c /x/nginx.conf -p /x". */
static const char *const *split_title(struct dr_context *context, const char *line)
{
    enum { MOST = 64 };
    const char **words = dr_alloc(context, (MOST + 1) * sizeof(*words));

    for (size_t count = 0; count < MOST;) {
        line += strspn(line, " ");
        size_t length = strcspn(line, " ");

        if (length == 0)
            break;
        words[count++] = dr_strndup(context, line, length);
        line += length;
    }
    return words;
}

/* The value behind `option`, or glued to it with "=" or nothing ("-c/x"). */
static const char *value_of(const char *const *words, const char *option)
{
    size_t length = option ? strlen(option) : 0;

    for (size_t i = 0; option && words[i]; i++) {
        if (strncmp(words[i], option, length) != 0)
            continue;
        if (words[i][length] == '\0')
            return words[i + 1];
        if (words[i][length] == '=')
            return words[i] + length + 1;
        if (option[1] != '-' && length == 2 && words[i][length] == '/')
            return words[i] + length;
    }
    return NULL;
}

static const char *absolute(struct dr_context *context, long pid, const char *path)
{
    const char *folder;

    if (!path || path[0] == '/')
        return path;
    return dr_process_link(context, pid, "cwd", &folder) == 0 ? dr_context_join(context, folder, path) : NULL;
}

/* HAProxy's files; "-C folder" is where relative ones begin. */
static const char *const *all_absolute(struct dr_context *context, long pid, const char *const *words)
{
    const char *const *files = dr_haproxy_files(context, words);
    const char *folder = value_of(words, "-C");
    size_t count = 0;

    while (files[count])
        count++;
    const char **list = dr_alloc(context, (count + 1) * sizeof(*list));

    for (size_t i = 0; i < count; i++) {
        const char *path = files[i][0] != '/' && folder ? dr_context_join(context, folder, files[i]) : files[i];

        list[i] = absolute(context, pid, path);
        if (!list[i])
            return NULL;
    }
    return list;
}

static const char *joined(struct dr_context *context, const char *const *words)
{
    const char *text = "";

    for (size_t i = 0; i < 24 && words[i]; i++)
        text = dr_format(context, "%s%s%s", text, i ? " " : "", words[i]);
    return text;
}

static void take_process(struct dr_context *context, struct dr_proxy_places *places, const struct server *server,
                         const struct dr_met_process *met)
{
    const char *const *words;
    const char *path = NULL, *exe;
    struct dr_process process;

    if (dr_process_words(context, met->pid, &words) < 0 || !words[0] || dr_process_read(context, met->pid, &process) < 0)
        return;
    if (server->kind == DR_PROXY_NGINX) {
        if (!strstr(words[0], "master process")) {
            /* Without a master (daemon off; master_process off) the words are as they were given. */
            if (dr_text_starts_with(words[0], "nginx: "))
                return;
        } else {
            words = split_title(context, strstr(words[0], "master process") + strlen("master process"));
        }
    }
    const char *const *files = server->kind == DR_PROXY_HAPROXY ? all_absolute(context, met->pid, words) : NULL;

    if (files)
        path = files[0];
    for (size_t i = 0; i < DR_COUNT(server->config_words) && !path; i++)
        path = value_of(words, server->config_words[i]);
    path = absolute(context, met->pid, path);
    for (size_t i = 0; i < DR_COUNT(server->places) && !path && server->places[i]; i++)
        if (is_file(context, server->places[i]))
            path = server->places[i];
    if (!path)
        return;
    struct dr_proxy_place *place =
        add(context, places, server, path, dr_format(context, "running %s (pid %ld)", met->title, met->pid));

    /* Of several processes with one configuration the oldest is the master. */
    if (!place || (place->pid != 0 && place->pid <= met->pid))
        return;
    place->pid = met->pid;
    place->pid_start = process.start_ticks;
    place->pid_words = joined(context, words);
    if (files && files[0])
        place->also = files[1] ? files + 1 : NULL;
    place->prefix = absolute(context, met->pid, value_of(words, server->prefix_word));
    if (dr_process_link(context, met->pid, "exe", &exe) == 0 && exe[0] == '/')
        place->program = exe;
}

static void find_running(struct dr_context *context, struct dr_proxy_places *places)
{
    for (const struct dr_met_process *met = dr_processes_met(context); met; met = met->next)
        for (size_t i = 0; i < DR_COUNT(servers); i++)
            for (size_t t = 0; t < DR_COUNT(servers[i].titles) && servers[i].titles[t]; t++)
                if (!met->elsewhere && strcmp(servers[i].titles[t], met->title) == 0)
                    take_process(context, places, &servers[i], met);
}

/* --- what was named, and the usual places ----------------------------------------------------------------------------- */

/* Named several times, HAProxy's are one configuration, as with several "-f". */
static bool add_to_named(struct dr_context *context, struct dr_proxy_places *places, const char *path)
{
    for (size_t i = 0; i < places->count; i++) {
        struct dr_proxy_place *place = &places->list[i];
        size_t count = 0;

        if (place->kind != DR_PROXY_HAPROXY)
            continue;
        while (place->also && place->also[count])
            count++;
        const char **list = dr_alloc(context, (count + 2) * sizeof(*list));

        for (size_t j = 0; j < count; j++)
            list[j] = place->also[j];
        list[count] = path;
        place->also = list;
        return true;
    }
    return false;
}

/* A file that was named by itself, and that a running HAProxy reads as one of several: those are read. */
static void drop_parts(struct dr_proxy_places *places)
{
    for (size_t i = 0; i < places->count; i++)
        for (size_t j = 0; j < places->count; j++) {
            const char *const *also = j != i && places->list[j].pid ? places->list[j].also : NULL;
            bool part = false;

            for (; also && *also && !places->list[i].pid && places->list[i].kind == DR_PROXY_HAPROXY; also++)
                part = part || strcmp(*also, places->list[i].path) == 0;
            if (!part)
                continue;
            memmove(&places->list[i], &places->list[i + 1], (places->count - i - 1) * sizeof(places->list[0]));
            places->count--;
            i--;
            break;
        }
}

static void find_named(struct dr_context *context, struct dr_proxy_places *places)
{
    const char *const *named = context->request->proxy_configs;

    for (; named && *named; named++) {
        enum dr_proxy_kind kind;
        const char *why = NULL;

        if (dr_proxy_kind_of(context, *named, &kind, &why)) {
            if (kind == DR_PROXY_HAPROXY && add_to_named(context, places, *named))
                continue;
            (void)add(context, places, server_of(kind), *named, "--proxy-config");
            continue;
        }
        places->reason = why;
        places->source = (struct dr_source){ .path = *named };
    }
}

static void find_haproxy_service(struct dr_context *context, struct dr_proxy_places *places)
{
    const char *from;
    const char *const *files = dr_haproxy_service_files(context, &from);
    struct dr_proxy_place *place;
    size_t before = places->count;
    struct stat st;

    if (!files || !files[0] || dr_stat(context->request->root_fd, files[0], &st) < 0)
        return;
    place = add(context, places, server_of(DR_PROXY_HAPROXY), files[0], from);
    if (place && places->count > before) /* else it was named, or it runs, and that says more */
        place->also = files[1] ? files + 1 : NULL;
}

static void find_usual(struct dr_context *context, struct dr_proxy_places *places)
{
    find_haproxy_service(context, places);
    for (size_t i = 0; i < DR_COUNT(servers); i++)
        for (size_t p = 0; p < DR_COUNT(servers[i].places) && servers[i].places[p]; p++)
            if (is_file(context, servers[i].places[p])) {
                const char *path = servers[i].places[p];
                const char *slash = strrchr(path, '/');

                (void)add(context, places, &servers[i], path, dr_strndup(context, path, (size_t)(slash - path)));
                break;
            }
}

/* Compose files of this installation with labels for Traefik. */
static void find_compose(struct dr_context *context, struct dr_proxy_places *places)
{
    struct dr_compose_place found[DR_MOST_COMPOSE];
    size_t count = dr_compose_places(context, found);
    struct dr_text_file file;

    for (size_t i = 0; i < count; i++)
        if (dr_text_file_read(context, found[i].path, &file) >= 0 && memmem(file.bytes, file.length, "traefik.", 8))
            (void)add(context, places, server_of(DR_PROXY_TRAEFIK), found[i].path, "compose file");
}

void dr_proxies_find(struct dr_context *context, struct dr_proxy_places *ret_places)
{
    *ret_places = (struct dr_proxy_places){ 0 };
    find_named(context, ret_places);
    if (!context->request->root)
        find_running(context, ret_places);
    drop_parts(ret_places);
    find_usual(context, ret_places);
    find_compose(context, ret_places);
}
