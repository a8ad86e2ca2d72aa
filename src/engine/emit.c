#include "engine/emit.h"

#include "api/fixer.h"
#include "api/gateway.h"
#include "api/install.h"
#include "api/proxy.h"
#include "api/registry.h"
#include "api/target.h"
#include "base/text.h"
#include "engine/emit_line.h"
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

void dr_line_send(const struct dr_emitter *emitter, cJSON *json)
{
    _cleanup_free_ char *text = json ? cJSON_PrintUnformatted(json) : NULL;

    if (!text)
        _exit(DR_EXIT_OUT_OF_MEMORY);
    cJSON_Delete(json);
    size_t length = strlen(text);

    text[length] = '\n'; /* one write, so that the parent wakes once */
    write_all(emitter->out, text, length + 1);
}

cJSON *dr_line(const char *type)
{
    cJSON *json = cJSON_CreateObject();

    if (!json || !cJSON_AddStringToObject(json, "type", type))
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return json;
}

void dr_line_text(const struct dr_emitter *emitter, cJSON *json, const char *name, const char *text)
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

void dr_line_number(cJSON *json, const char *name, double number)
{
    if (!cJSON_AddNumberToObject(json, name, number))
        _exit(DR_EXIT_OUT_OF_MEMORY);
}

void dr_line_bool(cJSON *json, const char *name, bool value)
{
    if (!cJSON_AddBoolToObject(json, name, value))
        _exit(DR_EXIT_OUT_OF_MEMORY);
}

cJSON *dr_line_object(cJSON *json, const char *name)
{
    cJSON *child = cJSON_AddObjectToObject(json, name);

    if (!child)
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return child;
}

cJSON *dr_line_array(cJSON *json, const char *name)
{
    cJSON *child = cJSON_AddArrayToObject(json, name);

    if (!child)
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return child;
}

cJSON *dr_line_element(cJSON *array)
{
    cJSON *element = cJSON_CreateObject();

    if (!element || !cJSON_AddItemToArray(array, element))
        _exit(DR_EXIT_OUT_OF_MEMORY);
    return element;
}

static void add_source(const struct dr_emitter *emitter, cJSON *json, const struct dr_source *source)
{
    dr_line_text(emitter, json, "path", source->path);
    if (source->line > 0)
        dr_line_number(json, "line", source->line);
    if (source->column > 0)
        dr_line_number(json, "column", source->column);
    dr_line_text(emitter, json, "pointer", source->pointer);
}

static void add_release(const struct dr_emitter *emitter, cJSON *json)
{
    const struct dr_installs *installs = dr_installs(emitter->context);
    cJSON *release = dr_line_object(json, "release");
    cJSON *list = dr_line_array(json, "installs");

    dr_line_bool(release, "known", installs->release_known);
    dr_line_bool(release, "certain", installs->release_certain);
    /* Not known: the release whose rules are gone by. */
    if (installs->release.year > 0)
        dr_line_text(emitter, release, "version", dr_release_text(emitter->context, &installs->release));
    dr_line_text(emitter, release, "from", installs->release_from);
    for (size_t i = 0; i < installs->count; i++) {
        const struct dr_install *install = &installs->list[i];
        cJSON *item = dr_line_element(list);

        dr_line_text(emitter, item, "version", install->version);
        dr_line_text(emitter, item, "path", install->package_dir);
        dr_line_text(emitter, item, "foundBy", install->found_by);
        dr_line_text(emitter, item, "node", install->node_version);
    }
}

static void add_gateway(const struct dr_emitter *emitter, cJSON *json)
{
    const struct dr_gateway *gateway = dr_gateway(emitter->context);
    cJSON *object = dr_line_object(json, "gateway");
    const char *state = gateway->fact.state == DR_KNOWN    ? "running"
                        : gateway->fact.state == DR_ABSENT ? "stopped"
                                                           : "unknown";

    dr_line_text(emitter, object, "state", state);
    if (gateway->pid > 0)
        dr_line_number(object, "pid", (double)gateway->pid);
    if (gateway->port > 0)
        dr_line_number(object, "port", gateway->port);
    dr_line_text(emitter, object, "how", gateway->how ? gateway->how : gateway->fact.reason);
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
    cJSON *list = context->proxies && context->proxies->to_gateway_count > 0 ? dr_line_array(json, "proxyFolders") : NULL;

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
    cJSON *json = dr_line("target");

    dr_line_text(emitter, json, "kind", target->root ? "root" : target->in_container ? "container" : "home");
    dr_line_text(emitter, json, "home", target->home);
    dr_line_text(emitter, json, "stateDir", target->state_dir);
    dr_line_text(emitter, json, "stateDirFrom", target->state_dir_from);
    dr_line_text(emitter, json, "configPath", target->config_path);
    dr_line_text(emitter, json, "configFrom", target->config_from);
    dr_line_text(emitter, json, "profile", target->profile);
    dr_line_text(emitter, json, "root", target->root);
    dr_line_text(emitter, json, "user", target->user);
    dr_line_text(emitter, json, "userFrom", target->user_from);
    dr_line_number(json, "uid", target->uid);
    dr_line_number(json, "gid", target->gid);
    dr_line_bool(json, "asRoot", target->as_root);
    dr_line_bool(json, "container", target->in_container);
    dr_line_bool(json, "exists", target->fact.state == DR_KNOWN);
    dr_line_text(emitter, json, "reason", target->fact.reason);
    if (target->fact.state == DR_KNOWN) {
        add_release(emitter, json);
        add_gateway(emitter, json);
        add_proxy_folders(emitter, json);
    }
    dr_line_send(emitter, json);
}

void dr_emit_check(const struct dr_emitter *emitter, const struct dr_check *check, const char *status, const char *reason,
                   double duration_ms)
{
    cJSON *json = dr_line("check");
    cJSON *tags = dr_line_array(json, "tags");

    dr_line_text(emitter, json, "id", check->id);
    dr_line_text(emitter, json, "title", check->title);
    for (const char *const *tag = check->tags; tag && *tag; tag++)
        if (!cJSON_AddItemToArray(tags, cJSON_CreateString(*tag)))
            _exit(DR_EXIT_OUT_OF_MEMORY);
    dr_line_text(emitter, json, "status", status);
    dr_line_text(emitter, json, "reason", reason);
    dr_line_number(json, "durationMs", duration_ms);
    dr_line_send(emitter, json);
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
    cJSON *fix = dr_line_object(json, "fix");

    if (fixer) {
        dr_line_text(emitter, fix, "id", fixer->id);
        dr_line_text(emitter, fix, "title", fixer->title);
    }
    dr_line_text(emitter, fix, "applicability", dr_safety_name(fixer ? finding->safety : DR_MANUAL));
    dr_line_text(emitter, fix, "why", finding->why ? dr_finding_expand(finding, finding->why) : NULL);
    dr_line_bool(fix, "reversible", fixer && finding->safety != DR_MANUAL);
}

void dr_emit_finding(const struct dr_emitter *emitter, const struct dr_finding *finding)
{
    const struct dr_problem *problem = finding->problem;
    cJSON *json = dr_line("finding");

    dr_line_text(emitter, json, "checkId", dr_format(emitter->context, "%s/%s", finding->check->id, problem->code));
    dr_line_text(emitter, json, "check", finding->check->id);
    dr_line_text(emitter, json, "problem", problem->code);
    dr_line_text(emitter, json, "severity", dr_severity_name(finding->severity));
    dr_line_text(emitter, json, "confidence", dr_confidence_name(finding->confidence));
    dr_line_text(emitter, json, "message", dr_finding_expand(finding, problem->message));
    dr_line_text(emitter, json, "fixHint", problem->advice ? dr_finding_expand(finding, problem->advice) : NULL);
    add_source(emitter, json, &finding->subject);

    cJSON *evidence = dr_line_array(json, "evidence");

    for (const struct dr_named *named = finding->evidence; named; named = named->next) {
        cJSON *item = dr_line_element(evidence);

        dr_line_text(emitter, item, "name", named->name);
        dr_line_text(emitter, item, "value", named->value);
        if (named->secret)
            dr_line_bool(item, "secret", true);
    }
    dr_line_text(emitter, json, "fingerprint", finding->fingerprint);
    add_fix(emitter, json, finding);
    dr_line_send(emitter, json);
}

void dr_emit_unknown(const struct dr_emitter *emitter, const struct dr_check *check, const struct dr_unknown *unknown)
{
    cJSON *json = dr_line("unknown");

    dr_line_text(emitter, json, "check", check->id);
    add_source(emitter, json, &unknown->subject);
    dr_line_text(emitter, json, "reason", unknown->reason);
    dr_line_send(emitter, json);
}

/* The operations of a fix, then a `fix` line that ties them to their finding. */
void dr_emit_plan(const struct dr_emitter *emitter, const struct dr_plan *plan)
{
    cJSON *fix = dr_line("fix");
    cJSON *ids = dr_line_array(fix, "operations");

    for (const struct dr_planned *planned = plan->first; planned; planned = planned->next) {
        dr_line_send(emitter, dr_operation_to_json(&planned->operation, plan->finding->fingerprint));
        if (!cJSON_AddItemToArray(ids, cJSON_CreateNumber(planned->operation.id)))
            _exit(DR_EXIT_OUT_OF_MEMORY);
    }
    dr_line_text(emitter, fix, "finding", plan->finding->fingerprint);
    dr_line_text(emitter, fix, "refused", plan->refused);
    dr_line_send(emitter, fix);
}

void dr_emit_end(const struct dr_emitter *emitter)
{
    cJSON *json = dr_line("end");

    dr_line_bool(json, "complete", true);
    dr_line_send(emitter, json);
}
