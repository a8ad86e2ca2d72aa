/* What an answer, or its absence, means in words. */
#include "facts/live_probe.h"

#include "facts/live_url.h"

#include <cjson/cJSON.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static const char *const reach_names[] = {
    [DR_REACH_NOT_ASKED] = "not-asked",     [DR_REACH_ANSWERED] = "answered",
    [DR_REACH_REFUSED] = "refused",         [DR_REACH_RESET] = "reset",
    [DR_REACH_CLOSED] = "closed",           [DR_REACH_TIMED_OUT] = "timed-out",
    [DR_REACH_NO_ROUTE] = "no-route",       [DR_REACH_NOT_RESOLVED] = "not-resolved",
    [DR_REACH_TLS_ISSUER] = "tls-issuer",   [DR_REACH_TLS_NAME] = "tls-name",
    [DR_REACH_TLS_EXPIRED] = "tls-expired", [DR_REACH_TLS_FAILED] = "tls-failed",
    [DR_REACH_NOT_HTTP] = "not-http",       [DR_REACH_FAILED] = "failed",
};

const char *dr_reach_name(enum dr_reach reach)
{
    return reach_names[reach];
}

const char *dr_endpoint_kind_name(enum dr_endpoint_kind kind)
{
    static const char *const names[] = {
        [DR_AT_LOOPBACK4] = "loopback",    [DR_AT_LOOPBACK6] = "loopback", [DR_AT_OWN_ADDRESS] = "own-address",
        [DR_AT_REMOTE_URL] = "remote-url", [DR_AT_PROXY] = "proxy",        [DR_AT_GIVEN_URL] = "given-url",
    };

    return names[kind];
}

bool dr_live_certificate_is_bad(enum dr_reach reach)
{
    return reach == DR_REACH_TLS_ISSUER || reach == DR_REACH_TLS_NAME || reach == DR_REACH_TLS_EXPIRED;
}

static struct dr_live_failure failure(enum dr_reach reach, const char *why)
{
    return (struct dr_live_failure){ .reach = reach, .why = why };
}

/* X509_V_ERR_* of openssl/x509_vfy.h, which libcurl hands on; with GnuTLS its own words tell. */
static struct dr_live_failure certificate_failure(const struct dr_live_machine *machine)
{
    const char *text = machine->errors;
    long result = 0;

    (void)machine->run->curl.easy_getinfo(machine->easy, CURLINFO_SSL_VERIFYRESULT, &result);
    if (strstr(text, "does not match") || strstr(text, "no alternative certificate") || strstr(text, "doesn't match"))
        return failure(DR_REACH_TLS_NAME, "the certificate is made out to another name");
    if (result == 9 || strstr(text, "not yet valid") || strstr(text, "not yet activated"))
        return failure(DR_REACH_TLS_EXPIRED, "the certificate is not valid yet (by this host's clock)");
    if (result == 10 || strstr(text, "expired"))
        return failure(DR_REACH_TLS_EXPIRED, "the certificate has expired");
    if (result == 18 || strstr(text, "self-signed certificate") == text || strstr(text, "self signed certificate"))
        return failure(DR_REACH_TLS_ISSUER, "the certificate signed itself, and this host does not know it");
    return failure(DR_REACH_TLS_ISSUER, "this host does not know who issued the certificate");
}

static struct dr_live_failure by_errno(struct dr_context *context, int number)
{
    switch (number) {
    case ECONNREFUSED:
        return failure(DR_REACH_REFUSED, "the connection is refused: nobody listens there");
    case ECONNRESET:
    case EPIPE:
        return failure(DR_REACH_RESET, "the connection was accepted and then cut (reset)");
    case EHOSTUNREACH:
    case ENETUNREACH:
    case ENETDOWN:
    case EADDRNOTAVAIL:
        return failure(DR_REACH_NO_ROUTE, "there is no way to that address from here");
    case ETIMEDOUT:
        return failure(DR_REACH_TIMED_OUT, "nobody answers at that address");
    case EPERM:
    case EACCES:
        return failure(DR_REACH_FAILED, "a packet filter on this host forbids the connection");
    default:
        return failure(DR_REACH_FAILED, dr_format(context, "the connection failed: %s", strerror(number)));
    }
}

static struct dr_live_failure connect_failure(const struct dr_live_machine *machine)
{
    struct dr_context *context = machine->run->context;
    long number = 0;

    if (machine->refused_address)
        return failure(DR_REACH_NOT_ASKED, dr_format(context, "%s leads to %s, another host: --online asks there",
                                                     machine->place->host, machine->refused_address));
    (void)machine->run->curl.easy_getinfo(machine->easy, CURLINFO_OS_ERRNO, &number);
    return by_errno(context, (int)number ? (int)number : EIO);
}

struct dr_live_failure dr_live_failure_of(struct dr_live_machine *machine, CURLcode code)
{
    struct dr_context *context = machine->run->context;
    bool is_reset = strcasestr(machine->errors, "reset by peer") != NULL;
    const char *words = machine->errors[0] ? machine->errors : machine->run->curl.easy_strerror(code);

    switch (code) {
    case CURLE_COULDNT_CONNECT:
        return connect_failure(machine);
    case CURLE_COULDNT_RESOLVE_HOST:
        return failure(DR_REACH_NOT_RESOLVED, dr_format(context, "the name %s is not known", machine->place->host));
    case CURLE_GOT_NOTHING:
        return failure(DR_REACH_CLOSED, "the connection was accepted and then closed without an answer");
    case CURLE_RECV_ERROR:
    case CURLE_SEND_ERROR:
        return is_reset || !machine->tls ? by_errno(context, ECONNRESET)
                                         : failure(DR_REACH_TLS_FAILED, dr_format(context, "TLS failed: %s", words));
    case CURLE_UNSUPPORTED_PROTOCOL: /* "Received HTTP/0.9 when not allowed" */
    case CURLE_WEIRD_SERVER_REPLY:
        return failure(DR_REACH_NOT_HTTP, "what answers there does not speak HTTP");
    case CURLE_PEER_FAILED_VERIFICATION:
        return certificate_failure(machine);
    case CURLE_SSL_CACERT_BADFILE:
        return failure(DR_REACH_TLS_ISSUER, "this host's list of certificate authorities cannot be read");
    case CURLE_SSL_CONNECT_ERROR:
        if (is_reset)
            return by_errno(context, ECONNRESET);
        return strstr(words, "wrong version number") || strstr(words, "packet with unexpected") ||
                       strstr(words, "unexpected TLS packet")
                   ? failure(DR_REACH_TLS_FAILED, "what answers there does not speak TLS")
                   : failure(DR_REACH_TLS_FAILED, dr_format(context, "TLS failed: %s", words));
    case CURLE_WRITE_ERROR:
        return failure(DR_REACH_FAILED, "the head of the answer is too large");
    default:
        return failure(DR_REACH_FAILED, dr_format(context, "%s", words));
    }
}

struct dr_live_failure dr_live_failure_late(struct dr_live_machine *machine)
{
    const struct dr_curl *curl = &machine->run->curl;
    curl_off_t resolved = 0, connected = 0, sent = 0;
    unsigned timeout = machine->run->timeout_ms;

    (void)curl->easy_getinfo(machine->easy, CURLINFO_NAMELOOKUP_TIME_T, &resolved);
    (void)curl->easy_getinfo(machine->easy, CURLINFO_CONNECT_TIME_T, &connected);
    (void)curl->easy_getinfo(machine->easy, CURLINFO_PRETRANSFER_TIME_T, &sent);
    if (resolved == 0 && connected == 0 && sent == 0 && !machine->place->connect_to)
        return failure(DR_REACH_NOT_RESOLVED, dr_format(machine->run->context, "the name %s was not resolved in %u ms",
                                                        machine->place->host, timeout));
    return failure(DR_REACH_TIMED_OUT,
                   connected > 0 || sent > 0 || dr_live_machine_is_connected(machine)
                       ? dr_format(machine->run->context, "the connection is accepted, and no answer came in %u ms", timeout)
                       : dr_format(machine->run->context, "nobody answers at that address (%u ms)", timeout));
}

const char *dr_live_certificate_issuer(struct dr_live_machine *machine)
{
    struct curl_certinfo *certificates = NULL;

    (void)machine->run->curl.easy_getinfo(machine->easy, CURLINFO_CERTINFO, &certificates);
    if (!certificates || certificates->num_of_certs < 1)
        return NULL;
    for (const struct curl_slist *line = certificates->certinfo[0]; line; line = line->next)
        if (strncmp(line->data, "Issuer:", 7) == 0)
            return dr_strndup(machine->run->context, line->data + 7, 200);
    return NULL;
}

/* The title is the same from 2026.2 to 2026.9; since then the root element also names the build. */
bool dr_live_is_control_ui(const char *body)
{
    return strstr(body, "<title>OpenClaw Control</title>") || strstr(body, "data-openclaw-control-ui");
}

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);

    return cJSON_IsString(item) ? item->valuestring : NULL;
}

const char *dr_live_error_type(struct dr_context *context, const char *body)
{
    const char *start = strchr(body, '{');
    cJSON *json = start ? cJSON_Parse(start) : NULL;
    const cJSON *error = cJSON_GetObjectItemCaseSensitive(json, "error");
    const char *type = text_of(error, "type");
    const char *kept;

    if (!type)
        type = text_of(json, "type");
    kept = type && strlen(type) < 100 ? dr_strdup(context, type) : NULL;
    cJSON_Delete(json);
    return kept;
}

static const char *joined(struct dr_context *context, const cJSON *list)
{
    const char *text = NULL;
    const cJSON *item;
    unsigned count = 0;

    cJSON_ArrayForEach (item, list) {
        const char *word = cJSON_IsString(item) ? item->valuestring : text_of(item, "name");

        if (word && count++ < 20)
            text = text ? dr_format(context, "%s, %.100s", text, word) : dr_format(context, "%.100s", word);
    }
    return text;
}

void dr_live_read_probe_answer(struct dr_context *context, const char *body, const char *truth, struct dr_answer *answer)
{
    cJSON *json = cJSON_Parse(body);
    const cJSON *value = cJSON_GetObjectItemCaseSensitive(json, truth);

    answer->is_probe_answer = cJSON_IsBool(value);
    answer->truth = cJSON_IsTrue(value);
    answer->failing = joined(context, cJSON_GetObjectItemCaseSensitive(json, "failing"));
    cJSON_Delete(json);
}

const char *dr_live_path_of(struct dr_context *context, const struct dr_live_place *place, const char *name)
{
    size_t length = strlen(place->path);

    return dr_format(context, "%s%s%s", place->path, length > 0 && place->path[length - 1] == '/' ? "" : "/", name);
}

static const char *curl_text(struct dr_context *context, const struct dr_live_place *place, const char *path,
                             const char *more)
{
    const char *bracket = place->connect_to && strchr(place->connect_to, ':') ? "[" : "";
    const char *to = !place->connect_to || strcmp(place->connect_to, place->host) == 0
                         ? ""
                         : dr_format(context, " --connect-to '::%s%s%s:%u'", bracket, place->connect_to, *bracket ? "]" : "",
                                     place->port);

    return dr_format(
        context, "curl -si --noproxy '*' --max-time %u%s%s '%s'",
        ((context->request->probe_timeout_ms ? context->request->probe_timeout_ms : DR_PROBE_TIMEOUT_MS) + 999) / 1000, to,
        more, dr_live_url_text(context, place->tls, place->host, place->port, path));
}

void dr_live_write_curl(struct dr_context *context, const struct dr_live_place *place)
{
    struct dr_endpoint *endpoint = place->endpoint;

    endpoint->curl = curl_text(context, place, place->path, "");
    endpoint->curl_healthz = curl_text(context, place, dr_live_path_of(context, place, "healthz"), "");
    endpoint->curl_readyz = curl_text(context, place, dr_live_path_of(context, place, "readyz"), "");
    endpoint->curl_upgrade =
        curl_text(context, place, place->path,
                  " --http1.1 -N -H 'Connection: Upgrade' -H 'Upgrade: websocket' -H 'Sec-WebSocket-Version: 13' "
                  "-H 'Sec-WebSocket-Key: b3BlbmNsYXctZG9jdG9yLg=='");
}
