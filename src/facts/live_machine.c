/*
 * One curl handle, set up so that a probe sees what a client sees and nothing of this process's surroundings: no proxy from the environment, no
 * .netrc, no cookies, no redirects; and so that no address is contacted that may not be.
 */
#include "facts/live_probe.h"

#include "api/network.h"
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

double dr_live_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1000.0 + (double)now.tv_nsec / 1e6;
}

int64_t dr_live_clock_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct dr_live_machine *dr_live_machine_new(struct dr_live_run *run, struct dr_live_place *place, size_t size)
{
    struct dr_live_machine *machine = dr_alloc(run->context, size);

    machine->run = run;
    machine->place = place;
    machine->tls = place->tls;
    machine->fd = CURL_SOCKET_BAD;
    machine->next = run->machines;
    machine->began_ms = dr_live_now_ms();
    run->machines = machine;
    run->open++;
    return machine;
}

void dr_live_machine_done(struct dr_live_machine *machine)
{
    if (machine->done)
        return;
    machine->done = true;
    machine->run->open--;
    dr_live_machine_drop(machine);
    if (machine->release)
        machine->release(machine);
}

static bool address_from(const struct curl_sockaddr *socket_address, struct dr_address *ret_address)
{
    const void *bytes = socket_address->family == AF_INET
                            ? (const void *)((const char *)&socket_address->addr + offsetof(struct sockaddr_in, sin_addr))
                            : (const void *)((const char *)&socket_address->addr + offsetof(struct sockaddr_in6, sin6_addr));
    char text[INET6_ADDRSTRLEN];

    return (socket_address->family == AF_INET || socket_address->family == AF_INET6) &&
           inet_ntop(socket_address->family, bytes, text, sizeof(text)) && dr_address_parse(text, ret_address);
}

/* The last word on who is contacted, whatever a name was resolved to. */
static curl_socket_t open_socket(void *client, curlsocktype purpose, struct curl_sockaddr *socket_address)
{
    struct dr_live_machine *machine = client;
    struct dr_address address;
    char text[DR_ADDRESS_TEXT];

    (void)purpose;
    if (!address_from(socket_address, &address))
        return CURL_SOCKET_BAD;
    if (!machine->place->anybody && !dr_address_is_own(machine->run->context, &address)) {
        machine->refused_address = dr_strdup(machine->run->context, dr_address_text(&address, text));
        return CURL_SOCKET_BAD;
    }
    machine->fd = socket(socket_address->family, socket_address->socktype | SOCK_CLOEXEC, socket_address->protocol);
    return machine->fd;
}

static int close_socket(void *client, curl_socket_t fd)
{
    struct dr_live_machine *machine = client;

    if (machine->fd == fd)
        machine->fd = CURL_SOCKET_BAD;
    return close(fd);
}

bool dr_live_machine_is_connected(const struct dr_live_machine *machine)
{
    struct sockaddr_storage peer;
    socklen_t length = sizeof(peer);

    return machine->fd != CURL_SOCKET_BAD && getpeername(machine->fd, (struct sockaddr *)&peer, &length) == 0;
}

static const char *url_of(struct dr_live_machine *machine, const char *path)
{
    const struct dr_live_place *place = machine->place;
    const char *bracket = strchr(place->host, ':') ? "[" : "";

    return dr_format(machine->run->context, "%s://%s%s%s:%u%s", machine->tls ? "https" : "http", bracket, place->host,
                     *bracket ? "]" : "", place->port, path ? path : place->path);
}

static int set_where(struct dr_live_machine *machine)
{
    const struct dr_live_place *place = machine->place;
    const struct dr_curl *curl = &machine->run->curl;
    const char *bracket;

    if (!place->connect_to)
        return 0;
    bracket = strchr(place->connect_to, ':') ? "[" : "";
    machine->connect_list = curl->slist_append(
        NULL, dr_format(machine->run->context, "::%s%s%s:%u", bracket, place->connect_to, *bracket ? "]" : "", place->port));
    if (!machine->connect_list)
        return -ENOMEM;
    return curl->easy_setopt(machine->easy, CURLOPT_CONNECT_TO, machine->connect_list) == CURLE_OK ? 0 : -EIO;
}

int dr_live_machine_prepare(struct dr_live_machine *machine, const char *path)
{
    const struct dr_curl *curl = &machine->run->curl;

    if (!machine->easy) {
        machine->easy = curl->easy_init();
        if (!machine->easy)
            return -ENOMEM;
    }
    CURL *easy = machine->easy;
    CURLcode code = CURLE_OK;

    code |= curl->easy_setopt(easy, CURLOPT_URL, url_of(machine, path));
    code |= curl->easy_setopt(easy, CURLOPT_PRIVATE, machine);
    code |= curl->easy_setopt(easy, CURLOPT_ERRORBUFFER, machine->errors);
    code |= curl->easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    code |= curl->easy_setopt(easy, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
    code |= curl->easy_setopt(easy, CURLOPT_HTTP_VERSION, CURL_HTTP_VERSION_1_1);
    code |= curl->easy_setopt(easy, CURLOPT_PROXY, "");
    code |= curl->easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    code |= curl->easy_setopt(easy, CURLOPT_USERAGENT, "openclaw-doctor/" DR_VERSION);
    code |=
        curl->easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)machine->run->timeout_ms + 60000L); /* ours comes first */
    code |= curl->easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, open_socket);
    code |= curl->easy_setopt(easy, CURLOPT_OPENSOCKETDATA, machine);
    code |= curl->easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, close_socket);
    code |= curl->easy_setopt(easy, CURLOPT_CLOSESOCKETDATA, machine);
    code |= curl->easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, machine->unverified ? 0L : 1L);
    code |= curl->easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, machine->unverified ? 0L : 2L);
    code |= curl->easy_setopt(easy, CURLOPT_CERTINFO, machine->unverified ? 1L : 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
    (void)curl->easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L);
#endif
    machine->errors[0] = '\0';
    return code == CURLE_OK && (machine->connect_list || set_where(machine) == 0) ? 0 : -EIO;
}

int dr_live_machine_go(struct dr_live_machine *machine)
{
    if (machine->run->curl.multi_add_handle(machine->run->multi, machine->easy) != CURLM_OK)
        return -EIO;
    machine->in_multi = true;
    return 0;
}

void dr_live_machine_stop(struct dr_live_machine *machine)
{
    if (machine->in_multi)
        (void)machine->run->curl.multi_remove_handle(machine->run->multi, machine->easy);
    machine->in_multi = false;
}

void dr_live_machine_drop(struct dr_live_machine *machine)
{
    const struct dr_curl *curl = &machine->run->curl;

    if (machine->run->abandoned)
        return;
    dr_live_machine_stop(machine);
    if (machine->easy)
        curl->easy_cleanup(machine->easy);
    if (machine->connect_list)
        curl->slist_free_all(machine->connect_list);
    machine->easy = NULL;
    machine->connect_list = NULL;
}
