/* What was asked of the network: gateways and proxies (api/live.h), time servers (api/clock.h). */
#include "engine/emit.h"

#include "api/clock.h"
#include "engine/emit_line.h"
#include "engine/worker.h"

#include <string.h>

static void add_reach(const struct dr_emitter *emitter, cJSON *json, enum dr_reach reach, const char *why, unsigned status)
{
    dr_line_text(emitter, json, "reach", dr_reach_name(reach));
    dr_line_text(emitter, json, "why", why);
    if (status > 0)
        dr_line_number(json, "status", status);
}

/* Times are left out where it did not come so far. */
static void add_time(cJSON *json, const char *name, double ms)
{
    if (ms > 0)
        dr_line_number(json, name, (double)(int64_t)(ms * 1000 + 0.5) / 1000);
}

static cJSON *probe_line(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint, const char *request)
{
    cJSON *json = dr_line("probe");

    dr_line_text(emitter, json, "request", request);
    dr_line_text(emitter, json, "kind", dr_endpoint_kind_name(endpoint->kind));
    dr_line_text(emitter, json, "url", endpoint->url);
    dr_line_text(emitter, json, "from", endpoint->from);
    return json;
}

static void emit_answer(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint, const char *request,
                        const struct dr_answer *answer, const char *curl)
{
    cJSON *json = probe_line(emitter, endpoint, request);

    add_reach(emitter, json, answer->reach, answer->why, answer->status);
    dr_line_text(emitter, json, "peer", answer->peer);
    dr_line_text(emitter, json, "server", answer->server);
    dr_line_text(emitter, json, "contentType", answer->content_type);
    dr_line_text(emitter, json, "errorType", answer->error_type);
    dr_line_text(emitter, json, "issuer", answer->tls_issuer);
    if (answer->control_ui)
        dr_line_bool(json, "controlUi", true);
    if (answer->is_probe_answer)
        dr_line_bool(json, strcmp(request, "healthz") == 0 ? "ok" : "ready", answer->truth);
    dr_line_text(emitter, json, "failing", answer->failing);
    add_time(json, "connectMs", answer->connect_ms);
    add_time(json, "tlsMs", answer->tls_ms);
    add_time(json, "firstByteMs", answer->first_byte_ms);
    add_time(json, "durationMs", answer->total_ms);
    dr_line_text(emitter, json, "curl", curl);
    dr_line_send(emitter, json);
}

static void emit_socket(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint)
{
    const struct dr_socket_answer *answer = &endpoint->socket;
    cJSON *json = probe_line(emitter, endpoint, "websocket");

    add_reach(emitter, json, answer->reach, answer->why, answer->status);
    dr_line_text(emitter, json, "errorType", answer->error_type);
    if (answer->control_ui)
        dr_line_bool(json, "controlUi", true);
    if (answer->status == 101)
        dr_line_bool(json, "challenged", answer->challenged);
    if (answer->close_code > 0) {
        dr_line_number(json, "closeCode", answer->close_code);
        dr_line_text(emitter, json, "closeReason", answer->close_reason);
    }
    add_time(json, "firstByteMs", answer->round_trip_ms);
    dr_line_text(emitter, json, "curl", endpoint->curl_upgrade);
    dr_line_send(emitter, json);
}

static void emit_connect(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint)
{
    const struct dr_connect_answer *answer = &endpoint->deep;
    cJSON *json = probe_line(emitter, endpoint, "connect");

    dr_line_text(emitter, json, "reach", answer->tried ? "answered" : "not-asked");
    dr_line_text(emitter, json, "why", answer->not_tried_why);
    if (answer->tried)
        dr_line_bool(json, "ok", answer->ok);
    if (answer->protocol > 0)
        dr_line_number(json, "protocol", answer->protocol);
    dr_line_text(emitter, json, "serverVersion", answer->server_version);
    dr_line_text(emitter, json, "method", answer->method);
    if (answer->ok) {
        cJSON *scopes = dr_line_array(json, "scopes");

        for (const char *const *scope = answer->scopes; scope && *scope; scope++)
            if (!cJSON_AddItemToArray(scopes, cJSON_CreateString(*scope)))
                _exit(DR_EXIT_OUT_OF_MEMORY);
    }
    dr_line_text(emitter, json, "code", answer->code);
    dr_line_text(emitter, json, "detailCode", answer->detail_code);
    dr_line_text(emitter, json, "message", answer->message);
    if (answer->close_code > 0) {
        dr_line_number(json, "closeCode", answer->close_code);
        dr_line_text(emitter, json, "closeReason", answer->close_reason);
    }
    dr_line_send(emitter, json);
}

void dr_emit_probes(const struct dr_emitter *emitter, const struct dr_live *live)
{
    for (size_t i = 0; live && i < live->count; i++) {
        const struct dr_endpoint *endpoint = &live->endpoints[i];

        emit_answer(emitter, endpoint, "page", &endpoint->page, endpoint->curl);
        emit_answer(emitter, endpoint, "healthz", &endpoint->healthz, endpoint->curl_healthz);
        emit_answer(emitter, endpoint, "readyz", &endpoint->readyz, endpoint->curl_readyz);
        emit_socket(emitter, endpoint);
        if (emitter->context->request->deep != DR_DEEP_NOT)
            emit_connect(emitter, endpoint);
    }
}

/* ---- time servers ---- */

static const char *reach_of(enum dr_time_answer answer)
{
    static const enum dr_reach reaches[] = {
        [DR_TIME_NOT_ASKED] = DR_REACH_NOT_ASKED, [DR_TIME_ANSWERED] = DR_REACH_ANSWERED,
        [DR_TIME_SILENT] = DR_REACH_TIMED_OUT,    [DR_TIME_NOT_RESOLVED] = DR_REACH_NOT_RESOLVED,
        [DR_TIME_REFUSED] = DR_REACH_REFUSED,     [DR_TIME_UNUSABLE] = DR_REACH_FAILED,
    };

    return dr_reach_name(reaches[answer]);
}

static const char *time_url(struct dr_context *context, const struct dr_time_server *server)
{
    const char *host = server->address ? server->address : server->name;

    return dr_format(context, strchr(host, ':') ? "ntp://[%s]:%u" : "ntp://%s:%u", host, server->port);
}

static void emit_time_server(const struct dr_emitter *emitter, const struct dr_time_server *server)
{
    struct dr_context *context = emitter->context;
    cJSON *json = dr_line("probe");

    dr_line_text(emitter, json, "request", "sntp");
    dr_line_text(emitter, json, "kind", "time-server");
    dr_line_text(emitter, json, "url", time_url(context, server));
    dr_line_text(emitter, json, "from",
                 server->source.path ? dr_format(context, "%s in %s", server->name, server->source.path)
                                     : dr_format(context, "%s, for --online", server->name));
    dr_line_text(emitter, json, "reach", reach_of(server->answer));
    dr_line_text(emitter, json, "why", server->why);
    dr_line_text(emitter, json, "peer", server->address);
    if (server->stratum > 0)
        dr_line_number(json, "stratum", server->stratum);
    if (server->answer == DR_TIME_ANSWERED) {
        dr_line_bool(json, "agrees", server->agrees);
        dr_line_number(json, "offsetMs", (double)server->offset.ms);
        dr_line_number(json, "errorMs", (double)server->offset.error_ms);
    }
    dr_line_text(emitter, json, "command", dr_time_server_command(context, server));
    dr_line_send(emitter, json);
}

void dr_emit_time_servers(const struct dr_emitter *emitter, const struct dr_clock *clock)
{
    for (size_t i = 0; clock && i < clock->ntp.count; i++)
        emit_time_server(emitter, &clock->ntp.servers[i]);
}
