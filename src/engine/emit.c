#include "engine/emit.h"

#include "api/fixer.h"
#include "api/gateway.h"
#include "api/install.h"
#include "api/live.h"
#include "api/proxy.h"
#include "api/registry.h"
#include "api/target.h"
#include "base/text.h"
#include "engine/worker.h"

#include <string.h>

enum { MOST_LINE = 64 * 1024 * 1024 };

static void write_all(int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t written = write(fd, bytes, length);

        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            _exit(DR_EXIT_PIPE);
        bytes += written;
        length -= (size_t)written;
    }
}

static void send(const struct dr_emitter *emitter, cJSON *json)
{
    _cleanup_free_ char *text = json ? cJSON_PrintUnformatted(json) : NULL;

    if (!text)
        _exit(DR_EXIT_OUT_OF_MEMORY);
    cJSON_Delete(json);
    size_t length = strlen(text);

    text[length] = '\n'; /* one write, so that the parent wakes once */
    write_all(emitter->out, text, length + 1);
}

static cJSON *line(const char *type)
{
    cJSON *json = cJSON_CreateObject();

    if (!json || !cJSON_AddStringToObject(json, "type", type))
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return json;
}

/* The one way for text to leave: valid UTF-8, secrets as fingerprints. Line breaks stay (diffs have them). */
static void add_text(const struct dr_emitter *emitter, cJSON *json, const char *name, const char *text)
{
    _cleanup_buffer_ struct dr_buffer clean = DR_BUFFER(MOST_LINE);
    _cleanup_buffer_ struct dr_buffer safe = DR_BUFFER(MOST_LINE);
    size_t length = text ? strlen(text) : 0;

    if (!text)
        return;
    if (!dr_text_is_utf8(text, length)) {
        if (dr_text_append_safe(&safe, text, length) < 0)
            _exit(DR_EXIT_OUT_OF_MEMORY);
        text = dr_buffer_text(&safe);
        length = safe.length;
    }
    if (dr_secret_redact(emitter->context, text, length, &clean) < 0 ||
        !cJSON_AddStringToObject(json, name, dr_buffer_text(&clean)))
        _exit(DR_EXIT_OUT_OF_MEMORY);
}

static void add_number(cJSON *json, const char *name, double number)
{
    if (!cJSON_AddNumberToObject(json, name, number))
        _exit(DR_EXIT_OUT_OF_MEMORY);
}

static void add_bool(cJSON *json, const char *name, bool value)
{
    if (!cJSON_AddBoolToObject(json, name, value))
        _exit(DR_EXIT_OUT_OF_MEMORY);
}

static cJSON *add_object(cJSON *json, const char *name)
{
    cJSON *child = cJSON_AddObjectToObject(json, name);

    if (!child)
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return child;
}

static cJSON *add_array(cJSON *json, const char *name)
{
    cJSON *child = cJSON_AddArrayToObject(json, name);

    if (!child)
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return child;
}

static cJSON *add_element(cJSON *array)
{
    cJSON *element = cJSON_CreateObject();

    if (!element || !cJSON_AddItemToArray(array, element))
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return element;
}

static void add_source(const struct dr_emitter *emitter, cJSON *json, const struct dr_source *source)
{
    add_text(emitter, json, "path", source->path);
    if (source->line > 0)
        add_number(json, "line", source->line);
    if (source->column > 0)
        add_number(json, "column", source->column);
    add_text(emitter, json, "pointer", source->pointer);
}

static void add_release(const struct dr_emitter *emitter, cJSON *json)
{
    const struct dr_installs *installs = dr_installs(emitter->context);
    cJSON *release = add_object(json, "release");
    cJSON *list = add_array(json, "installs");

    add_bool(release, "known", installs->release_known);
    add_bool(release, "certain", installs->release_certain);
    /* Not known: the release whose rules are gone by. */
    if (installs->release.year > 0)
        add_text(emitter, release, "version", dr_release_text(emitter->context, &installs->release));
    add_text(emitter, release, "from", installs->release_from);
    for (size_t i = 0; i < installs->count; i++) {
        const struct dr_install *install = &installs->list[i];
        cJSON *item = add_element(list);

        add_text(emitter, item, "version", install->version);
        add_text(emitter, item, "path", install->package_dir);
        add_text(emitter, item, "foundBy", install->found_by);
        add_text(emitter, item, "node", install->node_version);
    }
}

static void add_gateway(const struct dr_emitter *emitter, cJSON *json)
{
    const struct dr_gateway *gateway = dr_gateway(emitter->context);
    cJSON *object = add_object(json, "gateway");
    const char *state = gateway->fact.state == DR_KNOWN    ? "running"
                        : gateway->fact.state == DR_ABSENT ? "stopped"
                                                           : "unknown";

    add_text(emitter, object, "state", state);
    if (gateway->pid > 0)
        add_number(object, "pid", (double)gateway->pid);
    if (gateway->port > 0)
        add_number(object, "port", gateway->port);
    add_text(emitter, object, "how", gateway->how ? gateway->how : gateway->fact.reason);
}

static bool has_text(const cJSON *array, const char *text)
{
    const cJSON *item;

    cJSON_ArrayForEach (item, array) {
        if (strcmp(cJSON_GetStringValue(item), text) == 0)
            return true;
    }
    return false;
}

/* The folders of the configurations that have a route to the gateway: a repair may have to write there. */
static void add_proxy_folders(const struct dr_emitter *emitter, cJSON *json)
{
    struct dr_context *context = emitter->context;
    cJSON *list = context->proxies && context->proxies->to_gateway_count > 0 ? add_array(json, "proxyFolders") : NULL;

    for (size_t i = 0; list && i < context->proxies->to_gateway_count; i++) {
        const struct dr_proxy_config *config = context->proxies->to_gateway[i]->config;

        for (size_t f = 0; f < config->file_count; f++) {
            const char *path = config->files[f]->path, *slash = strrchr(path, '/');
            const char *folder = slash && slash != path ? dr_strndup(context, path, (size_t)(slash - path)) : NULL;
            cJSON *text = folder && !has_text(list, folder) ? cJSON_CreateString(folder) : NULL;

            if (text && !cJSON_AddItemToArray(list, text))
                _exit(DR_EXIT_OUT_OF_MEMORY);
        }
    }
}

void dr_emit_target(const struct dr_emitter *emitter)
{
    const struct dr_target *target = dr_target(emitter->context);
    cJSON *json = line("target");

    add_text(emitter, json, "kind", target->root ? "root" : target->in_container ? "container" : "home");
    add_text(emitter, json, "home", target->home);
    add_text(emitter, json, "stateDir", target->state_dir);
    add_text(emitter, json, "stateDirFrom", target->state_dir_from);
    add_text(emitter, json, "configPath", target->config_path);
    add_text(emitter, json, "configFrom", target->config_from);
    add_text(emitter, json, "profile", target->profile);
    add_text(emitter, json, "root", target->root);
    add_text(emitter, json, "user", target->user);
    add_text(emitter, json, "userFrom", target->user_from);
    add_number(json, "uid", target->uid);
    add_number(json, "gid", target->gid);
    add_bool(json, "asRoot", target->as_root);
    add_bool(json, "container", target->in_container);
    add_bool(json, "exists", target->fact.state == DR_KNOWN);
    add_text(emitter, json, "reason", target->fact.reason);
    if (target->fact.state == DR_KNOWN) {
        add_release(emitter, json);
        add_gateway(emitter, json);
        add_proxy_folders(emitter, json);
    }
    send(emitter, json);
}

void dr_emit_check(const struct dr_emitter *emitter, const struct dr_check *check, const char *status, const char *reason,
                   double duration_ms)
{
    cJSON *json = line("check");
    cJSON *tags = add_array(json, "tags");

    add_text(emitter, json, "id", check->id);
    add_text(emitter, json, "title", check->title);
    for (const char *const *tag = check->tags; tag && *tag; tag++)
        if (!cJSON_AddItemToArray(tags, cJSON_CreateString(*tag)))
            _exit(DR_EXIT_OUT_OF_MEMORY);
    add_text(emitter, json, "status", status);
    add_text(emitter, json, "reason", reason);
    add_number(json, "durationMs", duration_ms);
    send(emitter, json);
}

static const struct dr_fixer *find_fixer(const char *id)
{
    for (const struct dr_fixer *const *fixer = dr_fixer_table; id && *fixer; fixer++)
        if (strcmp((*fixer)->id, id) == 0)
            return *fixer;
    return NULL;
}

static void add_fix(const struct dr_emitter *emitter, cJSON *json, const struct dr_finding *finding)
{
    const struct dr_fixer *fixer = find_fixer(finding->problem->fixer);
    cJSON *fix = add_object(json, "fix");

    if (fixer) {
        add_text(emitter, fix, "id", fixer->id);
        add_text(emitter, fix, "title", fixer->title);
    }
    add_text(emitter, fix, "applicability", dr_safety_name(fixer ? finding->safety : DR_MANUAL));
    add_text(emitter, fix, "why", finding->why ? dr_finding_expand(finding, finding->why) : NULL);
    add_bool(fix, "reversible", fixer && finding->safety != DR_MANUAL);
}

void dr_emit_finding(const struct dr_emitter *emitter, const struct dr_finding *finding)
{
    const struct dr_problem *problem = finding->problem;
    cJSON *json = line("finding");

    add_text(emitter, json, "checkId", dr_format(emitter->context, "%s/%s", finding->check->id, problem->code));
    add_text(emitter, json, "check", finding->check->id);
    add_text(emitter, json, "problem", problem->code);
    add_text(emitter, json, "severity", dr_severity_name(finding->severity));
    add_text(emitter, json, "confidence", dr_confidence_name(finding->confidence));
    add_text(emitter, json, "message", dr_finding_expand(finding, problem->message));
    add_text(emitter, json, "fixHint", problem->advice ? dr_finding_expand(finding, problem->advice) : NULL);
    add_source(emitter, json, &finding->subject);

    cJSON *evidence = add_array(json, "evidence");

    for (const struct dr_named *named = finding->evidence; named; named = named->next) {
        cJSON *item = add_element(evidence);

        add_text(emitter, item, "name", named->name);
        add_text(emitter, item, "value", named->value);
        if (named->secret)
            add_bool(item, "secret", true);
    }
    add_text(emitter, json, "fingerprint", finding->fingerprint);
    add_fix(emitter, json, finding);
    send(emitter, json);
}

void dr_emit_unknown(const struct dr_emitter *emitter, const struct dr_check *check, const struct dr_unknown *unknown)
{
    cJSON *json = line("unknown");

    add_text(emitter, json, "check", check->id);
    add_source(emitter, json, &unknown->subject);
    add_text(emitter, json, "reason", unknown->reason);
    send(emitter, json);
}

/* The operations of a fix, then a `fix` line that ties them to their finding. */
void dr_emit_plan(const struct dr_emitter *emitter, const struct dr_plan *plan)
{
    cJSON *fix = line("fix");
    cJSON *ids = add_array(fix, "operations");

    for (const struct dr_planned *planned = plan->first; planned; planned = planned->next) {
        send(emitter, dr_operation_to_json(&planned->operation, plan->finding->fingerprint));
        if (!cJSON_AddItemToArray(ids, cJSON_CreateNumber(planned->operation.id)))
            _exit(DR_EXIT_OUT_OF_MEMORY);
    }
    add_text(emitter, fix, "finding", plan->finding->fingerprint);
    add_text(emitter, fix, "refused", plan->refused);
    send(emitter, fix);
}

/* --- probes -------------------------------------------------------------------------------------------------------------- */

static void add_reach(const struct dr_emitter *emitter, cJSON *json, enum dr_reach reach, const char *why, unsigned status)
{
    add_text(emitter, json, "reach", dr_reach_name(reach));
    add_text(emitter, json, "why", why);
    if (status > 0)
        add_number(json, "status", status);
}

/* Times are left out where it did not come so far. */
static void add_time(cJSON *json, const char *name, double ms)
{
    if (ms > 0)
        add_number(json, name, (double)(int64_t)(ms * 1000 + 0.5) / 1000);
}

static cJSON *probe_line(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint, const char *request)
{
    cJSON *json = line("probe");

    add_text(emitter, json, "request", request);
    add_text(emitter, json, "kind", dr_endpoint_kind_name(endpoint->kind));
    add_text(emitter, json, "url", endpoint->url);
    add_text(emitter, json, "from", endpoint->from);
    return json;
}

static void emit_answer(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint, const char *request,
                        const struct dr_answer *answer, const char *curl)
{
    cJSON *json = probe_line(emitter, endpoint, request);

    add_reach(emitter, json, answer->reach, answer->why, answer->status);
    add_text(emitter, json, "peer", answer->peer);
    add_text(emitter, json, "server", answer->server);
    add_text(emitter, json, "contentType", answer->content_type);
    add_text(emitter, json, "errorType", answer->error_type);
    add_text(emitter, json, "issuer", answer->tls_issuer);
    if (answer->control_ui)
        add_bool(json, "controlUi", true);
    if (answer->is_probe_answer)
        add_bool(json, strcmp(request, "healthz") == 0 ? "ok" : "ready", answer->truth);
    add_text(emitter, json, "failing", answer->failing);
    add_time(json, "connectMs", answer->connect_ms);
    add_time(json, "tlsMs", answer->tls_ms);
    add_time(json, "firstByteMs", answer->first_byte_ms);
    add_time(json, "durationMs", answer->total_ms);
    add_text(emitter, json, "curl", curl);
    send(emitter, json);
}

static void emit_socket(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint)
{
    const struct dr_socket_answer *answer = &endpoint->socket;
    cJSON *json = probe_line(emitter, endpoint, "websocket");

    add_reach(emitter, json, answer->reach, answer->why, answer->status);
    add_text(emitter, json, "errorType", answer->error_type);
    if (answer->control_ui)
        add_bool(json, "controlUi", true);
    if (answer->status == 101)
        add_bool(json, "challenged", answer->challenged);
    if (answer->close_code > 0) {
        add_number(json, "closeCode", answer->close_code);
        add_text(emitter, json, "closeReason", answer->close_reason);
    }
    add_time(json, "firstByteMs", answer->round_trip_ms);
    add_text(emitter, json, "curl", endpoint->curl_upgrade);
    send(emitter, json);
}

static void emit_connect(const struct dr_emitter *emitter, const struct dr_endpoint *endpoint)
{
    const struct dr_connect_answer *answer = &endpoint->deep;
    cJSON *json = probe_line(emitter, endpoint, "connect");

    add_text(emitter, json, "reach", answer->tried ? "answered" : "not-asked");
    add_text(emitter, json, "why", answer->not_tried_why);
    if (answer->tried)
        add_bool(json, "ok", answer->ok);
    if (answer->protocol > 0)
        add_number(json, "protocol", answer->protocol);
    add_text(emitter, json, "serverVersion", answer->server_version);
    add_text(emitter, json, "method", answer->method);
    if (answer->ok) {
        cJSON *scopes = add_array(json, "scopes");

        for (const char *const *scope = answer->scopes; scope && *scope; scope++)
            if (!cJSON_AddItemToArray(scopes, cJSON_CreateString(*scope)))
                _exit(DR_EXIT_OUT_OF_MEMORY);
    }
    add_text(emitter, json, "code", answer->code);
    add_text(emitter, json, "detailCode", answer->detail_code);
    add_text(emitter, json, "message", answer->message);
    if (answer->close_code > 0) {
        add_number(json, "closeCode", answer->close_code);
        add_text(emitter, json, "closeReason", answer->close_reason);
    }
    send(emitter, json);
}

void dr_emit_probes(const struct dr_emitter *emitter, const struct dr_live *live)
{
    for (size_t i = 0; live && i < live->count; i++) {
        const struct dr_endpoint *endpoint = &live->endpoints[i];

        emit_answer(emitter, endpoint, "page", &endpoint->page, endpoint->curl);
        emit_answer(emitter, endpoint, "healthz", &endpoint->healthz, NULL);
        emit_answer(emitter, endpoint, "readyz", &endpoint->readyz, NULL);
        emit_socket(emitter, endpoint);
        if (emitter->context->request->deep != DR_DEEP_NOT)
            emit_connect(emitter, endpoint);
    }
}

void dr_emit_end(const struct dr_emitter *emitter)
{
    cJSON *json = line("end");

    add_bool(json, "complete", true);
    send(emitter, json);
}
