/*
 * dr_clock for tests/real/scenario_clock.py and scenario_time_servers.py: what was measured, also where it is no finding. One JSON object:
 * gateway {url, offset_ms, error_ms, coarse, same_host} or {why}; ntp {state, reason, answered, agreeing, contradict, offset_ms, error_ms, servers
 * [{name, address, answer, why, offset_ms, error_ms, stratum, agrees}]}; took_ms. Options: --online, --offline, --timeout MS, --date (only the Date header).
 */
#include "api/clock.h"

#include "base/cleanup.h"
#include "base/file.h"
#include "facts/clock.h"
#include "facts/context.h"
#include "facts/live.h"

#include <cjson/cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static const char *const answers[] = { "not asked", "answered", "silent", "not resolved", "refused", "unusable" };
static const char *const states[] = { "not looked", "known", "absent", "unknown" };

static double milliseconds(clockid_t clock)
{
    struct timespec now;

    (void)clock_gettime(clock, &now);
    return (double)now.tv_sec * 1000 + (double)now.tv_nsec / 1e6;
}

static void text(cJSON *object, const char *name, const char *value)
{
    if (value)
        (void)cJSON_AddStringToObject(object, name, value);
}

static void offset(cJSON *object, const struct dr_clock_offset *value)
{
    (void)cJSON_AddNumberToObject(object, "offset_ms", (double)value->ms);
    (void)cJSON_AddNumberToObject(object, "error_ms", (double)value->error_ms);
}

static void print_gateway(cJSON *object, const struct dr_gateway_clock *gateway)
{
    text(object, "why", gateway->why);
    if (!gateway->endpoint)
        return;
    text(object, "url", gateway->endpoint->url);
    offset(object, &gateway->offset);
    (void)cJSON_AddBoolToObject(object, "coarse", gateway->coarse);
    (void)cJSON_AddBoolToObject(object, "same_host", gateway->same_host);
}

static void print_server(cJSON *object, const struct dr_time_server *server)
{
    text(object, "name", server->name);
    text(object, "address", server->address);
    text(object, "answer", answers[server->answer]);
    text(object, "why", server->why);
    offset(object, &server->offset);
    (void)cJSON_AddNumberToObject(object, "stratum", server->stratum);
    (void)cJSON_AddBoolToObject(object, "agrees", server->agrees);
}

static void print_ntp(cJSON *object, const struct dr_ntp *ntp)
{
    cJSON *servers = cJSON_AddArrayToObject(object, "servers");

    text(object, "state", states[ntp->fact.state]);
    text(object, "reason", ntp->fact.reason);
    (void)cJSON_AddNumberToObject(object, "answered", (double)ntp->answered);
    (void)cJSON_AddNumberToObject(object, "agreeing", (double)ntp->agreeing);
    (void)cJSON_AddBoolToObject(object, "contradict", ntp->contradict);
    offset(object, &ntp->offset);
    for (size_t i = 0; i < ntp->count; i++) {
        cJSON *server = cJSON_CreateObject();

        print_server(server, &ntp->servers[i]);
        (void)cJSON_AddItemToArray(servers, server);
    }
}

int main(int argc, char **argv)
{
    struct dr_arena arena = DR_ARENA(64 * 1024 * 1024);
    struct dr_request request = { .root_fd = AT_FDCWD,
                                  .environment = (const char *const *)environ,
                                  .proc = "/proc",
                                  .uid = geteuid(),
                                  .gid = getegid(),
                                  .now_ms = (int64_t)milliseconds(CLOCK_REALTIME) };
    struct dr_context context = { .arena = &arena, .request = &request };
    double start = milliseconds(CLOCK_MONOTONIC);
    bool date = false;

    for (int i = 1; i < argc; i++) {
        request.online |= strcmp(argv[i], "--online") == 0;
        request.offline |= strcmp(argv[i], "--offline") == 0;
        date |= strcmp(argv[i], "--date") == 0;
        if (strcmp(argv[i], "--timeout") == 0 && i + 1 < argc)
            request.probe_timeout_ms = (unsigned)strtoul(argv[++i], NULL, 10);
    }
    dr_live_start(&context);
    dr_clock_start(&context);

    const struct dr_clock *clock = dr_clock(&context);
    struct dr_gateway_clock gateway = clock->gateway;
    const struct dr_live *live = dr_live(&context);

    if (date && live->fact.state == DR_KNOWN) {
        struct dr_endpoint *endpoints = dr_alloc(&context, (live->count + 1) * sizeof(*endpoints));

        for (size_t i = 0; i < live->count; i++) {
            endpoints[i] = live->endpoints[i];
            endpoints[i].socket.challenged = false;
        }
        dr_clock_of_endpoints(endpoints, live->count, &gateway);
    }
    cJSON *object = cJSON_CreateObject();

    print_gateway(cJSON_AddObjectToObject(object, "gateway"), &gateway);
    print_ntp(cJSON_AddObjectToObject(object, "ntp"), &clock->ntp);
    (void)cJSON_AddNumberToObject(object, "took_ms", milliseconds(CLOCK_MONOTONIC) - start);

    _cleanup_free_ char *line = cJSON_PrintUnformatted(object);

    cJSON_Delete(object);
    if (!line || puts(line) < 0)
        return EXIT_FAILURE;
    dr_arena_release(&arena);
    return EXIT_SUCCESS;
}
